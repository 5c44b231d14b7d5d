//! Points to learn from: built-in data, or arrays of numbers.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use crate::Result;
use crate::cli::commands::divergence::samples;
use crate::error::{Blame, Blamed};
use crate::gan::train::{Gaussians, TrainingSet};
use crate::stats::archive::ArrayArchive;
use crate::stats::fault::Fault;

/// What cannot be points.
#[derive(Debug, thiserror::Error)]
pub enum PointsError {
    /// Of another kind.
    #[error("{} holds no points: expected gaussians:8, gaussians:25, or a .npy or .npz file of rows of numbers", .0.display())]
    Kind(PathBuf),
    /// An archive that cannot be used.
    #[error("{} is not a usable array of points: {reason}", path.display())]
    Archive { path: PathBuf, reason: String },
    /// A coordinate that is not finite.
    #[error("{}: point {point} has the coordinate {value}", path.display())]
    NotFinite { path: PathBuf, point: usize, value: f64 },
    /// Two sets that do not go together.
    #[error("{} has points of {found} numbers, those before it have {expected}", path.display())]
    Dimensions { path: PathBuf, found: usize, expected: usize },
}

impl Blamed for PointsError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Whether a path is the name of built-in data.
pub fn is_built_in(path: &Path) -> bool {
    path.to_str().is_some_and(Gaussians::is_named)
}

/// The distribution that the points come from, where it is known.
pub fn distribution(paths: &[PathBuf]) -> Result<Option<Gaussians>> {
    match paths {
        [path] if is_built_in(path) => Ok(Some(path.to_string_lossy().parse()?)),
        _ => Ok(None),
    }
}

/// Reads all points of some sets.
pub fn load(paths: &[PathBuf]) -> Result<TrainingSet> {
    let (mut dimensions, mut numbers) = (None, Vec::new());
    for path in paths {
        let (columns, of_file) = of_path(path)?;
        let expected = *dimensions.get_or_insert(columns);
        if columns != expected {
            return Err(PointsError::Dimensions { path: path.clone(), found: columns, expected }.into());
        }
        numbers.extend(of_file);
    }
    Ok(TrainingSet::points(dimensions.unwrap_or_default(), numbers)?)
}

/// Numbers of a point, and points.
fn of_path(path: &Path) -> Result<(usize, Vec<f32>)> {
    if is_built_in(path) {
        let mixture: Gaussians = path.to_string_lossy().parse()?;
        return Ok((2, mixture.draw(Gaussians::POINTS, 0)));
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    let array = match extension.as_deref() {
        Some("npy") => samples(path, None)?,
        Some("npz") => of_archive(path)?,
        _ => return Err(PointsError::Kind(path.into()).into()),
    };
    if let Some(place) = array.iter().position(|value| !value.is_finite()) {
        let value = *array.iter().nth(place).expect("it was found there");
        return Err(PointsError::NotFinite { path: path.into(), point: place / array.ncols(), value }.into());
    }
    Ok((array.ncols(), array.iter().map(|&value| value as f32).collect()))
}

/// The array of an archive: the only one, or `arr_0`.
fn of_archive(path: &Path) -> Result<Array2<f64>> {
    let unusable = |reason: String| PointsError::Archive { path: path.into(), reason };
    let problem = |fault: Fault| match fault {
        Fault::Io(source) => unusable(source.to_string()),
        Fault::Malformed(reason) => unusable(reason),
    };
    let mut archive = ArrayArchive::open(path).map_err(problem)?;
    let names = archive.names();
    let name = match names.as_slice() {
        [only] => only.clone(),
        several if several.iter().any(|name| name == "arr_0") => "arr_0".to_owned(),
        _ => return Err(unusable(format!("it has the arrays {}, and none is `arr_0`", names.join(", "))).into()),
    };
    let array = archive.doubles(&name).map_err(problem)?;
    Ok(array.expect("the archive lists it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use ndarray_npy::write_npy;

    #[test]
    fn points_come_from_arrays_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.npy");
        write_npy(&path, &array![[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]]).unwrap();
        let data = load(&[path.clone(), path.clone()]).unwrap();
        assert_eq!((data.len(), data.shape(), data.coordinates()[3]), (4, &[3][..], 3.0));
        assert_eq!(load(&["gaussians:25".into()]).unwrap().len(), Gaussians::POINTS);
        assert!(distribution(&["gaussians:8".into()]).unwrap().is_some());
        assert!(distribution(std::slice::from_ref(&path)).unwrap().is_none());
        let message = |paths: &[PathBuf]| load(paths).unwrap_err().to_string();
        assert!(
            message(&[path, "gaussians:8".into()])
                .contains("gaussians:8 has points of 2 numbers, those before it have 3")
        );
        assert!(message(&["x.png".into()]).contains("x.png holds no points: expected gaussians:8"));
        assert!(message(&["gaussians:9".into()]).contains("no built-in data called `gaussians:9`"));
        let bad = folder.path().join("bad.npy");
        write_npy(&bad, &array![[0.5_f32, 1.0], [3.0, f32::NAN]]).unwrap();
        assert!(message(&[bad]).contains("point 1 has the coordinate NaN"));
    }

    #[test]
    fn archives_hold_one_array_of_points() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, arrays: &[&str]| {
            let path = folder.path().join(name);
            let mut archive = ndarray_npy::NpzWriter::new(std::fs::File::create(&path).unwrap());
            for array in arrays {
                archive.add_array(*array, &array![[1.0_f32, 2.0]]).unwrap();
            }
            archive.finish().unwrap();
            path
        };
        assert_eq!(load(&[write("one.npz", &["x"])]).unwrap().coordinates(), [1.0, 2.0]);
        assert_eq!(load(&[write("first.npz", &["x", "arr_0"])]).unwrap().len(), 1);
        let message = load(&[write("two.npz", &["x", "y"])]).unwrap_err().to_string();
        assert!(message.contains("it has the arrays x, y, and none is `arr_0`"), "{message}");
    }
}
