//! What `--plot` shows of W₁ on the line: both distribution functions, whose distance it is, and the function φ of Kantorovich and
//! Rubinstein.

use crate::divergence::{Density, Distribution};
use crate::report::plot::{Curve, Panel};

use super::Plan;
use super::compute;
use super::input::Pair;
use super::picture::{RESOLUTION, bulk};

/// The two panels.
pub(super) fn panels(plan: &Plan) -> Vec<Panel> {
    let [p, q, potential] = match &plan.pair {
        Pair::Densities(p, q) => of_densities(p, q),
        Pair::Distributions(p, q) => of_probabilities(&compute::points(plan, p), p, q),
        Pair::Gaussians(..) | Pair::Mixtures(..) | Pair::Samples(..) | Pair::Fit(..) => {
            unreachable!("Picture::new lets the line through")
        }
    };
    let panel = |title: &str, curves| Panel { title: title.to_owned(), x_label: "x".to_owned(), curves };
    vec![
        panel("distribution functions", vec![Curve::line("F of P", p), Curve::line("F of Q", q)]),
        panel("φ, |φ′| ≤ 1, with W₁ = E_p[φ] − E_q[φ]", vec![Curve::line("φ", potential)]),
    ]
}

type Points = Vec<(f64, f64)>;

fn of_densities(p: &Density, q: &Density) -> [Points; 3] {
    let (low, high) = bulk(p, q);
    let at = |place: f64| low + (high - low) * place / RESOLUTION as f64;
    let places: Vec<f64> = (0..=RESOLUTION).map(|index| at(index as f64)).collect();
    let function = |density: &Density| places.iter().map(|x| (*x, density.cdf(*x))).collect();
    let differences = (0..RESOLUTION).map(|index| at(index as f64 + 0.5)).map(|x| p.cdf(x) - q.cdf(x));
    [function(p), function(q), potential(&places, differences)]
}

fn of_probabilities(points: &[f64], p: &Distribution, q: &Distribution) -> [Points; 3] {
    let mut atoms: Vec<(f64, f64, f64)> =
        points.iter().zip(p.probabilities()).zip(q.probabilities()).map(|((x, p), q)| (*x, *p, *q)).collect();
    atoms.sort_by(|a, b| a.0.total_cmp(&b.0));
    let places: Vec<f64> = atoms.iter().map(|atom| atom.0).collect();
    let (mut below, mut steps, mut differences) = ([0.0; 2], [Points::new(), Points::new()], Vec::new());
    for (x, p, q) in atoms {
        for ((below, steps), mass) in below.iter_mut().zip(&mut steps).zip([p, q]) {
            steps.push((x, *below));
            *below += mass;
            steps.push((x, *below));
        }
        differences.push(below[0] - below[1]);
    }
    let [p, q] = steps;
    [p, q, potential(&places, differences.into_iter())]
}

/// φ falls where F of P is above that of Q, and rises where it is below; its lowest value is 0.
fn potential(places: &[f64], differences: impl Iterator<Item = f64>) -> Points {
    let slope = |difference: f64| if difference == 0.0 { 0.0 } else { -difference.signum() };
    let mut height = 0.0;
    let mut points: Points = places.first().map(|first| (*first, 0.0)).into_iter().collect();
    for (ends, difference) in places.windows(2).zip(differences) {
        height += slope(difference) * (ends[1] - ends[0]);
        points.push((ends[1], height));
    }
    let lowest = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    points.iter_mut().for_each(|point| point.1 -= lowest);
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::transport::{WassersteinOrder, wasserstein_line};

    #[test]
    fn the_function_attains_the_distance() {
        let p = Distribution::new(vec![0.5, 0.1, 0.4]).unwrap();
        let q = Distribution::new(vec![0.2, 0.6, 0.2]).unwrap();
        let points = [3.0, 0.0, 1.0];
        let [.., potential] = of_probabilities(&points, &p, &q);
        let at = |x: f64| potential.iter().find(|point| point.0 == x).unwrap().1;
        let expectation =
            |of: &Distribution| of.probabilities().iter().zip(points).map(|(p, x)| p * at(x)).sum::<f64>();
        let distance = wasserstein_line(&points, &p, &points, &q, WassersteinOrder::ONE);
        assert!((expectation(&p) - expectation(&q) - distance.unwrap()).abs() < 1e-15);
    }

    #[test]
    fn of_a_shift_it_is_a_slope() {
        let [p, q, potential] = of_densities(&"normal(0,1)".parse().unwrap(), &"normal(1,1)".parse().unwrap());
        assert!(p.iter().zip(&q).all(|(p, q)| p.1 >= q.1));
        assert!(potential.windows(2).all(|pair| pair[1].1 < pair[0].1), "{potential:?}");
    }
}
