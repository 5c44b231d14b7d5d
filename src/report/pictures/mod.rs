//! Pictures of two sets, for those who prefer to look.

pub(super) mod data_uri;
mod grid;

use std::borrow::Cow;
use std::fmt::Write;

use super::html::escaped;
use super::plot::{self, Curve, Format, PANEL, Panel, Style};
use crate::Result;
use crate::evaluate::{Evaluated, MeasuredSet};
use crate::image::{DataSet, RgbImage};
use crate::interrupt::Interrupt;
use crate::linalg::eigenvalues;
use crate::metrics::nearest_real;
use crate::metrics::principal::principal_until;
use crate::score::{Need, Scores, SetData};
use crate::stats::Gaussian;
use data_uri::data_uri;
pub use grid::Grid;

/// What pictures show of both sets.
pub const NEEDS: [Need; 2] = [Need::Statistics, Need::Features];

/// Images of a set that are shown as dots at most; more make a picture larger, not clearer.
const DOTS: usize = 2000;
/// Generated images that a grid shows, and real ones beside each.
const ROWS: usize = 8;
const NEIGHBOURS: usize = 5;

/// The pictures of a job.
pub struct Pictures {
    /// Scatter, spectra, classes, extrapolation: whatever is known of the sets, as SVG; `None` when nothing is.
    pub panels: Option<String>,
    /// Generated images beside the real ones that they resemble most, where both sets are images.
    pub grids: Vec<Grid>,
    charts: Vec<Panel>,
}

impl Pictures {
    /// Draws whatever is known of the sets; nothing without a real one.
    ///
    /// # Errors
    /// Of the decompositions, of reading the images again, and of the interrupt.
    pub fn of(done: &Evaluated, interrupt: &Interrupt) -> Result<Self> {
        let Some(real) = &done.real else { return Ok(Self { panels: None, grids: Vec::new(), charts: Vec::new() }) };
        let charts = panels(&real.measured.data, &done.fake.measured.data, &done.scores, interrupt)?;
        let panels = if charts.is_empty() { None } else { Some(plot::svg(&charts)?) };
        interrupt.check()?;
        let grids = match (real.input.images(), done.fake.input.images()) {
            (Some(real_images), Some(fake_images)) => grids((real_images, real), (fake_images, &done.fake), interrupt)?,
            _ => Vec::new(),
        };
        Ok(Self { panels, grids, charts })
    }

    /// All of them below each other, as the content of a file.
    ///
    /// # Errors
    /// When they cannot be encoded.
    pub fn drawn(&self, format: Format) -> Result<Vec<u8>> {
        Ok(match format {
            Format::Svg => self.svg().into_bytes(),
            Format::Png => self.png()?,
        })
    }

    fn png(&self) -> Result<Vec<u8>> {
        let mut parts: Vec<Cow<'_, RgbImage>> = Vec::new();
        if !self.charts.is_empty() {
            parts.push(Cow::Owned(plot::pixels(&self.charts)?));
        }
        let of_charts = parts.first().map_or(0, |charts| charts.width());
        let width = self.grids.iter().map(Grid::width).fold(of_charts.max(1), u32::max);
        for grid in &self.grids {
            parts.extend([Cow::Owned(plot::line(&grid.title, width)?), Cow::Borrowed(grid.picture())]);
        }
        let mut pixels = Vec::new();
        for part in &parts {
            for row in part.pixels().chunks(3 * part.width() as usize) {
                pixels.extend_from_slice(row);
                pixels.resize(pixels.len() + 3 * width as usize - row.len(), u8::MAX);
            }
        }
        let height = pixels.len() as u32 / (3 * width);
        Ok(RgbImage::new(width, height, pixels)?.to_png()?)
    }

    /// All of them as one SVG.
    pub fn svg(&self) -> String {
        const CAPTION: u32 = 30;
        let panels = self.panels.as_deref().unwrap_or_default();
        let (panels_width, panels_height) = size_of(panels).unwrap_or((2 * PANEL.0, 0));
        let width = self.grids.iter().map(Grid::width).fold(panels_width, u32::max);
        let height = self.grids.iter().map(|grid| grid.height() + CAPTION).fold(panels_height, |sum, part| sum + part);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n{panels}"
        );
        let mut top = panels_height;
        for grid in &self.grids {
            let (grid_width, grid_height) = (grid.width(), grid.height());
            writeln!(
                text,
                "<text x=\"10\" y=\"{}\" font-family=\"sans-serif\" font-size=\"14\">{}</text>\n<image x=\"0\" \
                 y=\"{}\" width=\"{grid_width}\" height=\"{grid_height}\" href=\"{}\"/>",
                top + 20,
                escaped(&grid.title),
                top + CAPTION,
                data_uri(&grid.png)
            )
            .expect("a String takes any text");
            top += CAPTION + grid_height;
        }
        text + "</svg>\n"
    }
}

/// Width and height that an SVG names first.
fn size_of(svg: &str) -> Option<(u32, u32)> {
    let number = |name: &str| {
        let (_, rest) = svg.split_once(&format!("{name}=\""))?;
        rest.split_once('"')?.0.parse().ok()
    };
    Some((number("width")?, number("height")?))
}

