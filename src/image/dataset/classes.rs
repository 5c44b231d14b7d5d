//! Classes of images in files: `dataset.json`, as StyleGAN and EDM have it.

use std::path::Path;

use serde_json::Value;

use super::error::DataSetError;

/// What the file is called.
pub(super) const FILE: &str = "dataset.json";

/// The class of each image by the list `labels` of such a file: pairs of a name, relative to the folder of the file, and a number, or a
/// vector whose largest value is the class. `None` where the file has no such list.
///
/// # Errors
/// [`DataSetError::Classes`] when the file is not JSON, [`DataSetError::Unlabelled`] when some images are not in the list.
pub(super) fn of_json<'a>(
    path: &Path,
    (file, content): (&str, &[u8]),
    names: impl Iterator<Item = &'a str>,
) -> Result<Option<Vec<String>>, DataSetError> {
    let content: Value = serde_json::from_slice(content).map_err(|error| DataSetError::Classes {
        path: path.to_owned(),
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    let Some(list) = content.get("labels").and_then(Value::as_array) else { return Ok(None) };
    let pair = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), class(pair.get(1)?)?));
    let Some(classes) = list.iter().map(pair).collect::<Option<std::collections::HashMap<_, _>>>() else {
        return Ok(None);
    };
    let folder = file.strip_suffix(FILE).unwrap_or_default();
    let (mut labels, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match name.strip_prefix(folder).and_then(|name| classes.get(name)) {
            Some(class) => labels.push(class.clone()),
            None => missing.push(name),
        }
    }
    match missing.first() {
        None => Ok(Some(labels)),
        // A file of another folder, of other images.
        Some(_) if labels.is_empty() => Ok(None),
        Some(first) => {
            let (path, file, first) = (path.to_owned(), file.to_owned(), (*first).to_owned());
            Err(DataSetError::Unlabelled { path, file, count: missing.len(), first })
        }
    }
}

/// A class: a number, or where the largest of several is.
fn class(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => {
            let values: Vec<f64> = values.iter().map(Value::as_f64).collect::<Option<_>>()?;
            Some(largest(values.into_iter())?.to_string())
        }
        _ => None,
    }
}

/// Where the largest value is, the first of several.
pub(super) fn largest(values: impl Iterator<Item = f64>) -> Option<usize> {
    let largest = values.enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
    largest.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(file: &str, json: &str, names: &[&str]) -> Result<Option<Vec<String>>, DataSetError> {
        of_json(Path::new("x"), (file, json.as_bytes()), names.iter().copied())
    }

    #[test]
    fn numbers_and_vectors_are_classes() {
        let json = r#"{"labels": [["00000/a.png", 7], ["00000/b.png", [0.1, 0.0, 0.9]], ["unused.png", 1]]}"#;
        let found = labels("dataset.json", json, &["00000/a.png", "00000/b.png"]).unwrap().unwrap();
        assert_eq!(found, ["7", "2"]);
        let found = labels("data/dataset.json", json, &["data/00000/b.png"]).unwrap().unwrap();
        assert_eq!(found, ["2"], "names are relative to the file");
    }

    #[test]
    fn a_file_without_classes_says_nothing_and_an_incomplete_one_is_refused() {
        for json in [r#"{"labels": null}"#, "{}", "[1]", r#"{"labels": ["cat", "dog"]}"#] {
            assert_eq!(labels("dataset.json", json, &["a.png"]).unwrap(), None, "{json}");
        }
        let error = labels("dataset.json", "no json", &["a.png"]).unwrap_err();
        assert!(error.to_string().starts_with("`dataset.json` in `x`, which tells the classes"), "{error}");
        let error = labels("dataset.json", r#"{"labels": [["a.png", 0]]}"#, &["a.png", "b.png", "c.png"]).unwrap_err();
        assert!(error.to_string().contains("no class for 2 images of `x`, the first `b.png`"), "{error}");
    }
}
