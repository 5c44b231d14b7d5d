//! The command as it was typed, and what to type instead.

use std::ffi::OsString;

use crate::extractor::ExtractorId;

/// The flags that choose the network of a command.
const CHOOSING: [&str; 2] = ["--extractor", "--score-extractor"];

/// The same command with the network that is built in, as a line for a shell. `None` where it would not work: the command takes no
/// network or one of its flags is for another network, or an argument is not text.
pub fn with_the_built_in_network(arguments: &[OsString], parses: impl Fn(&[String]) -> bool) -> Option<String> {
    let words: Vec<String> =
        arguments.iter().map(|argument| argument.to_str().map(str::to_owned)).collect::<Option<_>>()?;
    // Only inception-v3 has layers to choose from.
    if words.iter().any(|word| word == "--layer" || word.starts_with("--layer=")) {
        return None;
    }
    let words = CHOOSING.into_iter().map(|flag| choosing(flag, &words)).find(|words| parses(words))?;
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

/// The words with the built-in network as the value of a flag, whatever it was before.
fn choosing(flag: &str, words: &[String]) -> Vec<String> {
    let prefix = format!("{flag}=");
    let choice = [flag.to_owned(), ExtractorId::EfficientNetLite0.to_string()];
    let mut chosen = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            // What follows are not flags.
            "--" => {
                chosen.extend(choice);
                chosen.push(word.clone());
                chosen.extend(rest.cloned());
                return chosen;
            }
            word if word == flag => drop(rest.next()),
            word if word.starts_with(&prefix) => {}
            word => chosen.push(word.to_owned()),
        }
    }
    chosen.extend(choice);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(line: &str) -> Option<String> {
        let arguments: Vec<OsString> = shlex::split(line).unwrap().into_iter().map(OsString::from).collect();
        with_the_built_in_network(&arguments, |words| !words.contains(&"cache".to_owned()))
    }

    #[test]
    fn the_line_can_be_pasted() {
        let pasted = built_in("gan-metrics fid 'my images' fake").unwrap();
        assert_eq!(pasted, "gan-metrics fid 'my images' fake --extractor efficientnet-lite0");
        assert_eq!(built_in("g is a -- -b").unwrap(), "g is a --extractor efficientnet-lite0 -- -b");
    }

    #[test]
    fn a_network_that_was_named_is_replaced() {
        for named in ["--extractor inception-v3", "--extractor=inception-v3"] {
            let pasted = built_in(&format!("gan-metrics is a {named} --json")).unwrap();
            assert_eq!(pasted, "gan-metrics is a --json --extractor efficientnet-lite0");
        }
    }

    #[test]
    fn no_line_is_better_than_one_that_fails() {
        assert_eq!(built_in("gan-metrics cache list"), None);
        assert_eq!(built_in("gan-metrics fid a b --layer 64"), None);
    }
}
