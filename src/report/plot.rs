//! Line plots as SVG and as PNG.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::bitmap::Bitmap;
use crate::error::{Blame, Blamed};
use crate::image::RgbImage;
pub use crate::metrics::{Curve, Panel, Style};
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Pixels of a PNG in the place of one of an SVG, which has no resolution.
const RESOLUTION: u32 = 2;
/// What an SVG asks for; a PNG has its own font.
const FONT: &str = "sans-serif";
const CAPTION: u32 = 16;
const LABEL: u32 = 12;

/// Width and height of a panel, in pixels.
pub const PANEL: (u32, u32) = (480, 320);
const COLOURS: [RGBColor; 4] =
    [RGBColor(31, 119, 180), RGBColor(214, 39, 40), RGBColor(44, 160, 44), RGBColor(148, 103, 189)];
/// What lies further from the middle nine tenths of all values than this many times their span is cut off: a curve that
/// goes to infinity must not flatten the others.
const WIDEST: f64 = 2.0;
const MARGIN: f64 = 0.06;
/// Width of a bar; bars stand at distance one.
const BAR: f64 = 0.7;

/// The drawing library failed on a drawing in memory.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the plot: {0}; please report this")]
pub struct PlotError(String);

impl PlotError {
    pub(super) fn new(reason: &dyn std::error::Error) -> Self {
        PlotError(reason.to_string())
    }
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PlotError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        PlotError(error.to_string())
    }
}

impl Blamed for PlotError {
    fn blame(&self) -> Blame {
        Blame::Bug
    }
}

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines and text, sharp at every size.
    Svg,
    /// Pixels, for documents and mails that know nothing else.
    Png,
}

impl Format {
    /// The format that the name of a file asks for, SVG for one without an extension, such as that of a pipe.
    ///
    /// # Errors
    /// [`FormatError`] for other extensions.
    pub fn of(path: &Path) -> Result<Self, FormatError> {
        let Some(extension) = path.extension() else { return Ok(Format::Svg) };
        let formats = [("svg", Format::Svg), ("png", Format::Png)];
        let found =
            formats.into_iter().find_map(|(name, format)| extension.eq_ignore_ascii_case(name).then_some(format));
        found.ok_or_else(|| FormatError(path.to_owned()))
    }
}

/// A picture would not be what the name of its file says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pictures are SVG or PNG, and {} names another format: choose a name that ends in .svg or .png", .0.display())]
pub struct FormatError(PathBuf);

impl Blamed for FormatError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Draws panels, two a row, as the content of a file.
pub fn picture(panels: &[Panel], format: Format) -> crate::Result<Vec<u8>> {
    Ok(match format {
        Format::Svg => svg(panels)?.into_bytes(),
        Format::Png => pixels(panels)?.to_png()?,
    })
}

/// Draws panels, two a row.
pub fn svg(panels: &[Panel]) -> Result<String, PlotError> {
    let mut text = String::new();
    draw_all(SVGBackend::with_string(&mut text, size(panels, 1)), panels, 1)?;
    Ok(text)
}

/// Draws panels, two a row, as pixels.
pub(super) fn pixels(panels: &[Panel]) -> Result<RgbImage, PlotError> {
    let (width, height) = size(panels, RESOLUTION);
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    draw_all(Bitmap::new(&mut pixels, (width, height))?, panels, RESOLUTION)?;
    Ok(RgbImage::new(width, height, pixels).expect("three bytes a pixel"))
}

/// A line of text as wide as what it stands above, as pixels.
pub(super) fn line(text: &str, width: u32) -> Result<RgbImage, PlotError> {
    let height = RESOLUTION * (LABEL + 14);
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    let area = Bitmap::new(&mut pixels, (width, height))?.into_drawing_area();
    area.fill(&WHITE)?;
    area.draw(&Text::new(text, (10, (RESOLUTION * 7) as i32), (FONT, RESOLUTION * LABEL)))?;
    area.present()?;
    drop(area);
    Ok(RgbImage::new(width, height, pixels).expect("three bytes a pixel"))
}

/// Columns and rows of so many panels.
fn layout(panels: &[Panel]) -> (usize, usize) {
    let columns = panels.len().clamp(1, 2);
    (columns, panels.len().div_ceil(columns).max(1))
}

fn size(panels: &[Panel], scale: u32) -> (u32, u32) {
    let (columns, rows) = layout(panels);
    (scale * PANEL.0 * columns as u32, scale * PANEL.1 * rows as u32)
}

fn draw_all<B: DrawingBackend>(backend: B, panels: &[Panel], scale: u32) -> Result<(), PlotError> {
    let (columns, rows) = layout(panels);
    let root = backend.into_drawing_area();
    root.fill(&WHITE)?;
    for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
        draw(area, panel, scale)?;
    }
    Ok(root.present()?)
}

