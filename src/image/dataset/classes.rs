//! Classes of images in files beside them: `dataset.json`, as StyleGAN and EDM have it, and tables, as Hugging Face's image folders have
//! them.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::csv::Table;
use super::error::DataSetError;

/// A kind of files that tell classes.
struct ClassFile {
    /// What such a file is called.
    name: &'static str,
    /// The class of each name, relative to the folder of the file.
    read: fn(&[u8]) -> Result<Classified, String>,
}

/// All of them, the first that tells first.
const FILES: [ClassFile; 3] = [
    ClassFile { name: "dataset.json", read: of_json },
    ClassFile { name: "labels.csv", read: of_table },
    ClassFile { name: "metadata.csv", read: of_table },
];

/// What the columns of names are called, and those of classes, in a table: the first that is there.
const NAMES: [&str; 4] = ["file_name", "filename", "path", "image"];
const CLASSES: [&str; 4] = ["label", "class", "class_id", "target"];

/// What a file tells.
enum Classified {
    /// The class of each image.
    ByName(HashMap<String, String>),
    /// Nothing of classes, and why, where it looks as if it should.
    Nothing(Option<String>),
}

/// What the files of a set tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Classes {
    /// The class of each image.
    pub(super) labels: Option<Vec<String>>,
    /// Why there are none, where that can be said.
    pub(super) untold: Option<String>,
}

/// Whether a file tells the classes of images, by its name.
pub(super) fn is_file(name: &str) -> bool {
    rank(name).is_some()
}

/// Which of the files is of this name.
fn rank(name: &str) -> Option<usize> {
    let base = name.rsplit('/').next();
    FILES.iter().position(|file| base == Some(file.name))
}

impl Classes {
    /// The same of so many images: others than there are cannot be theirs.
    pub(super) fn of_as_many(self, images: usize) -> Self {
        match &self.labels {
            Some(labels) if labels.len() != images => {
                let untold = format!("there are {} classes, and {images} images", labels.len());
                Classes { labels: None, untold: Some(untold) }
            }
            _ => self,
        }
    }

    /// What some files tell of the images of a set: each of those below its folder, the first kind first.
    ///
    /// # Errors
    /// Of reading; [`DataSetError::Classes`] when a file is not what its name says, [`DataSetError::Unlabelled`] when one has some of the
    /// images below its folder and lacks others.
    pub(super) fn of_files<F>(
        path: &Path,
        mut files: Vec<(String, F)>,
        names: &[&str],
        read: impl Fn(&str, F) -> Result<Vec<u8>, DataSetError>,
    ) -> Result<Self, DataSetError> {
        files.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
        let (mut labels, mut untold) = (vec![None; names.len()], None);
        for (file, handle) in files {
            let content = read(&file, handle)?;
            let reason = tell(path, (&file, &content), names, &mut labels)?;
            untold = untold.or(reason);
        }
        let missing = labels.iter().filter(|label| label.is_none()).count();
        Ok(match labels.iter().position(Option::is_none) {
            None => Self { labels: Some(labels.into_iter().flatten().collect()), untold: None },
            Some(first) if missing < names.len() => {
                let untold = format!("no file has a class for {missing} of them, the first `{}`", names[first]);
                Self { labels: None, untold: Some(untold) }
            }
            Some(_) => Self { labels: None, untold },
        })
    }
}

/// Adds the classes that a file tells, for images that have none yet; says why it tells none, where it looks as if it should.
fn tell(
    path: &Path,
    (file, content): (&str, &[u8]),
    names: &[&str],
    labels: &mut [Option<String>],
) -> Result<Option<String>, DataSetError> {
    let Some(kind) = rank(file).map(|rank| &FILES[rank]) else { return Ok(None) };
    let wrong = |reason| DataSetError::Classes { path: path.to_owned(), file: file.to_owned(), reason };
    let classes = match (kind.read)(content).map_err(wrong)? {
        Classified::ByName(classes) => classes,
        Classified::Nothing(reason) => return Ok(reason.map(|reason| format!("`{file}` {reason}"))),
    };
    let folder = file.strip_suffix(kind.name).unwrap_or_default();
    let (mut told, mut missing) = (0, Vec::new());
    for (name, label) in names.iter().zip(labels) {
        let Some(below) = name.strip_prefix(folder) else { continue };
        match classes.get(below) {
            Some(class) => {
                label.get_or_insert_with(|| class.clone());
                told += 1;
            }
            None => missing.push(name),
        }
    }
    match missing.first() {
        None => Ok(None),
        // A file of other images.
        Some(_) if told == 0 => Ok(Some(format!("`{file}` names none of them"))),
        Some(first) => {
            let (path, file, first) = (path.to_owned(), file.to_owned(), (**first).to_owned());
            Err(DataSetError::Unlabelled { path, file, count: missing.len(), first })
        }
    }
}

