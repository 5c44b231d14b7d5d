//! A canvas of pixels for the drawing library, whose own one asks the system for a font: this one brings it along.

use std::convert::Infallible;

use ab_glyph::{Font, FontRef, Glyph, InvalidFont, PxScale, ScaleFont, point};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use super::plot::PlotError;

/// The size of a font in the drawing library, in units of that of its SVGs.
const SIZE_IN_SVG: f32 = 1.24;

/// Pixels, three bytes each, row by row.
pub(super) struct Bitmap<'a> {
    pixels: &'a mut [u8],
    size: (u32, u32),
    font: FontRef<'static>,
}

impl<'a> Bitmap<'a> {
    /// # Errors
    /// [`PlotError`] when the font cannot be read.
    pub fn new(pixels: &'a mut [u8], size: (u32, u32)) -> Result<Self, PlotError> {
        let font = FontRef::try_from_slice(dejavu::sans::regular());
        Ok(Bitmap { pixels, size, font: font.map_err(|error: InvalidFont| PlotError::new(&error))? })
    }
}

impl DrawingBackend for Bitmap<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Result<(), DrawingErrorKind<Infallible>> {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return Ok(()) };
        if x < self.size.0 && y < self.size.1 {
            let start = 3 * (y as usize * self.size.0 as usize + x as usize);
            let rgb = [color.rgb.0, color.rgb.1, color.rgb.2];
            for (level, new) in self.pixels[start..start + 3].iter_mut().zip(rgb) {
                let (old, new) = (f64::from(*level), f64::from(new));
                *level = (old + color.alpha * (new - old)).round().clamp(0.0, 255.0) as u8;
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        place: BackendCoord,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let font = self.font.clone();
        // The size of a font is that of its square; this library counts from the highest stroke to the lowest.
        let square = font.units_per_em().unwrap_or(1.0);
        let size = style.size() as f32 / SIZE_IN_SVG * font.height_unscaled() / square;
        let scaled = font.as_scaled(PxScale::from(size));
        let (mut right, mut glyphs) = (0.0, Vec::<Glyph>::new());
        for letter in text.chars() {
            let id = scaled.glyph_id(letter);
            right += glyphs.last().map_or(0.0, |last| scaled.kern(last.id, id));
            glyphs.push(id.with_scale_and_position(size, point(right, scaled.ascent())));
            right += scaled.h_advance(id);
        }
        let anchor = style.anchor();
        let left = match anchor.h_pos {
            HPos::Left => 0.0,
            HPos::Center => -0.5 * right,
            HPos::Right => -right,
        };
        let top = match anchor.v_pos {
            VPos::Top => 0.0,
            VPos::Center => -0.5 * scaled.height(),
            VPos::Bottom => -scaled.height(),
        };
        let (transform, color) = (style.transform(), style.color());
        for outlined in glyphs.into_iter().filter_map(|glyph| font.outline_glyph(glyph)) {
            let bounds = outlined.px_bounds();
            let (left, top) = ((left + bounds.min.x).round() as i32, (top + bounds.min.y).round() as i32);
            outlined.draw(|x, y, coverage| {
                let (x, y) = transform.transform(left + x as i32, top + y as i32);
                let color = BackendColor { alpha: color.alpha * f64::from(coverage), ..color };
                let drawn = self.draw_pixel((place.0 + x, place.1 + y), color);
                drawn.expect("drawing a pixel in memory cannot fail");
            });
        }
        Ok(())
    }
}
