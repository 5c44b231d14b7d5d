//! Images side by side.

use std::io;
use std::path::{Path, PathBuf};

use super::generate::Shape;
use super::generate::pixels::{encode, interleaved};
use crate::Result;
use crate::error::{Blame, Blamed};
use crate::gan::GanError;
use crate::gan::train::{Explorer, Trained};
use crate::output::{Output, Outputs};

/// Black pixels between images.
const GAP: usize = 2;

/// A file that no grid is written to.
#[derive(Debug, thiserror::Error)]
#[error("{}: a grid of images is written as PNG, to a file whose name ends in .png", .0.display())]
struct NoPng(PathBuf);

impl Blamed for NoPng {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Claims the file of a grid.
pub fn claim(path: &Path, mut outputs: Outputs) -> Result<Output> {
    match path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        true => Ok(outputs.claim(path)?),
        false => Err(NoPng(path.to_owned()).into()),
    }
}

/// A generator of images, to be walked through.
pub fn explorer(trained: Trained, seed: u64) -> Result<Explorer, GanError> {
    match trained.config.networks.entry().takes_points() {
        true => {
            Err(GanError::Unable { system: trained.system.title(), action: "make a grid of images: it makes points" })
        }
        false => Explorer::new(trained, seed),
    }
}

/// Planar square images as a PNG, row after row of `columns` each.
pub fn png(images: &[u8], columns: usize, channels: usize, size: usize) -> io::Result<Vec<u8>> {
    let count = images.len() / (channels * size * size);
    let length = |images: usize| images * size + images.saturating_sub(1) * GAP;
    let (width, height) = (length(columns), length(count.div_ceil(columns)));
    let mut canvas = vec![0; width * height * channels];
    for (i, image) in images.chunks_exact(channels * size * size).enumerate() {
        let (top, left) = (i / columns * (size + GAP), i % columns * (size + GAP));
        let row_len = size * channels;
        for (y, row) in interleaved(image, channels).chunks_exact(row_len).enumerate() {
            canvas[((top + y) * width + left) * channels..][..row_len].copy_from_slice(row);
        }
    }
    encode(&canvas, Shape { images: 1, channels, height, width })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_stand_in_rows() {
        let images: Vec<u8> = [10, 20, 30].into_iter().flat_map(|level| [level; 4]).collect();
        let png = png(&images, 2, 1, 2).unwrap();
        let grid = image::load_from_memory(&png).unwrap().to_luma8();
        assert_eq!(grid.dimensions(), (6, 6));
        let at = |x, y| grid.get_pixel(x, y).0[0];
        assert_eq!([at(1, 1), at(2, 0), at(4, 1), at(0, 4), at(5, 5)], [10, 0, 20, 30, 0]);
    }
}
