//! Images beside each other.

use crate::Result;
use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

/// Side of the square that each image is fitted into, and the space around it, in pixels.
const CELL: u32 = 112;
const SPACE: u32 = 6;
/// Space between the first column and the others.
const GAP: u32 = 18;

/// Rows of images, the first one of each set apart.
pub struct Grid {
    /// What it shows.
    pub title: String,
    /// The picture as a PNG file.
    pub png: Vec<u8>,
    picture: crate::image::RgbImage,
}

impl Grid {
    /// Draws rows of images of any size.
    pub fn new(title: &str, rows: &[Vec<crate::image::RgbImage>]) -> Result<Self> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
        let size = (columns * (CELL + SPACE) + SPACE + GAP, rows.len() as u32 * (CELL + SPACE) + SPACE);
        let mut picture = RgbImage::from_pixel(size.0, size.1, Rgb([255; 3]));
        for (row, images) in rows.iter().enumerate() {
            for (column, image) in images.iter().enumerate() {
                let image = fitted(image);
                let apart = if column == 0 { 0 } else { GAP };
                let left = SPACE + apart + column as u32 * (CELL + SPACE) + (CELL - image.width()) / 2;
                let top = SPACE + row as u32 * (CELL + SPACE) + (CELL - image.height()) / 2;
                overlay(&mut picture, &image, left.into(), top.into());
            }
        }
        let picture = crate::image::RgbImage::new(size.0, size.1, picture.into_raw())?;
        Ok(Self { title: title.to_owned(), png: picture.to_png()?, picture })
    }

    pub(super) fn picture(&self) -> &crate::image::RgbImage {
        &self.picture
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.picture.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.picture.height()
    }
}

/// An image as large as a cell, in its own proportions. Small ones keep their pixels visible.
fn fitted(image: &crate::image::RgbImage) -> RgbImage {
    let (width, height) = (image.width(), image.height());
    let pixels = RgbImage::from_raw(width, height, image.pixels().to_vec()).expect("three bytes a pixel");
    let longer = width.max(height);
    let side =
        |side: u32| ((u64::from(side) * u64::from(CELL) + u64::from(longer) / 2) / u64::from(longer)).max(1) as u32;
    let filter = if longer < CELL { FilterType::Nearest } else { FilterType::Triangle };
    resize(&pixels, side(width), side(height), filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_any_shape_stand_in_their_cells() {
        let filled = |width: u32, height: u32, level: u8| {
            let pixels = vec![level; (3 * width * height) as usize];
            crate::image::RgbImage::new(width, height, pixels).unwrap()
        };
        let rows = vec![vec![filled(2, 2, 10), filled(300, 150, 20)], vec![filled(1, 500, 30)]];
        let grid = Grid::new("t", &rows).unwrap();
        assert_eq!((grid.width(), grid.height()), (2 * 118 + 6 + 18, 2 * 118 + 6));
        let picture = image::load_from_memory(&grid.png).unwrap().into_rgb8();
        let level = |x: u32, y: u32| picture.get_pixel(x, y).0[0];
        assert_eq!((level(6, 6), level(117, 117), level(5, 6)), (10, 10, 255));
        // Half as high as wide: white above and below.
        assert_eq!((level(6 + 18 + 118, 7), level(6 + 18 + 118, 6 + 56)), (255, 20));
        // One pixel wide, in the middle.
        assert_eq!((level(6 + 55, 6 + 118 + 50), level(7, 6 + 118 + 50)), (30, 255));
    }
}