fn panels(real: &SetData, fake: &SetData, scores: &Scores, interrupt: &Interrupt) -> Result<Vec<Panel>> {
    let mut panels = Vec::new();
    if let (Some(x), Some(y)) = (&real.features, &fake.features)
        && x.dim() >= 2
    {
        let found = principal_until(x, y, 2, interrupt)?;
        let dots = |label: &str, coordinates: &ndarray::Array2<f64>| {
            let step = coordinates.nrows().div_ceil(DOTS).max(1);
            let points = coordinates.rows().into_iter().step_by(step).map(|row| (row[0], row[1])).collect();
            Curve { label: label.to_owned(), points, style: Style::Dots }
        };
        let share = |component: usize| 100.0 * found.shares[component];
        panels.push(Panel {
            title: "features along their principal components".into(),
            x_label: format!("first ({:.1} % of the variance), second ({:.1} %) upwards", share(0), share(1)),
            curves: vec![dots("real", &found.real), dots("generated", &found.fake)],
        });
    }
    if let (Some(x), Some(y)) = (&real.statistics, &fake.statistics) {
        panels.push(Panel {
            title: "spectra of the covariances".into(),
            x_label: "eigenvalue number; its decimal logarithm upwards".into(),
            curves: vec![spectrum("real", x, interrupt)?, spectrum("generated", y, interrupt)?],
        });
    }
    panels.extend(scores.iter().flat_map(|(_, value)| value.panels.iter().cloned()));
    Ok(panels)
}

/// The eigenvalues that are not zero up to rounding, descending.
fn spectrum(label: &str, set: &Gaussian, interrupt: &Interrupt) -> Result<Curve> {
    let covariance = set.covariance();
    let values = interrupt.deserting(move || eigenvalues(&covariance))??;
    let largest = values.iter().copied().fold(0.0, f64::max);
    let floor = largest * set.dim() as f64 * f64::EPSILON;
    let kept = values.iter().rev().filter(|&&value| value > floor && value > 0.0);
    Ok(Curve::line(label, kept.enumerate().map(|(number, value)| ((number + 1) as f64, value.log10())).collect()))
}

type Images<'a> = (&'a DataSet, &'a MeasuredSet);

/// The generated images farthest from all real ones, and those nearest to one, each with its nearest real ones.
fn grids((real_images, real): Images<'_>, (fake_images, fake): Images<'_>, interrupt: &Interrupt) -> Result<Vec<Grid>> {
    let (real, fake) = (&real.measured, &fake.measured);
    let (Some(x), Some(y)) = (&real.data.features, &fake.data.features) else { return Ok(Vec::new()) };
    let neighbours = nearest_real(x, y, NEIGHBOURS, interrupt)?;
    let mut order: Vec<usize> = (0..neighbours.len()).collect();
    order.sort_by(|&a, &b| neighbours[b][0].distance.total_cmp(&neighbours[a][0].distance).then(a.cmp(&b)));
    let grid = |title: &str, chosen: Vec<usize>| -> Result<Grid> {
        let row = |index: usize| -> Result<_> {
            let mut row = vec![fake_images.load(fake.rows[index])?];
            for found in &neighbours[index] {
                row.push(real_images.load(real.rows[found.index])?);
            }
            Ok(row)
        };
        let rows = chosen.into_iter().map(row).collect::<Result<Vec<_>>>()?;
        Grid::new(title, &rows)
    };
    Ok(vec![
        grid(
            "The generated images farthest from every real one (left), each with its nearest real images",
            order.iter().copied().take(ROWS).collect(),
        )?,
        grid(
            "The generated images nearest to a real one (left), each with its nearest real images",
            order.iter().rev().copied().take(ROWS).collect(),
        )?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn the_size_of_a_drawing_is_read_from_it() {
        assert_eq!(size_of("<svg width=\"960\" height=\"320\" viewBox"), Some((960, 320)));
        assert_eq!(size_of(""), None);
    }

    #[test]
    fn pixels_hold_what_the_svg_holds_each_grid_under_its_caption() {
        let lines = vec![Curve::line("a", vec![(0.0, 0.0), (1.0, 1.0)])];
        let charts = vec![Panel { title: "t".into(), x_label: "x".into(), curves: lines }];
        let gray = RgbImage::new(2, 2, vec![100; 12]).unwrap();
        let grid = Grid::new("which they are", &[vec![gray]]).unwrap();
        let pictures = Pictures { panels: None, grids: vec![grid], charts };
        let picture = image::load_from_memory(&pictures.drawn(Format::Png).unwrap()).unwrap().into_rgb8();
        let (chart, caption, cells) = (2 * PANEL.1, 2 * (12 + 14), 6 + 118);
        assert_eq!((picture.width(), picture.height()), (2 * PANEL.0, chart + caption + cells));
        let darkest = |rows: std::ops::Range<u32>| {
            rows.flat_map(|y| (0..picture.width()).map(move |x| (x, y)))
                .map(|(x, y)| picture.get_pixel(x, y).0[0])
                .min()
        };
        assert!(darkest(chart..chart + caption) < Some(50));
        assert_eq!(darkest(chart + caption..picture.height()), Some(100));
    }

    #[test]
    fn a_spectrum_descends_and_leaves_out_what_is_zero() {
        let set = Gaussian::new(None, array![0.0, 0.0, 0.0], Array2::from_diag(&array![10.0, 0.0, 1000.0])).unwrap();
        let points = spectrum("x", &set, &Interrupt::new()).unwrap().points;
        assert_eq!(points.len(), 2);
        assert!((points[0].1 - 3.0).abs() < 1e-9 && (points[1].1 - 1.0).abs() < 1e-9, "{points:?}");
    }
}