fn draw<B: DrawingBackend>(area: &DrawingArea<B, Shift>, panel: &Panel, scale: u32) -> Result<(), PlotError> {
    let label = (FONT, scale * LABEL);
    let points = || panel.curves.iter().flat_map(|curve| &curve.points);
    let x_range = widened(extent(points().map(|point| point.0)));
    let mut y_extent = readable_extent(points().map(|point| point.1));
    if panel.curves.iter().any(|curve| curve.style == Style::Bars) {
        y_extent = y_extent.start.min(0.0)..y_extent.end.max(0.0);
    }
    // What stands for one image each is shown whole.
    if panel.curves.iter().any(|curve| curve.style == Style::Dots) {
        y_extent = extent(points().map(|point| point.1));
    }
    let mut y_range = widened(y_extent);
    if panel.curves.len() > 1 {
        y_range.end += room_for_legend(panel.curves.len()) * (y_range.end - y_range.start);
    }
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, (FONT, scale * CAPTION))
        .margin(10 * scale)
        .x_label_area_size(34 * scale)
        .y_label_area_size(52 * scale)
        .build_cartesian_2d(x_range, y_range.clone())?;
    chart
        .configure_mesh()
        .x_desc(&panel.x_label)
        .x_labels(7)
        .y_labels(7)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12).stroke_width(scale))
        .axis_style(BLACK.stroke_width(scale))
        .label_style(label)
        .axis_desc_style(label)
        .draw()?;
    for (curve, colour) in panel.curves.iter().zip(COLOURS.into_iter().cycle()) {
        // The legend names a curve once, however many gaps it has.
        let stroke = colour.stroke_width(2 * scale);
        let key = move |(x, y)| PathElement::new([(x, y), (x + 16 * scale as i32, y)], stroke);
        match curve.style {
            Style::Line => {
                let mut pieces = pieces(&curve.points, &y_range).into_iter();
                let first = pieces.next().unwrap_or_default();
                let series = chart.draw_series(LineSeries::new(first, stroke))?;
                series.label(&curve.label).legend(key);
                for piece in pieces {
                    chart.draw_series(LineSeries::new(piece, stroke))?;
                }
            }
            Style::Dots => {
                let dots = curve.points.iter().map(|&point| Circle::new(point, 2 * scale, colour.mix(0.45).filled()));
                chart.draw_series(dots)?.label(&curve.label).legend(key);
            }
            Style::Bars => {
                let bars = curve.points.iter().map(|&(x, y)| {
                    Rectangle::new([(x - BAR / 2.0, 0.0), (x + BAR / 2.0, y)], colour.mix(0.7).filled())
                });
                chart.draw_series(bars)?.label(&curve.label).legend(key);
            }
        }
    }
    if panel.curves.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .label_font(label)
            .legend_area_size(30 * scale)
            .margin(10 * scale)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    Ok(())
}

/// The label of a tick: whole numbers as such, and no zero that rounding made negative.
fn tick(value: &f64) -> String {
    let label = <RangedCoordf64 as ValueFormatter<f64>>::format(value);
    let label = label.strip_suffix(".0").unwrap_or(&label);
    if label == "-0" { "0".into() } else { label.into() }
}

/// Height of a legend of so many lines above what it would cover otherwise, as a share of the curves' own height.
fn room_for_legend(lines: usize) -> f64 {
    /// Pixels inside the axes, of a line of the legend, and of its border.
    const INSIDE: f64 = 242.0;
    const LINE: f64 = 15.0;
    const BORDER: f64 = 24.0;
    let legend = (LINE * lines as f64 + BORDER).min(INSIDE / 2.0);
    legend / (INSIDE - legend)
}

fn extent(values: impl Iterator<Item = f64>) -> Range<f64> {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low <= high { low..high } else { 0.0..1.0 }
}

fn readable_extent(values: impl Iterator<Item = f64>) -> Range<f64> {
    let mut finite: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    let all = extent(finite.iter().copied());
    let Some(last) = finite.len().checked_sub(1) else { return all };
    let (low, high) = (finite[last / 20], finite[last - last / 20]);
    let reach = WIDEST * (high - low);
    all.start.max(low - reach)..all.end.min(high + reach)
}

fn widened(range: Range<f64>) -> Range<f64> {
    let span = range.end - range.start;
    let margin = if span > 0.0 { MARGIN * span } else { 0.5 };
    range.start - margin..range.end + margin
}

/// The parts of a line that lie inside the range.
fn pieces(points: &[(f64, f64)], range: &Range<f64>) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clipped(pair[0], pair[1], range) else { continue };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