/// The list `labels` of a JSON file: pairs of a name and a number, or a vector whose largest value is the class.
fn of_json(content: &[u8]) -> Result<Classified, String> {
    let content: Value = serde_json::from_slice(content).map_err(|error| format!("it is not JSON: {error}"))?;
    let Some(list) = content.get("labels").and_then(Value::as_array) else { return Ok(Classified::Nothing(None)) };
    let pair = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), class(pair.get(1)?)?));
    let classes = list.iter().map(pair).collect::<Option<_>>();
    Ok(classes.map_or(Classified::Nothing(None), Classified::ByName))
}

/// The rows of a table with a column of names and one of classes.
fn of_table(content: &[u8]) -> Result<Classified, String> {
    // Tables of these names may be of anything else: only one that has the columns has to be right.
    let Ok(text) = std::str::from_utf8(content) else { return Ok(Classified::Nothing(Some("is not UTF-8".into()))) };
    let columns = Table::heading(text).unwrap_or_default();
    let column = |known: &[&str]| {
        let called = |known: &&str| columns.iter().position(|column| column.trim().eq_ignore_ascii_case(known));
        known.iter().find_map(called)
    };
    let (Some(name), Some(class)) = (column(&NAMES), column(&CLASSES)) else {
        let (names, classes, columns) = (NAMES.join(", "), CLASSES.join(", "), columns.join(", "));
        return Ok(Classified::Nothing(Some(format!(
            "has no column of names ({names}) and of classes ({classes}): its columns are {columns}"
        ))));
    };
    let mut classes: HashMap<String, String> = HashMap::new();
    for (line, fields) in Table::parse(text)?.rows {
        let (name, class) = (normal(&fields[name]), fields[class].trim());
        if class.is_empty() {
            return Err(format!("line {line} has no class"));
        }
        if let Some(before) = classes.insert(name, class.to_owned()).filter(|before| before != class) {
            return Err(format!("line {line} says `{class}` of an image that is `{before}` before"));
        }
    }
    Ok(Classified::ByName(classes))
}

