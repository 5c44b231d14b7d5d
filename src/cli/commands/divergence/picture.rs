//! What `--plot` shows: the generator f and its conjugate f*, both distributions, and what each point contributes.

use std::path::Path;

use crate::divergence::{Density, Distribution, Divergence, Generator, game};

use super::input::{Kind, Pair};
use super::options::ArgumentsError;
use super::{Measure, Plan, WassersteinOrder, compute, line};
use crate::report::plot::{Curve, Format, Panel, Style};

/// Points a curve.
pub(super) const RESOLUTION: usize = 400;
/// Probability that the axis leaves out on either side.
const TAIL: f64 = 1e-3;
/// Entries that are drawn of many: those that contribute most.
const MOST_STEMS: usize = 500;
/// Ratios p/q up to here are shown.
const LARGEST_RATIO: f64 = 4.0;

/// What a picture is of.
#[derive(Debug)]
enum Subject {
    Divergence(Divergence),
    /// W₁ on the line.
    Line,
}

/// A picture that can be drawn.
#[derive(Debug)]
pub(super) struct Picture {
    subject: Subject,
    format: Format,
}

impl Picture {
    /// Checks that there is something to draw of this measure, and that the file can hold it.
    pub fn new(path: &Path, measure: Measure, kind: Kind) -> Result<Self, ArgumentsError> {
        let unavailable = |subject, remedy| ArgumentsError::Unavailable { what: "--plot".to_owned(), subject, remedy };
        let subject = match measure {
            Measure::One(divergence) => Subject::Divergence(divergence),
            Measure::GanValue => Subject::Divergence(Divergence::F(Generator::GAN)),
            Measure::Wasserstein(order)
                if order == WassersteinOrder::ONE && matches!(kind, Kind::Probabilities | Kind::Densities) =>
            {
                Subject::Line
            }
            Measure::All => return Err(unavailable("all divergences at once", "name one")),
            Measure::Test(_) | Measure::MutualInformation => {
                return Err(unavailable("statistics of samples", "it shows f-divergences and affinities"));
            }
            Measure::Wasserstein(_) => {
                return Err(unavailable("this transport distance", "it shows w1 of probabilities and densities"));
            }
        };
        match (&subject, kind) {
            (
                Subject::Divergence(Divergence::Renyi(_) | Divergence::Bhattacharyya),
                Kind::Gaussians | Kind::Mixtures | Kind::Samples,
            ) => Err(unavailable("affinities of samples or Gaussians", "give densities or probabilities")),
            _ => Ok(Self { subject, format: Format::of(path)? }),
        }
    }

    /// What it is written as.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The panels for what the plan computes.
    pub fn panels(&self, plan: &Plan) -> Vec<Panel> {
        let Subject::Divergence(divergence) = self.subject else { return line::panels(plan) };
        let mut panels = match divergence {
            Divergence::F(generator) => vec![generator_panel(generator), conjugate_panel(generator)],
            Divergence::Renyi(_) | Divergence::Bhattacharyya => Vec::new(),
        };
        match &plan.pair {
            Pair::Densities(p, q) => panels.extend(of_densities(plan, divergence, p, q)),
            Pair::Distributions(p, q) => panels.extend(of_probabilities(plan, divergence, p, q)),
            Pair::Gaussians(..) | Pair::Mixtures(..) | Pair::Samples(..) | Pair::Fit(..) => {}
        }
        panels
    }
}

fn sampled(label: &str, (low, high): (f64, f64), f: impl Fn(f64) -> f64) -> Curve {
    let at = |index: usize| low + (high - low) * index as f64 / RESOLUTION as f64;
    Curve::line(label, (0..=RESOLUTION).map(|index| (at(index), f(at(index)))).collect())
}

fn generator_panel(generator: Generator) -> Panel {
    Panel {
        title: format!("f(u) = {}", generator.formula()),
        x_label: "u = p/q".to_owned(),
        curves: vec![sampled("f", (0.0, LARGEST_RATIO), |u| generator.f(u))],
    }
}