fn clipped(a: (f64, f64), b: (f64, f64), range: &Range<f64>) -> Option<((f64, f64), (f64, f64))> {
    let outside = |y: f64| y < range.start || y > range.end;
    let same_side = (a.1 < range.start && b.1 < range.start) || (a.1 > range.end && b.1 > range.end);
    if !a.1.is_finite() || !b.1.is_finite() || same_side {
        return None;
    }
    let moved = |point: (f64, f64)| {
        if !outside(point.1) {
            return point;
        }
        let y = point.1.clamp(range.start, range.end);
        (a.0 + (b.0 - a.0) * ((y - a.1) / (b.1 - a.1)), y)
    };
    Some((moved(a), moved(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_the_panel_does() {
        let points = [(0.0, 0.0), (1.0, 4.0), (2.0, 0.0), (3.0, f64::INFINITY), (4.0, 1.0), (5.0, 1.5)];
        let inside = pieces(&points, &(-1.0..2.0));
        assert_eq!(inside, [vec![(0.0, 0.0), (0.5, 2.0)], vec![(1.5, 2.0), (2.0, 0.0)], vec![(4.0, 1.0), (5.0, 1.5)]]);
    }

    #[test]
    fn a_pole_does_not_flatten_the_rest() {
        let values = (1..=200).map(|k| 200.0 / f64::from(k));
        let range = readable_extent(values);
        assert!(range.start == 1.0 && range.end < 70.0, "{range:?}");
        assert_eq!(readable_extent([f64::NAN].into_iter()), 0.0..1.0);
        assert_eq!(widened(2.0..2.0), 1.5..2.5);
    }

    #[test]
    fn ticks_are_written_as_short_as_they_can_be() {
        for (value, label) in [(500.0, "500"), (0.25, "0.25"), (-1e-30, "0"), (-2.5, "-2.5")] {
            assert_eq!(tick(&value), label);
        }
    }

    #[test]
    fn pictures_hold_titles_and_legends() {
        let curve = |label: &str| Curve::line(label, vec![(0.0, 1.0), (1.0, 2.0)]);
        let panel = Panel {
            title: "two lines".to_owned(),
            x_label: "x".to_owned(),
            curves: vec![curve("first"), curve("second")],
        };
        let picture = svg(&[panel.clone(), panel]).unwrap();
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
        for text in ["two lines", "first", "second"] {
            assert_eq!(picture.matches(text).count(), 2, "{text}");
        }
    }

    #[test]
    fn a_png_has_the_lines_and_the_text() {
        let curve = Curve::line("first", vec![(0.0, 1.0), (1.0, 2.0)]);
        let panel =
            |title: &str| Panel { title: title.to_owned(), x_label: "x".to_owned(), curves: vec![curve.clone()] };
        let drawn = pixels(&[panel("with χ² and ‖"), panel("")]).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (4 * PANEL.0, 2 * PANEL.1));
        let dark_in = |left: usize| {
            let rows = drawn.pixels().chunks(3 * drawn.width() as usize).take(60);
            let pixels = rows.flat_map(|row| row[3 * left..3 * (left + 960)].chunks(3));
            pixels.filter(|pixel| pixel.iter().all(|level| *level < 128)).count()
        };
        // The title stands in the first panel alone, above what both have of their axes.
        assert!(dark_in(0) > 100 + dark_in(960), "{} {}", dark_in(0), dark_in(960));
        let blue = |pixel: &[u8]| pixel == [31, 119, 180];
        assert!(drawn.pixels().chunks(3).filter(|pixel| blue(pixel)).count() > 500);
        let file = picture(&[panel("a")], Format::Png).unwrap();
        assert!(file.starts_with(b"\x89PNG"));
    }

    #[test]
    fn names_tell_the_format() {
        let of = |name: &str| Format::of(Path::new(name));
        assert_eq!([of("a.svg"), of("a.PNG"), of("/dev/stdout")], [Ok(Format::Svg), Ok(Format::Png), Ok(Format::Svg)]);
        assert_eq!(of("a.pdf"), Err(FormatError("a.pdf".into())));
    }

    #[test]
    fn every_point_has_a_dot_and_every_value_a_bar() {
        let points = vec![(0.0, 1.0), (1.0, 2.0), (2.0, 9.0)];
        let panel = |style| Panel {
            title: "t".to_owned(),
            x_label: "x".to_owned(),
            curves: vec![Curve { label: "c".to_owned(), points: points.clone(), style }],
        };
        assert_eq!(svg(&[panel(Style::Dots)]).unwrap().matches("<circle").count(), 3);
        // One rectangle more is the background.
        assert_eq!(svg(&[panel(Style::Bars)]).unwrap().matches("<rect").count(), 4);
    }
}