/// A name as data sets have it: with `/` between its folders, and none that is the folder itself.
fn normal(name: &str) -> String {
    let name = name.trim();
    let name = if name.contains('/') { name.to_owned() } else { name.replace('\\', "/") };
    name.strip_prefix("./").map(str::to_owned).unwrap_or(name)
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

    fn told(file: &str, content: &str, names: &[&str]) -> Result<Classes, DataSetError> {
        let read = |_: &str, content: &str| Ok(content.as_bytes().to_vec());
        Classes::of_files(Path::new("x"), vec![(file.to_owned(), content)], names, read)
    }

    fn labels(file: &str, content: &str, names: &[&str]) -> Option<Vec<String>> {
        told(file, content, names).unwrap().labels
    }

    #[test]
    fn numbers_and_vectors_are_classes() {
        let json = r#"{"labels": [["00000/a.png", 7], ["00000/b.png", [0.1, 0.0, 0.9]], ["unused.png", 1]]}"#;
        assert_eq!(labels("dataset.json", json, &["00000/a.png", "00000/b.png"]).unwrap(), ["7", "2"]);
        let found = labels("data/dataset.json", json, &["data/00000/b.png"]);
        assert_eq!(found.unwrap(), ["2"], "names are relative to the file");
    }

    #[test]
    fn tables_tell_classes_by_the_names_of_their_columns() {
        for (file, table) in [
            ("labels.csv", "file_name,label\na.png,cat\nb/c.png,dog\nunused.png,7\n"),
            ("metadata.csv", "\u{feff}text,File_Name,label\r\n\"x, y\",./a.png,cat\r\n,\"b/c.png\",dog\r\n"),
            ("labels.csv", "class_id,filename\ncat,a.png\ndog,b\\c.png\n"),
            ("labels.csv", "image,target\na.png, cat\nb/c.png,dog\n"),
            ("labels.csv", "path,class\nb/c.png,dog\na.png,cat\na.png,cat\n"),
        ] {
            assert_eq!(labels(file, table, &["a.png", "b/c.png"]).unwrap(), ["cat", "dog"], "{table}");
        }
        let found = labels("train/metadata.csv", "file_name,label\na.png,3\n", &["train/a.png"]);
        assert_eq!(found.unwrap(), ["3"], "names are relative to the file");
    }

    #[test]
    fn a_file_without_classes_says_nothing_and_an_incomplete_one_is_refused() {
        for json in [r#"{"labels": null}"#, "{}", "[1]", r#"{"labels": ["cat", "dog"]}"#] {
            assert_eq!(labels("dataset.json", json, &["a.png"]), None, "{json}");
        }
        let captions = told("metadata.csv", "file_name,text\na.png,a cat\n", &["a.png"]).unwrap();
        let reason = captions.untold.unwrap();
        assert!(captions.labels.is_none() && reason.ends_with("its columns are file_name, text"), "{reason}");
        let others = told("labels.csv", "path,class\na.png,cat\n", &["b.png"]).unwrap();
        assert_eq!(others.untold.unwrap(), "`labels.csv` names none of them");
        let lines = told("metadata.csv", "file_name,text\na.png,a \"cat\", or two\n\"", &["a.png"]).unwrap();
        assert!(lines.labels.is_none(), "a table of something else may be written in any way");
        for (file, content, reason) in [
            (
                "dataset.json",
                "no json",
                "`dataset.json` in `x`, which tells the classes of images, cannot be read: it is not JSON",
            ),
            ("labels.csv", "file_name,label\na.png\n", "line 2 has 1 fields"),
            ("labels.csv", "file_name,label\na.png,\n", "line 2 has no class"),
            (
                "labels.csv",
                "file_name,label\na.png,cat\na.png,dog\n",
                "line 3 says `dog` of an image that is `cat` before",
            ),
        ] {
            let error = told(file, content, &["a.png"]).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        for (file, content) in
            [("dataset.json", r#"{"labels": [["a.png", 0]]}"#), ("labels.csv", "file_name,label\na.png,0")]
        {
            let error = told(file, content, &["a.png", "b.png", "c.png"]).unwrap_err();
            assert!(error.to_string().contains("no class for 2 images of `x`, the first `b.png`"), "{error}");
        }
    }

    #[test]
    fn the_first_kind_that_tells_is_taken() {
        let of = |files: &[(&str, &str)]| {
            let files = files.iter().map(|(name, content)| ((*name).to_owned(), *content)).collect();
            let read = |_: &str, content: &str| Ok(content.as_bytes().to_vec());
            Classes::of_files(Path::new("x"), files, &["a.png"], read).unwrap()
        };
        let table = ("labels.csv", "file_name,label\na.png,cat\n");
        let captions = ("metadata.csv", "file_name,text\na.png,a cat\n");
        let json = |name| (name, r#"{"labels": [["a.png", 7]]}"#);
        assert_eq!(of(&[captions, table]), Classes { labels: Some(vec!["cat".into()]), untold: None });
        assert_eq!(of(&[table, json("dataset.json")]).labels.unwrap(), ["7"]);
        assert_eq!(of(&[table, ("dataset.json", "{}")]).labels.unwrap(), ["cat"]);
        assert!(of(&[captions]).untold.is_some());
    }

    #[test]
    fn each_file_tells_of_the_images_below_its_folder() {
        let of = |files: &[(&str, &str)]| {
            let files = files.iter().map(|(name, content)| ((*name).to_owned(), *content)).collect();
            let read = |_: &str, content: &str| Ok(content.as_bytes().to_vec());
            Classes::of_files(Path::new("x"), files, &["test/a.png", "train/a.png"], read).unwrap()
        };
        let train = ("train/metadata.csv", "file_name,label\na.png,cat\n");
        let test = ("test/metadata.csv", "file_name,label\na.png,dog\n");
        assert_eq!(of(&[train, test]).labels.unwrap(), ["dog", "cat"]);
        let untold = of(&[train]).untold.unwrap();
        assert_eq!(untold, "no file has a class for 1 of them, the first `test/a.png`");
    }
}
