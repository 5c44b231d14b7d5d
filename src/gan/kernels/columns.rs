//! Images unrolled into columns, so that a convolution is a matrix product.
//!
//! Column (image, y, x) of the K×B matrix holds the K = channels·kernel values that position (y, x) of the feature map
//! is connected to; padding reads as zero.

use std::ops::Range;

use super::convolution::Geometry;
use crate::gan::real::Real;

/// The part of a row of the feature map that reads inside the image, for one column of the kernel.
struct Span {
    /// Positions of the feature map whose reading falls inside the image.
    inside: Range<usize>,
    /// Where the first of them reads.
    start: usize,
}

fn span(kernel_x: usize, geometry: &Geometry) -> Span {
    let Geometry { stride, padding, .. } = *geometry;
    let (image, map) = (geometry.image[2], geometry.map[2]);
    let first = padding.saturating_sub(kernel_x).div_ceil(stride).min(map);
    // The last reading x·stride + kernel_x − padding is below the width.
    let end = (image + padding).saturating_sub(kernel_x).div_ceil(stride).min(map).max(first);
    Span { inside: first..end, start: (first * stride + kernel_x).saturating_sub(padding) }
}

/// The row of the image that a row of the feature map reads, unless it lies in the padding.
fn image_row(map_row: usize, kernel_y: usize, geometry: &Geometry) -> Option<usize> {
    (map_row * geometry.stride + kernel_y).checked_sub(geometry.padding).filter(|&row| row < geometry.image[1])
}

/// Calls `visit(row of the matrix, channel, kernel_y, span)` for every row of the column matrix.
fn for_each_row(geometry: &Geometry, mut visit: impl FnMut(usize, usize, usize, &Span)) {
    let [kernel_height, kernel_width] = geometry.kernel;
    let spans: Vec<_> = (0..kernel_width).map(|kernel_x| span(kernel_x, geometry)).collect();
    let mut row = 0;
    for channel in 0..geometry.image[0] {
        for kernel_y in 0..kernel_height {
            for span in &spans {
                visit(row, channel, kernel_y, span);
                row += 1;
            }
        }
    }
}

/// Fills the column matrix of whole images, for some rows of their feature maps.
pub fn unroll<T: Real>(images: &[T], geometry: &Geometry, rows: Range<usize>, columns: &mut [T]) {
    let [_, height, width] = geometry.image;
    let (image_len, map_width) = (geometry.image_len(), geometry.map[2]);
    let count = images.len() / image_len;
    let row_len = count * rows.len() * map_width;
    for_each_row(geometry, |row, channel, kernel_y, span| {
        let mut segments = columns[row * row_len..][..row_len].chunks_exact_mut(map_width);
        for image in images.chunks_exact(image_len) {
            let plane = &image[channel * height * width..][..height * width];
            for (map_row, segment) in rows.clone().zip(&mut segments) {
                let Some(image_row) = image_row(map_row, kernel_y, geometry) else {
                    segment.fill(T::ZERO);
                    continue;
                };
                segment[..span.inside.start].fill(T::ZERO);
                segment[span.inside.end..].fill(T::ZERO);
                let source = &plane[image_row * width..][..width];
                read_strided(&mut segment[span.inside.clone()], source, span.start, geometry.stride);
            }
        }
    });
}

/// Adds the column matrix back to where [`unroll`] read it from: the transpose of that linear map.
pub fn add_rolled<T: Real>(columns: &[T], geometry: &Geometry, rows: Range<usize>, images: &mut [T]) {
    let [_, height, width] = geometry.image;
    let (image_len, map_width) = (geometry.image_len(), geometry.map[2]);
    let count = images.len() / image_len;
    let row_len = count * rows.len() * map_width;
    for_each_row(geometry, |row, channel, kernel_y, span| {
        let mut segments = columns[row * row_len..][..row_len].chunks_exact(map_width);
        for image in images.chunks_exact_mut(image_len) {
            let plane = &mut image[channel * height * width..][..height * width];
            for (map_row, segment) in rows.clone().zip(&mut segments) {
                let Some(image_row) = image_row(map_row, kernel_y, geometry) else { continue };
                let target = &mut plane[image_row * width..][..width];
                add_strided(target, &segment[span.inside.clone()], span.start, geometry.stride);
            }
        }
    });
}

/// `to[i] = from[start + i·stride]`; strides of one and two in a form that becomes vector instructions.
fn read_strided<T: Real>(to: &mut [T], from: &[T], start: usize, stride: usize) {
    if to.is_empty() {
        return;
    }
    let from = &from[start..];
    match stride {
        1 => to.copy_from_slice(&from[..to.len()]),
        2 => {
            let (pairs, rest) = from.as_chunks::<2>();
            to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair[0]);
            if to.len() > pairs.len() {
                to[pairs.len()] = rest[0];
            }
        }
        _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = from),
    }
}

/// `to[start + i·stride] += from[i]`.
fn add_strided<T: Real>(to: &mut [T], from: &[T], start: usize, stride: usize) {
    if from.is_empty() {
        return;
    }
    let to = &mut to[start..];
    match stride {
        1 => to.iter_mut().zip(from).for_each(|(to, &from)| *to += from),
        2 => {
            let (pairs, rest) = to.as_chunks_mut::<2>();
            pairs.iter_mut().zip(from).for_each(|(pair, &from)| pair[0] += from);
            if from.len() > pairs.len() {
                rest[0] += from[pairs.len()];
            }
        }
        _ => to.iter_mut().step_by(stride).zip(from).for_each(|(to, &from)| *to += from),
    }
}