fn conjugate_panel(generator: Generator) -> Panel {
    // The critic's values for ratios from ¼ to 4, and a little more where there is more.
    let (low, high) = (generator.optimal_critic(1.0 / LARGEST_RATIO), generator.optimal_critic(LARGEST_RATIO));
    let margin = 0.25 * (high - low);
    let end = generator.conjugate_domain().end;
    Panel {
        title: format!("f*(t) = {}", generator.conjugate_formula()),
        x_label: "t".to_owned(),
        curves: vec![sampled("f*", (low - margin, (high + margin).min(end)), |t| generator.conjugate(t))],
    }
}

/// What a point with these masses or densities contributes to the integral that the divergence is a function of.
fn contribution(divergence: Divergence, p: f64, q: f64) -> f64 {
    let affinity = |order: f64| if p == 0.0 || q == 0.0 { 0.0 } else { p.powf(order) * q.powf(1.0 - order) };
    match divergence {
        Divergence::F(_) if p == 0.0 && q == 0.0 => 0.0,
        Divergence::F(generator) if q == 0.0 => p * generator.recession(),
        Divergence::F(generator) => q * generator.f(p / q),
        Divergence::Renyi(order) => affinity(order.get()),
        Divergence::Bhattacharyya => affinity(0.5),
    }
}

fn contribution_title(divergence: Divergence) -> String {
    match divergence {
        Divergence::F(_) => "q·f(p/q)".to_owned(),
        Divergence::Renyi(order) => format!("p^{0}·q^(1−{0})", order.get()),
        Divergence::Bhattacharyya => "√(pq)".to_owned(),
    }
}

/// The range that holds most of both.
pub(super) fn bulk(p: &Density, q: &Density) -> (f64, f64) {
    let (p, q) = (p.central_interval(TAIL), q.central_interval(TAIL));
    (p.0.min(q.0), p.1.max(q.1))
}

fn of_densities(plan: &Plan, divergence: Divergence, p: &Density, q: &Density) -> Vec<Panel> {
    let range = bulk(p, q);
    let panel = |title: String, curves| Panel { title, x_label: "x".to_owned(), curves };
    let densities =
        vec![sampled(&format!("p: {p}"), range, |x| p.pdf(x)), sampled(&format!("q: {q}"), range, |x| q.pdf(x))];
    let integrand = sampled("integrand", range, |x| contribution(divergence, p.pdf(x), q.pdf(x)));
    let mut panels = vec![
        panel("densities".to_owned(), densities),
        panel(format!("integrand {}", contribution_title(divergence)), vec![integrand]),
    ];
    if plan.measure == Measure::GanValue {
        let discriminator = sampled("D*", range, |x| game::optimal_discriminator(p.pdf(x), q.pdf(x)));
        panels.push(panel("optimal discriminator D* = p/(p + q)".to_owned(), vec![discriminator]));
    }
    panels
}

/// The indices of the largest values, infinite ones first among them, in ascending order.
fn largest(values: Vec<f64>) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..values.len()).collect();
    if values.len() > MOST_STEMS {
        indices.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        indices.truncate(MOST_STEMS);
        indices.sort_unstable();
    }
    indices
}

