//! Line plots as SVG.

use std::io;
use std::ops::Range;

use crate::error::{Blame, Blamed};
pub use crate::metrics::{Curve, Panel, Style};
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

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
pub struct PlotError(#[from] DrawingAreaErrorKind<io::Error>);

impl Blamed for PlotError {
    fn blame(&self) -> Blame {
        Blame::Bug
    }
}

/// Draws panels, two a row.
pub fn svg(panels: &[Panel]) -> Result<String, PlotError> {
    let columns = panels.len().clamp(1, 2);
    let rows = panels.len().div_ceil(columns).max(1);
    let mut text = String::new();
    {
        let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32);
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
            draw(area, panel)?;
        }
        root.present()?;
    }
    Ok(text)
}

fn draw(area: &DrawingArea<SVGBackend<'_>, Shift>, panel: &Panel) -> Result<(), PlotError> {
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
        .caption(&panel.title, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(34)
        .y_label_area_size(52)
        .build_cartesian_2d(x_range, y_range.clone())?;
    chart
        .configure_mesh()
        .x_desc(&panel.x_label)
        .x_labels(7)
        .y_labels(7)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for (curve, colour) in panel.curves.iter().zip(COLOURS.into_iter().cycle()) {
        // The legend names a curve once, however many gaps it has.
        let key = move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2));
        match curve.style {
            Style::Line => {
                let mut pieces = pieces(&curve.points, &y_range).into_iter();
                let first = pieces.next().unwrap_or_default();
                let series = chart.draw_series(LineSeries::new(first, colour.stroke_width(2)))?;
                series.label(&curve.label).legend(key);
                for piece in pieces {
                    chart.draw_series(LineSeries::new(piece, colour.stroke_width(2)))?;
                }
            }
            Style::Dots => {
                let dots = curve.points.iter().map(|&point| Circle::new(point, 2, colour.mix(0.45).filled()));
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
