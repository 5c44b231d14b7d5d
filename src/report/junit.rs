//! A check as JUnit XML: the results of tests as GitLab, Jenkins and most others read them.
//!
//! Source: `junit-10.xsd` of Jenkins' xUnit plugin, which allows the fewest attributes.

use std::io;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::check::CheckReport;
use super::judgement::{Change, ChangeVerdict};

/// One suite, and in it a test for every number of the baseline, of the class `gan-metrics.SCORE`. A number that is worse or missing is
/// a failure with what became of it as its message. The time of the run is shared evenly by the tests, since all numbers come from one
/// pass; `time` is when the check was done.
pub fn junit(check: &CheckReport, time: SystemTime) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    written(&mut writer, check, time).expect("a text in memory takes all that is written to it");
    let mut xml = String::from_utf8(writer.into_inner()).expect("text is written as UTF-8");
    xml.push('\n');
    xml
}

fn written(writer: &mut Writer<Vec<u8>>, check: &CheckReport, time: SystemTime) -> io::Result<()> {
    let failures = check.changes.iter().filter(|change| !change.verdict.passes()).count();
    let seconds = check.seconds().unwrap_or_default();
    let share = format!("{:.3}", seconds / check.changes.len().max(1) as f64);
    let [tests, failures, seconds] = [check.changes.len().to_string(), failures.to_string(), format!("{seconds:.3}")];
    // Without a zone, which some schemas do not allow.
    let time = DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%S").to_string();
    let counts = [("tests", &*tests), ("failures", &failures), ("errors", "0"), ("time", &seconds)];
    let property = [("name", "baseline"), ("value", &check.baseline)];
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = writer.create_element("testsuites").with_attribute(("name", "gan-metrics")).with_attributes(counts);
    suites.write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attribute(("name", "gan-metrics check"));
        let suite = suite.with_attributes(counts).with_attribute(("timestamp", &*time));
        suite.write_inner_content(|writer| {
            writer.create_element("properties").write_inner_content(|writer| {
                writer.create_element("property").with_attributes(property).write_empty()?;
                Ok(())
            })?;
            check.changes.iter().try_for_each(|change| test_case(writer, change, &share))
        })?;
        Ok(())
    })?;
    Ok(())
}

fn test_case(writer: &mut Writer<Vec<u8>>, change: &Change, seconds: &str) -> io::Result<()> {
    let (name, class) = (change.score.to_string(), format!("gan-metrics.{}", change.score.metric().about().name));
    let failure = match change.verdict {
        ChangeVerdict::Within | ChangeVerdict::Better => None,
        ChangeVerdict::Worse => Some("worse"),
        ChangeVerdict::Missing => Some("missing"),
    };
    let sentence = change.sentence();
    let case = writer.create_element("testcase").with_attributes([("name", &*name), ("classname", &class)]);
    case.with_attribute(("time", seconds)).write_inner_content(|writer| {
        match failure {
            Some(kind) => {
                let attributes = [("type", kind), ("message", &*sentence)];
                writer.create_element("failure").with_attributes(attributes).write_empty()?;
            }
            None => {
                writer.create_element("system-out").write_text_content(BytesText::new(&sentence))?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::check::tests::example;

    #[test]
    fn a_test_a_number_escaped_as_xml() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(
            junit(&example(), time),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="gan-metrics" tests="4" failures="2" errors="0" time="8.000">
  <testsuite name="gan-metrics check" tests="4" failures="2" errors="0" time="8.000" timestamp="2001-09-09T01:46:40">
    <properties>
      <property name="baseline" value="base, 1.json"/>
    </properties>
    <testcase name="fid" classname="gan-metrics.fid" time="2.000">
      <failure type="worse" message="fid 10.500000, baseline 10.000000: worse by 0.500000, more than the 0.200000 allowed (2%)"/>
    </testcase>
    <testcase name="kid" classname="gan-metrics.kid" time="2.000">
      <failure type="missing" message="kid is missing: 5 &lt; 10 &amp; &quot;50%&quot;, a,b:\nc\u{1b}; the baseline is 0.500000"/>
    </testcase>
    <testcase name="mmd" classname="gan-metrics.mmd" time="2.000">
      <system-out>mmd 1.000000, baseline 1.000000: a change of 0.000000 within 0.020000 (2%)</system-out>
    </testcase>
    <testcase name="vendi" classname="gan-metrics.vendi" time="2.000">
      <system-out>vendi 4.000000, baseline 3.000000: better by 1.000000, more than 0.060000 (2%)</system-out>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }
}