fn of_probabilities(plan: &Plan, divergence: Divergence, p: &Distribution, q: &Distribution) -> Vec<Panel> {
    let all_points = compute::points(plan, p);
    let all_pairs = || p.probabilities().iter().copied().zip(q.probabilities().iter().copied());
    let shown = largest(all_pairs().map(|(p, q)| contribution(divergence, p, q).abs()).collect());
    let points: Vec<f64> = shown.iter().map(|index| all_points[*index]).collect();
    let chosen: Vec<(f64, f64)> = {
        let all: Vec<(f64, f64)> = all_pairs().collect();
        shown.iter().map(|index| all[*index]).collect()
    };
    let of_many = |title: &str| match all_points.len() - shown.len() {
        0 => title.to_owned(),
        _ => format!("{title} (the {} largest of {})", shown.len(), all_points.len()),
    };
    let x_label = if plan.points.is_some() { "point" } else { "entry" };
    let span =
        points.iter().copied().fold(f64::NEG_INFINITY, f64::max) - points.iter().copied().fold(f64::INFINITY, f64::min);
    // P and Q stand side by side.
    let beside = 0.1 * if points.len() > 1 && span > 0.0 { span / (points.len() - 1) as f64 } else { 1.0 };
    let stems = |label: &str, shift: f64, heights: &mut dyn Iterator<Item = f64>| {
        let stem = |(x, height): (&f64, f64)| [0.0, height, f64::NAN].map(|y| (x + shift, y));
        Curve::line(label, points.iter().zip(heights).flat_map(stem).collect())
    };
    let panel = |title: String, curves| Panel { title, x_label: x_label.to_owned(), curves };
    let pairs = || chosen.iter().copied();
    // An infinite contribution has no height: a dot on the axis marks it.
    let infinite: Vec<(f64, f64)> = points
        .iter()
        .zip(pairs())
        .filter(|(_, (p, q))| contribution(divergence, *p, *q).is_infinite())
        .map(|(x, _)| (*x, 0.0))
        .collect();
    let mut contributions = vec![stems("contribution", 0.0, &mut pairs().map(|(p, q)| contribution(divergence, p, q)))];
    if !infinite.is_empty() {
        contributions.push(Curve { style: Style::Dots, ..Curve::line("infinite", infinite) });
    }
    let mut panels = vec![
        panel(
            of_many("probabilities"),
            vec![stems("p", -beside, &mut pairs().map(|(p, _)| p)), stems("q", beside, &mut pairs().map(|(_, q)| q))],
        ),
        panel(of_many(&format!("contributions {}", contribution_title(divergence))), contributions),
    ];
    if plan.measure == Measure::GanValue {
        let discriminator = stems("D*", 0.0, &mut pairs().map(|(p, q)| game::optimal_discriminator(p, q)));
        panels.push(panel("optimal discriminator D* = p/(p + q)".to_owned(), vec![discriminator]));
    }
    panels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_sum_to_the_divergence() {
        let p = Distribution::new(vec![0.2, 0.5, 0.3, 0.0]).unwrap();
        let q = Distribution::new(vec![0.4, 0.4, 0.1, 0.1]).unwrap();
        for divergence in Generator::catalogue().map(Divergence::F) {
            let value = crate::divergence::divergence(divergence, &p, &q).unwrap();
            let pairs = p.probabilities().iter().zip(q.probabilities());
            let sum: f64 = pairs.map(|(p, q)| contribution(divergence, *p, *q)).sum();
            assert!(sum == value || (sum - value).abs() < 1e-13, "{divergence}: {sum} {value}");
        }
        let bhattacharyya: f64 = p
            .probabilities()
            .iter()
            .zip(q.probabilities())
            .map(|(p, q)| contribution(Divergence::Bhattacharyya, *p, *q))
            .sum();
        let value = crate::divergence::divergence(Divergence::Bhattacharyya, &p, &q).unwrap();
        assert!((-bhattacharyya.ln() - value).abs() < 1e-14);
    }

    #[test]
    fn of_many_entries_the_largest_are_drawn() {
        let mut values: Vec<f64> = (0..100_000).map(f64::from).collect();
        values[7] = f64::INFINITY;
        let shown = largest(values);
        assert_eq!((shown.len(), shown[0], shown[1]), (MOST_STEMS, 7, 100_001 - MOST_STEMS));
        assert_eq!(largest(vec![1.0, 0.0, 2.0]), [0, 1, 2]);
    }

    #[test]
    fn conjugates_are_drawn_inside_their_domain() {
        for generator in Generator::catalogue() {
            let panel = conjugate_panel(generator);
            let points = &panel.curves[0].points;
            let finite = points.iter().filter(|point| point.1.is_finite()).count();
            // At an open end of the domain alone may it be infinite.
            assert!(finite >= points.len() - 1, "{generator}: {finite}");
        }
    }
}
