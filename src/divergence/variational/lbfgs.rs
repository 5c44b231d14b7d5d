//! Limited-memory BFGS with a backtracking line search (Nocedal and Wright, algorithms 7.4 and 7.5), as ascent.

use std::collections::VecDeque;
use std::ops::ControlFlow;

/// Pairs of steps and gradient changes remembered.
const MEMORY: usize = 10;
/// A step must gain at least this share of what the slope promises.
const SUFFICIENT_INCREASE: f64 = 1e-4;
/// 2^−40: no step that short gains anything in f64.
const MOST_HALVINGS: usize = 40;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Climbs from `start` until the observer breaks, the gradient vanishes or no step gains; returns the steps taken.
///
/// `objective` gives the value and its gradient; where it is not finite, steps are shortened.
pub(super) fn maximize(
    start: Vec<f64>,
    mut objective: impl FnMut(&[f64]) -> (f64, Vec<f64>),
    mut observe: impl FnMut(&[f64]) -> ControlFlow<()>,
) -> usize {
    let mut point = start;
    let (mut value, mut gradient) = objective(&point);
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    let mut steps = 0;
    loop {
        let mut direction = ascent_direction(&gradient, &memory);
        let mut slope = dot(&direction, &gradient);
        if slope <= 0.0 || !slope.is_finite() {
            memory.clear();
            direction.clone_from(&gradient);
            slope = dot(&gradient, &gradient);
        }
        if slope == 0.0 || !slope.is_finite() {
            return steps;
        }
        // Without curvature information the first step is of unit length at most.
        let mut length = if memory.is_empty() { slope.sqrt().recip().min(1.0) } else { 1.0 };
        let mut accepted = None;
        for _ in 0..MOST_HALVINGS {
            let next: Vec<f64> = point.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let (next_value, next_gradient) = objective(&next);
            let usable = next_value.is_finite() && next_gradient.iter().all(|entry| entry.is_finite());
            if usable && next_value >= value + SUFFICIENT_INCREASE * length * slope {
                accepted = Some((next, next_value, next_gradient));
                break;
            }
            length *= 0.5;
        }
        let Some((next, next_value, next_gradient)) = accepted else { return steps };
        let step: Vec<f64> = next.iter().zip(&point).map(|(a, b)| a - b).collect();
        // Of the negated objective, which is what is convex.
        let change: Vec<f64> = gradient.iter().zip(&next_gradient).map(|(old, new)| old - new).collect();
        if dot(&step, &change) > f64::EPSILON * dot(&change, &change) {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((step, change));
        }
        (point, value, gradient) = (next, next_value, next_gradient);
        steps += 1;
        if observe(&point).is_break() {
            return steps;
        }
    }
}

/// The two-loop recursion.
fn ascent_direction(gradient: &[f64], memory: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut direction = gradient.to_vec();
    let mut weights = Vec::with_capacity(memory.len());
    for (step, change) in memory.iter().rev() {
        let weight = dot(step, &direction) / dot(step, change);
        direction.iter_mut().zip(change).for_each(|(d, y)| *d -= weight * y);
        weights.push(weight);
    }
    if let Some((step, change)) = memory.back() {
        let scale = dot(step, change) / dot(change, change);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((step, change), weight) in memory.iter().zip(weights.into_iter().rev()) {
        let correction = weight - dot(change, &direction) / dot(step, change);
        direction.iter_mut().zip(step).for_each(|(d, s)| *d += correction * s);
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_climbs_a_curved_valley() {
        // Rosenbrock's function, upside down.
        let objective = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (-(a * a + 100.0 * b * b), vec![2.0 * a + 400.0 * x[0] * b, -200.0 * b])
        };
        let mut last = vec![];
        let steps = maximize(vec![-1.2, 1.0], objective, |x| {
            last = x.to_vec();
            ControlFlow::Continue(())
        });
        assert!((last[0] - 1.0).abs() < 1e-6 && (last[1] - 1.0).abs() < 1e-6, "{last:?} after {steps}");
        assert!(steps < 100);
    }

    #[test]
    fn it_steps_around_what_is_not_finite() {
        // ln x − x, which is NaN below zero, from far right.
        let objective = |x: &[f64]| (x[0].ln() - x[0], vec![1.0 / x[0] - 1.0]);
        let mut last = 0.0;
        maximize(vec![50.0], objective, |x| {
            last = x[0];
            ControlFlow::Continue(())
        });
        assert!((last - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_observer_stops_it() {
        let steps = maximize(vec![3.0], |x| (-x[0] * x[0], vec![-2.0 * x[0]]), |_| ControlFlow::Break(()));
        assert_eq!(steps, 1);
    }
}
