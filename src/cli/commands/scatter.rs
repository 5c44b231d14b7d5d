//! Points as a picture: those of the data on the left, generated ones on the right, in the same axes.

use std::io;

use super::generate::Shape;
use super::generate::pixels::encode;

/// Side of each of both plots, in pixels.
const SIDE: usize = 360;
/// White pixels between them.
const GAP: usize = 8;
/// Share of the extent of the data that is left around it: generated points need not be where the data are.
const MARGIN: f64 = 0.25;
/// How much of the background a point leaves, a channel: many points on one place are darker than one.
const REAL: [f64; 3] = [0.35, 0.6, 0.8];
const GENERATED: [f64; 3] = [0.85, 0.45, 0.4];

/// A PNG of points of `dimensions` numbers each, by the first two of them; where there is one, by it alone.
pub fn png(dimensions: usize, real: &[f32], generated: &[f32]) -> io::Result<Vec<u8>> {
    let axes = [0, 1.min(dimensions - 1)];
    let ranges = axes.map(|axis| widened(real.iter().skip(axis).step_by(dimensions)));
    let width = 2 * SIDE + GAP;
    let mut canvas = vec![1.0; width * SIDE * 3];
    for (points, left, ink) in [(real, 0, REAL), (generated, SIDE + GAP, GENERATED)] {
        for point in points.chunks_exact(dimensions) {
            let place = |axis: usize| {
                let [low, high] = ranges[axis];
                let share = (f64::from(point[axes[axis]]) - low) / (high - low);
                (0.0..1.0).contains(&share).then_some((share * SIDE as f64) as usize)
            };
            let (Some(x), Some(y)) = (place(0), place(1)) else { continue };
            // Up is more.
            dot(&mut canvas, width, [left + x, SIDE - 1 - y], left..left + SIDE, ink);
        }
    }
    for row in 0..SIDE {
        canvas[(row * width + SIDE) * 3..][..GAP * 3].fill(0.75);
    }
    let pixels: Vec<u8> = canvas.iter().map(|share: &f64| (share * 255.0).round() as u8).collect();
    encode(&pixels, Shape { images: 1, channels: 3, height: SIDE, width })
}

/// Two by two pixels, within the columns of a plot.
fn dot(canvas: &mut [f64], width: usize, [x, y]: [usize; 2], columns: std::ops::Range<usize>, ink: [f64; 3]) {
    for (column, row) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
        if columns.contains(&column) && row < SIDE {
            let pixel = &mut canvas[(row * width + column) * 3..][..3];
            pixel.iter_mut().zip(ink).for_each(|(value, ink)| *value *= ink);
        }
    }
}

/// From the least to the largest value, with a margin.
fn widened<'a>(values: impl Iterator<Item = &'a f32>) -> [f64; 2] {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
        (low.min(value.into()), high.max(value.into()))
    });
    // Where all are the same there is no extent to take a share of.
    let margin = if high > low { MARGIN * (high - low) } else { 1.0 };
    [low - margin, high + margin]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_they_are_and_strangers_are_left_out() {
        let real = [0.0, 0.0, 1.0, 1.0];
        let png = png(2, &real, &[0.5, 0.5, 99.0, 0.0]).unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (2 * SIDE as u32 + GAP as u32, SIDE as u32));
        let inked = |x0: usize, x1: usize| {
            let count = (x0 as u32..x1 as u32).flat_map(|x| (0..SIDE as u32).map(move |y| (x, y)));
            count.filter(|&(x, y)| picture.get_pixel(x, y).0 != [255; 3]).count()
        };
        assert_eq!((inked(0, SIDE), inked(SIDE + GAP, 2 * SIDE + GAP)), (8, 4));
        // (0, 0) is a sixth of the way in from the left and from below, of a plot that is half as wide again as the data.
        let sixth = (SIDE / 6) as u32;
        assert_ne!(picture.get_pixel(sixth, SIDE as u32 - 1 - sixth).0, [255; 3]);
        assert_ne!(picture.get_pixel((SIDE + GAP + SIDE / 2) as u32, SIDE as u32 - 1 - (SIDE / 2) as u32).0, [255; 3]);
    }

    #[test]
    fn one_number_a_point_is_drawn_too() {
        assert!(png(1, &[0.0, 0.0], &[1.0]).is_ok());
    }
}
