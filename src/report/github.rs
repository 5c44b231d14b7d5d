//! A check as workflow commands of GitHub Actions, which become annotations of the run.
//!
//! Source: "Workflow commands for GitHub Actions", and the escaping of `@actions/core` (`packages/core/src/command.ts`).

use super::check::CheckReport;
use super::judgement::ChangeVerdict;

/// An error for every number that is worse or missing, a notice for every one that is better, and a notice on the whole where nothing
/// is worth one of its own. For standard output, each a line.
pub fn github(check: &CheckReport) -> String {
    let mut commands = String::new();
    for change in &check.changes {
        let command = match change.verdict {
            ChangeVerdict::Within => continue,
            ChangeVerdict::Better => "notice",
            ChangeVerdict::Worse | ChangeVerdict::Missing => "error",
        };
        let title = format!("{}, baseline {}", change.score.quantity().title, check.baseline);
        commands += &line(command, &title, &change.sentence());
    }
    if commands.is_empty() {
        commands = line("notice", &format!("gan-metrics, baseline {}", check.baseline), &check.summary);
    }
    commands
}

fn line(command: &str, title: &str, message: &str) -> String {
    format!("::{command} title={}::{}\n", escaped_property(title), escaped_data(message))
}

/// The text behind the last colons.
fn escaped_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or a comma would end.
fn escaped_property(text: &str) -> String {
    escaped_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::check::tests::example;

    #[test]
    fn what_failed_is_an_error_and_what_is_better_a_notice() {
        assert_eq!(
            github(&example()),
            "\
::error title=FID%2C baseline base%2C 1.json::fid 10.500000, baseline 10.000000: worse by 0.500000, more than the 0.200000 allowed (2%25)
::error title=KID%2C baseline base%2C 1.json::kid is missing: 5 < 10 & \"50%25\", a,b:\\nc\\u{1b}; the baseline is 0.500000
::notice title=Vendi score%2C baseline base%2C 1.json::vendi 4.000000, baseline 3.000000: better by 1.000000, more than 0.060000 (2%25)
"
        );
    }

    #[test]
    fn what_would_end_a_command_or_a_property_is_escaped() {
        assert_eq!(line("error", "a:b,c%", "d:e,f%\r\ng"), "::error title=a%3Ab%2Cc%25::d:e,f%25%0D%0Ag\n");
    }

    #[test]
    fn a_run_within_its_tolerances_is_one_notice() {
        let mut check = example();
        check.changes.retain(|change| change.verdict == ChangeVerdict::Within);
        check.summary = "passed: within the tolerance".into();
        assert_eq!(
            github(&check),
            "::notice title=gan-metrics%2C baseline base%2C 1.json::passed: within the tolerance\n"
        );
    }
}
