//! What a score found: its numbers, and whatever else reports show.

use serde::Serialize;
use serde_json::Value as Json;

use super::error::Set;
use super::score::{About, Quantity};

/// A number of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The number; not finite when the arithmetic failed.
    pub value: f64,
    /// A standard deviation or error that belongs to the definition of the score.
    pub spread: Option<f64>,
    /// How it was computed, in a few words.
    pub note: Option<String>,
    /// Smallest and largest value that it can have in this definition and of these sets.
    pub range: [f64; 2],
}

/// A number as people read it: six decimals, or its leading digits where these would show none or too many.
pub fn readable(number: f64) -> String {
    if number == 0.0 || (1e-5..1e15).contains(&number.abs()) { format!("{number:.6}") } else { format!("{number:.6e}") }
}

/// A reason to be careful with a score.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Caution {
    /// It is a Fréchet distance of features of this dimension: biased upwards for few images.
    FewImages {
        /// Dimension of the features.
        dim: usize,
    },
    /// It depends on the numbers of images of both sets.
    NumberOfImages,
    /// It is a difference of numbers so large that it may be nothing but their rounding.
    Rounding {
        /// How large the rounding may be.
        error: f64,
    },
    /// A covariance had a negative eigenvalue beyond rounding, which was taken as zero.
    Clipped {
        /// Whose covariance.
        set: Set,
        /// The eigenvalue.
        eigenvalue: f64,
    },
    /// The ball of some images is a point, since as many copies of them as it reaches to are in their own set.
    Copies {
        /// Whose images.
        set: Set,
        /// How many.
        images: usize,
    },
    /// It is of images in their order, which are sorted by class.
    SortedByClass,
    /// It is of each class, and no class is in both sets.
    NoCommonClass,
}

/// Rows that belong to a score, such as its classes: for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What its rows are.
    pub title: String,
    /// Titles of its columns.
    pub columns: Vec<&'static str>,
    /// The rows: text as it came, which may hold anything that a file can be called.
    pub rows: Vec<Vec<String>>,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A line through its points in order, with gaps where y is not finite.
    Line,
    /// A dot for each point.
    Dots,
    /// A bar from zero to each point.
    Bars,
}

/// A curve of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What the legend calls it.
    pub label: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub style: Style,
}

impl Curve {
    /// Points joined by a line.
    pub fn line(label: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { label: label.into(), points, style: Style::Line }
    }
}

/// Curves that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// What the horizontal axis is.
    pub x_label: String,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// What a score found.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its object in the JSON report.
    pub json: Json,
    /// One number for each of its quantities, in their order.
    pub numbers: Vec<Number>,
    /// Lines that explain the numbers; in text they stand for the table, where there are both.
    pub details: Vec<String>,
    /// Reasons to be careful.
    pub cautions: Vec<Caution>,
    /// Rows, where it has many results.
    pub table: Option<Table>,
    /// What there is to draw.
    pub panels: Vec<Panel>,
}

/// A result and the definition that it follows.
#[derive(Serialize)]
struct Defined<'a, S, D> {
    #[serde(flatten)]
    score: &'a S,
    definition: &'a D,
}

impl Value {
    /// A result by itself. The numbers are the fields of its JSON object that the quantities name.
    pub fn new(about: &About, result: &impl Serialize) -> Self {
        let json = serde_json::to_value(result).expect("a result holds only plain values");
        let number = |quantity: &Quantity| {
            // JSON has no number that is not finite.
            let value = json[quantity.field].as_f64().unwrap_or(f64::NAN);
            Number { value, spread: None, note: None, range: quantity.range }
        };
        let numbers = about.quantities.iter().map(number).collect();
        Self { json, numbers, details: Vec::new(), cautions: Vec::new(), table: None, panels: Vec::new() }
    }

    /// A result and the definition that it follows.
    pub fn defined(about: &About, score: &impl Serialize, definition: &impl Serialize) -> Self {
        Self::new(about, &Defined { score, definition })
    }

    /// Adds a deviation to the first number.
    pub fn spread(mut self, spread: impl Into<Option<f64>>) -> Self {
        self.numbers[0].spread = spread.into();
        self
    }

    /// Adds to one of the numbers how it was computed.
    pub fn note(mut self, number: usize, note: impl Into<String>) -> Self {
        self.numbers[number].note = Some(note.into());
        self
    }

    /// Narrows what the first number can be.
    pub fn range(mut self, range: [f64; 2]) -> Self {
        self.numbers[0].range = range;
        self
    }

    /// Adds a line that explains the numbers.
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds a reason to be careful.
    pub fn caution(mut self, caution: Caution) -> Self {
        self.cautions.push(caution);
        self
    }

    /// Adds that some images of a set have copies in it, where there are any.
    pub(super) fn caution_of_copies(self, set: Set, images: usize) -> Self {
        if images > 0 { self.caution(Caution::Copies { set, images }) } else { self }
    }

    /// Adds rows.
    pub fn table(mut self, table: Table) -> Self {
        self.table = Some(table);
        self
    }

    /// Adds something to draw.
    pub fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn numbers_show_digits_at_every_size() {
        for (number, text) in [
            (0.0, "0.000000"),
            (2.25713, "2.257130"),
            (-0.000265, "-0.000265"),
            (8e-60, "8.000000e-60"),
            (-1.5e-6, "-1.500000e-6"),
            (1e200, "1.000000e200"),
        ] {
            assert_eq!(readable(number), text);
        }
    }
}
