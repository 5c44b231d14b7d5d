//! Paths with braces and wildcards, which name the shards of a data set: `train-{000..099}.tar`, `train-*.tar`.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::error::DataSetError;
use super::wildcards;

/// Most paths that braces may stand for.
const MOST: usize = 1_000_000;

/// Most of them that may have wildcards.
const MOST_LISTED: usize = 10_000;

/// The paths that a pattern names, in its order, those of a wildcard sorted; `None` where it is not a pattern. Of braces every path is
/// named, whether it exists or not, so that a shard that is missing is noticed.
///
/// # Errors
/// [`DataSetError::Pattern`] of a pattern that is not UTF-8, [`DataSetError::Io`] when a folder cannot be listed.
pub(super) fn expand(path: &Path) -> Result<Option<Vec<PathBuf>>, DataSetError> {
    let Some(text) = path.to_str() else {
        return match is_one(path) {
            true => Err(DataSetError::Pattern { path: path.to_owned() }),
            false => Ok(None),
        };
    };
    let Some(braced) = braces(text) else { return Ok(None) };
    // Each wildcard lists a folder.
    if braced.len() == 1 && !is_wild(text) || braced.len() > MOST_LISTED && is_wild(text) {
        return Ok(None);
    }
    let mut paths = Vec::new();
    for text in braced {
        match is_wild(&text) {
            true => match wildcards::matching(&text)? {
                Some(found) => paths.extend(found),
                None => return Ok(None),
            },
            false => paths.push(text.into()),
        }
    }
    Ok(Some(paths))
}

/// Whether a pattern names a file that need not exist yet, or a folder that it would be in; both are absolute.
pub(super) fn would_name(pattern: &Path, file: &Path) -> bool {
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
    let named = |text: String| {
        Pattern::new(&text).is_ok_and(|pattern| file.ancestors().any(|path| pattern.matches_path_with(path, options)))
    };
    pattern.to_str().and_then(braces).is_some_and(|texts| texts.into_iter().any(named))
}

/// Whether a path has what patterns are made of.
pub(super) fn is_one(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '[', '{'])
}

/// Whether a text has wildcards.
pub(super) fn is_wild(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A text with every brace replaced by each of its alternatives: `{000..099}`, with leading zeros, or `{a,b}`. A brace that is neither
/// stands for itself; `None` where there would be too many.
fn braces(text: &str) -> Option<Vec<String>> {
    for (start, _) in text.match_indices('{') {
        let Some(length) = text[start..].find('}') else { break };
        let (before, inside, after) = (&text[..start], &text[start + 1..start + length], &text[start + length + 1..]);
        let Some(alternatives) = alternatives(inside) else { continue };
        let rest = braces(after)?;
        if alternatives.len().saturating_mul(rest.len()) > MOST {
            return None;
        }
        let each = |alternative: &String| {
            rest.iter().map(move |rest| format!("{before}{alternative}{rest}")).collect::<Vec<_>>()
        };
        return Some(alternatives.iter().flat_map(each).collect());
    }
    Some(vec![text.to_owned()])
}

fn alternatives(inside: &str) -> Option<Vec<String>> {
    if let Some((first, last)) = inside.split_once("..") {
        let (from, to) = (number(first)?, number(last)?);
        let width = if first.starts_with('0') || last.starts_with('0') { first.len().max(last.len()) } else { 0 };
        if from.abs_diff(to) >= MOST as u64 {
            return None;
        }
        let shown = |number: u64| format!("{number:0width$}");
        return Some(if from <= to {
            (from..=to).map(shown).collect()
        } else {
            (to..=from).rev().map(shown).collect()
        });
    }
    inside.contains(',').then(|| inside.split(',').map(str::to_owned).collect())
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Option<Vec<String>> {
        Some(expand(Path::new(text)).unwrap()?.iter().map(|path| path.display().to_string()).collect())
    }

    #[test]
    fn a_file_is_named_before_it_is_there() {
        let named = |pattern: &str| would_name(Path::new(pattern), Path::new("/data/run/samples/1.png"));
        for pattern in
            ["/data/**/*.png", "/data/*/samples/?.png", "/data/r*", "/data/{run,other}", "/data/{a,run}/samples"]
        {
            assert!(named(pattern), "{pattern}");
        }
        for pattern in ["/data/*.png", "/data/run/*.png", "/data/{a,b}/**/*.png", "/data/run/samples/*.jpg"] {
            assert!(!named(pattern), "{pattern}");
        }
    }

    #[test]
    fn braces_are_expanded_as_a_shell_does() {
        assert_eq!(expanded("a-{08..11}.tar").unwrap(), ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]);
        assert_eq!(expanded("{9..11}").unwrap(), ["9", "10", "11"]);
        assert_eq!(expanded("{2..0}").unwrap(), ["2", "1", "0"]);
        assert_eq!(expanded("{a,b}/{1..2}.tar").unwrap(), ["a/1.tar", "a/2.tar", "b/1.tar", "b/2.tar"]);
        for literal in ["plain.tar", "{x}.tar", "{1..x}.tar", "a{", "}{", "{}", "{0..99999999999}", "{..}"] {
            assert_eq!(expanded(literal), None, "{literal}");
        }
    }

    #[test]
    fn wildcards_name_what_is_there_sorted() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b-2.tar", "b-1.tar", "c.zip"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let paths = expand(&folder.path().join(pattern)).unwrap().unwrap();
            paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names("b-*.tar"), ["b-1.tar", "b-2.tar"]);
        assert_eq!(names("{c,b}*"), ["c.zip", "b-1.tar", "b-2.tar"]);
        assert_eq!(names("x*"), [""; 0]);
        assert_eq!(expand(&folder.path().join("{0..99999}*")).unwrap(), None);
    }
}
