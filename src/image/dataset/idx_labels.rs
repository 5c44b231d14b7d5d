//! Classes of the images of an IDX file: in a file of their own beside it, as MNIST has them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::compression::Compression;
use super::error::DataSetError;
use crate::regular;

/// The class of each of so many images, as their number; `None` where no file of labels is beside that of the images.
///
/// # Errors
/// [`DataSetError::Classes`] when the file is there and is not one of so many labels.
pub(super) fn beside(path: &Path, images: usize) -> Result<Option<Vec<String>>, DataSetError> {
    let Some(labels) = candidates(path).into_iter().find(|candidate| candidate.exists()) else { return Ok(None) };
    let file = labels.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let failure = |reason: String| DataSetError::Classes { path: path.to_owned(), file: file.clone(), reason };
    let opened = regular::open(&labels).map_err(|error| failure(error.to_string()))?;
    let content = read(opened, images).map_err(|error| failure(error.to_string()))?;
    match numbers(&content) {
        Some(numbers) if numbers.len() == images => Ok(Some(numbers.iter().map(u8::to_string).collect())),
        Some(numbers) => Err(failure(format!("it has {} labels, and there are {images} images", numbers.len()))),
        None => Err(failure("it is not a whole IDX file of a byte for each image".to_owned())),
    }
}

/// What a file of labels may be called: `train-labels-idx1-ubyte` beside `train-images-idx3-ubyte`, `x-labels.idx` beside
/// `x.idx`, compressed like the images.
fn candidates(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let mnist = name.replace("images", "labels").replace("idx3", "idx1");
    let short = name.split_once(".idx").map(|(stem, rest)| format!("{stem}-labels.idx{rest}"));
    let names = std::iter::once(mnist).filter(|mnist| mnist != name).chain(short);
    names.map(|name| path.with_file_name(name)).collect()
}

/// A label of a byte for each image, and a head.
fn read(file: File, images: usize) -> std::io::Result<Vec<u8>> {
    /// Of an axis: the magic number and a length.
    const HEAD: usize = 8;
    let mut head = Vec::new();
    (&file).take(HEAD as u64).read_to_end(&mut head)?;
    let whole = head.as_slice().chain(file);
    let mut content = Vec::new();
    // One byte more than there may be shows that there are too many.
    let most = (HEAD + images + 1) as u64;
    match Compression::recognise(&head) {
        Some(compression) => compression.decoder(whole)?.take(most).read_to_end(&mut content)?,
        None => whole.take(most).read_to_end(&mut content)?,
    };
    Ok(content)
}

/// The labels of an IDX file of one axis of bytes.
fn numbers(content: &[u8]) -> Option<&[u8]> {
    let [0, 0, 0x08, 1, a, b, c, d, labels @ ..] = content else { return None };
    let told = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    (told == labels.len()).then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_those_of_the_images() {
        let of = |name: &str| -> Vec<String> {
            candidates(Path::new(name)).iter().map(|path| path.display().to_string()).collect()
        };
        assert_eq!(of("d/train-images-idx3-ubyte.gz"), ["d/train-labels-idx1-ubyte.gz"]);
        assert_eq!(of("first.idx.gz"), ["first-labels.idx.gz"]);
        assert!(of("digits.bin").is_empty());
    }

    #[test]
    fn labels_that_do_not_fit_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let images = folder.path().join("x.idx");
        assert_eq!(beside(&images, 3).unwrap(), None);
        let write = |content: &[u8]| std::fs::write(folder.path().join("x-labels.idx"), content).unwrap();
        write(&[0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 10]);
        assert_eq!(beside(&images, 3).unwrap().unwrap(), ["7", "0", "10"]);
        let message = |images_there: usize| beside(&images, images_there).unwrap_err().to_string();
        assert!(message(4).contains("it has 3 labels, and there are 4 images"), "{}", message(4));
        assert!(
            message(2).contains("not a whole IDX file") || message(2).contains("it has 3 labels"),
            "{}",
            message(2)
        );
        write(&[0, 0, 8, 3, 0, 0, 0, 3, 7]);
        assert!(message(1).contains("not a whole IDX file"));
    }
}
