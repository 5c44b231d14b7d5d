//! From a plan to rows of results.

use crate::divergence::continuous::{self, DensityDivergence};
use crate::divergence::estimators::{Histogram, knn_kullback_leibler};
use crate::divergence::gaussian::{GaussianDivergence, GaussianError, wasserstein_2};
use crate::divergence::transport::{
    Order, cost_matrix, sliced_wasserstein, wasserstein_densities, wasserstein_line, wasserstein_samples,
};
use crate::divergence::variational::{LinearCritic, LowerBound, VariationalEstimator};
use crate::divergence::{Distribution, Divergence, GaussianPair, Generator, discrete, divergence, game};
use crate::error::Blame;
use crate::gan::variational::MlpCritic;
use ndarray::{Array1, Array2, Axis};

use super::input::Pair;
use super::options::ArgumentsError;
use super::output::{Found, Method, Row, Uncertainty, Value};
use super::{Critic, Estimator, Measure, Plan, Quantity, Transport};

/// Everything the plan asks for, and whom to blame for what cannot be had. A failure among all measures costs its own row
/// alone.
///
/// # Errors
/// What is wrong with a measure that was named.
pub(super) fn rows(plan: &Plan) -> crate::Result<(Vec<Row>, Option<Blame>)> {
    let gaussians = match &plan.pair {
        Pair::Gaussians(p, q) => Some(GaussianPair::new(p, q)),
        _ => None,
    };
    let (mut rows, mut blame) = (Vec::new(), None);
    for quantity in &plan.quantities {
        let row = match *quantity {
            Quantity::Divergence(divergence) => f_divergence(plan, gaussians.as_ref(), divergence),
            Quantity::Wasserstein(order) => wasserstein(plan, order),
        };
        rows.push(match row {
            Ok(row) => row,
            Err(error) if plan.measure == Measure::All => {
                blame = blame.or(Some(error.blame()));
                Row::failed(quantity.name(), quantity.title(), &error)
            }
            Err(error) => return Err(error),
        });
    }
    if plan.measure == Measure::GanValue {
        rows[0].title = "V(D*, G) = −ln 4 + 2·JS".to_owned();
        rows.extend(optimal_discriminator(plan));
    }
    Ok((rows, blame))
}

fn row(plan: &Plan, divergence: Divergence, value: f64, method: Method, uncertainty: Option<Uncertainty>) -> Row {
    // In a list, `--base` applies where it can.
    let unit = divergence.unit(plan.base).ok();
    let factor = unit.unwrap_or(1.0);
    let uncertainty = uncertainty.map(|uncertainty| uncertainty.scaled(factor));
    let value = Value { unit: unit.map(|_| plan.base.unit()), ..Value::new(value * factor, method, uncertainty) };
    Row::new(divergence, divergence.title(), value)
}

/// A row whose value, if it is infinite, may be a finite one that overflowed.
fn unbounded_row(
    plan: &Plan,
    kind: Divergence,
    value: f64,
    method: Method,
    logarithm: impl FnOnce() -> crate::Result<f64>,
) -> crate::Result<Row> {
    let mut row = row(plan, kind, value, method, None);
    if value == f64::INFINITY
        && let Found::Value(value) = row.found
    {
        row.found = Found::Value(value.with_logarithm(logarithm()?));
    }
    Ok(row)
}

fn f_divergence(
    plan: &Plan,
    gaussians: Option<&Result<GaussianPair, GaussianError>>,
    kind: Divergence,
) -> crate::Result<Row> {
    Ok(match (&plan.pair, gaussians) {
        (Pair::Distributions(p, q), _) => {
            let value = divergence(kind, p, q)?;
            unbounded_row(plan, kind, value, Method::Exact, || Ok(discrete::log_divergence(kind, p, q)?))?
        }
        (Pair::Densities(p, q), _) => match continuous::divergence(kind, p, q)? {
            DensityDivergence::Quadrature(integral) if integral.value.is_finite() => {
                let bound = Uncertainty::Bound { error: integral.error_bound };
                row(plan, kind, integral.value, Method::Quadrature, Some(bound))
            }
            found => {
                let method = match found {
                    DensityDivergence::ClosedForm { .. } => Method::ClosedForm,
                    DensityDivergence::Quadrature(_) => Method::Quadrature,
                };
                unbounded_row(plan, kind, found.value(), method, || Ok(continuous::log_divergence(kind, p, q)?))?
            }
        },
        (Pair::Gaussians(..), Some(pair)) => {
            let pair = pair.as_ref().map_err(Clone::clone)?;
            match pair.divergence(kind, plan.samples, plan.seed)? {
                GaussianDivergence::ClosedForm(value) => {
                    let logarithm = || Ok(pair.log_divergence(kind).unwrap_or(f64::INFINITY));
                    unbounded_row(plan, kind, value, Method::ClosedForm, logarithm)?
                }
                GaussianDivergence::MonteCarlo(estimate) => {
                    row(plan, kind, estimate.value, Method::MonteCarlo, Some(estimate.into()))
                }
            }
        }
        (Pair::Gaussians(..), None) => unreachable!("Gaussians are reduced before their rows"),
        (Pair::Samples(p, q), _) => estimate(plan, kind, p, q)?,
    })
}

/// How the nearest-neighbour estimator of KL gives a divergence: with P and Q exchanged or not.
pub(super) fn neighbour_order(kind: Divergence) -> Option<bool> {
    [(Generator::KULLBACK_LEIBLER, false), (Generator::REVERSE_KULLBACK_LEIBLER, true)]
        .into_iter()
        .find_map(|(generator, exchanged)| (kind == Divergence::F(generator)).then_some(exchanged))
}

fn estimate(plan: &Plan, kind: Divergence, p: &Array2<f64>, q: &Array2<f64>) -> crate::Result<Row> {
    let unavailable =
        |remedy| ArgumentsError::Unavailable { what: kind.to_string(), subject: "this estimator", remedy };
    Ok(match plan.estimator.ok_or(ArgumentsError::EstimatorMissing)? {
        Estimator::Histogram { bins, pseudocount } => {
            let (p, q) = (column(p)?, column(q)?);
            let (p, q) = Histogram::new(&p, &q, bins)?.distributions(pseudocount)?;
            row(plan, kind, divergence(kind, &p, &q)?, Method::PlugIn, None)
        }
        Estimator::Neighbours(neighbours) => {
            let exchanged = neighbour_order(kind)
                .ok_or_else(|| unavailable("nearest neighbours estimate kl and reverse-kl only"))?;
            let (p, q) = if exchanged { (q, p) } else { (p, q) };
            let estimate = knn_kullback_leibler(p.view(), q.view(), neighbours)?;
            row(plan, kind, estimate.value, Method::NearestNeighbours, None)
        }
        Estimator::Variational(critic) => {
            let Divergence::F(generator) = kind else {
                return Err(unavailable("only f-divergences have a variational bound; ask for alpha"))?;
            };
            let critic: Box<dyn VariationalEstimator> = match critic {
                Critic::Linear(features) => Box::new(LinearCritic::new(features, plan.seed)?),
                Critic::Network { hidden } => Box::new(MlpCritic::new(hidden, plan.seed)?),
            };
            let LowerBound { bound, estimate, .. } = critic.lower_bound(generator, p.view(), q.view())?;
            let below = Uncertainty::Below { confidence: LowerBound::CONFIDENCE, estimate };
            row(plan, kind, bound, Method::LowerBound, Some(below))
        }
    })
}

fn column(samples: &Array2<f64>) -> Result<Vec<f64>, ArgumentsError> {
    if samples.ncols() == 1 {
        Ok(samples.iter().copied().collect())
    } else {
        Err(ArgumentsError::Unavailable {
            what: "a histogram".to_owned(),
            subject: "samples of several dimensions",
            remedy: "use --estimator knn or variational",
        })
    }
}

fn wasserstein(plan: &Plan, order: Order) -> crate::Result<Row> {
    let quantity = Quantity::Wasserstein(order);
    let of = |value, method, uncertainty| {
        Row::new(quantity.name(), quantity.title(), Value::new(value, method, uncertainty))
    };
    Ok(match &plan.pair {
        Pair::Distributions(p, q) => {
            let (at_p, at_q) = (points(plan, p), points(plan, q));
            match plan.transport {
                Transport::Sinkhorn(sinkhorn) => {
                    let column = |points: &[f64]| Array1::from(points.to_vec()).insert_axis(Axis(1));
                    let cost = cost_matrix(column(&at_p).view(), column(&at_q).view(), order)?;
                    let entropic = sinkhorn.plan(p, q, cost.view())?;
                    of(entropic.cost.powf(1.0 / order.get()), Method::Sinkhorn, None)
                }
                Transport::Exact | Transport::Sliced(_) => {
                    of(wasserstein_line(&at_p, p, &at_q, q, order)?, Method::Exact, None)
                }
            }
        }
        Pair::Densities(p, q) => {
            let integral = wasserstein_densities(p, q, order)?;
            let bound = Uncertainty::Bound { error: integral.error_bound };
            of(integral.value, Method::Quadrature, Some(bound))
        }
        Pair::Gaussians(p, q) if order == Order::TWO => of(wasserstein_2(p, q)?, Method::ClosedForm, None),
        Pair::Gaussians(..) => Err(ArgumentsError::Unavailable {
            what: format!("wasserstein({})", order.get()),
            subject: "Gaussians",
            remedy: "only w2 has a formula; draw samples for other orders",
        })?,
        Pair::Samples(p, q) => match plan.transport {
            Transport::Sliced(directions) => {
                let sliced = sliced_wasserstein(p.view(), q.view(), order, directions, plan.seed)?;
                of(sliced.value, Method::Sliced, Some(sliced.into()))
            }
            Transport::Exact | Transport::Sinkhorn(_) => {
                of(wasserstein_samples(p.view(), q.view(), order)?, Method::Exact, None)
            }
        },
    })
}

pub(super) fn points(plan: &Plan, distribution: &Distribution) -> Vec<f64> {
    plan.points.clone().unwrap_or_else(|| (0..distribution.len()).map(|index| index as f64).collect())
}

/// D* where there are points to name: the game's value is reached there.
fn optimal_discriminator(plan: &Plan) -> Vec<Row> {
    let row = |place: String, p: f64, q: f64| {
        let value = Value::new(game::optimal_discriminator(p, q), Method::Exact, None);
        Row::new(format!("D*({place})"), "Optimal discriminator", value)
    };
    match &plan.pair {
        Pair::Distributions(p, q) => {
            let pairs = p.probabilities().iter().zip(q.probabilities()).enumerate();
            pairs.map(|(index, (p, q))| row(index.to_string(), *p, *q)).collect()
        }
        Pair::Densities(p, q) => {
            let points = plan.points.iter().flatten();
            // In units of the larger density, which alone may underflow.
            let at = |x: &f64| {
                let (log_p, log_q) = (p.ln_pdf(*x), q.ln_pdf(*x));
                let largest = Some(log_p.max(log_q)).filter(|log| log.is_finite()).unwrap_or(0.0);
                row(x.to_string(), (log_p - largest).exp(), (log_q - largest).exp())
            };
            points.map(at).collect()
        }
        Pair::Gaussians(..) | Pair::Samples(..) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::{Kind, Reading};
    use super::super::output::Magnitude;
    use super::*;

    fn plan(measure: &str, p: &str, q: &str) -> Plan {
        let (measure, kind) = (Measure::parse(measure).unwrap(), Kind::of_both(p, q).unwrap());
        Plan {
            measure,
            quantities: measure.quantities(kind, None),
            pair: Pair::read(kind, p, q, Reading::default()).unwrap(),
            base: crate::divergence::Base::E,
            estimator: None,
            transport: Transport::Exact,
            points: None,
            samples: 1000,
            seed: 1,
            picture: None,
        }
    }

    fn values(plan: &Plan) -> Vec<(String, f64)> {
        let value = |row: &Row| match &row.found {
            Found::Value(Value { magnitude: Magnitude::Number(value), .. }) => *value,
            found => panic!("{found:?}"),
        };
        rows(plan).unwrap().0.iter().map(|row| (row.measure.clone(), value(row))).collect()
    }

    #[test]
    fn all_is_available_for_probabilities_and_densities() {
        for (p, q) in [("0.2,0.8", "0.5,0.5"), ("normal(0,1)", "laplace(0,1)")] {
            let values = values(&plan("all", p, q));
            assert_eq!(values.len(), Divergence::catalogue().count() + 2);
        }
    }

    #[test]
    fn the_game_names_its_discriminator() {
        let values = values(&plan("gan-value", "0.25,0.75", "0.75,0.25"));
        assert_eq!(values.len(), 4);
        assert_eq!(values[2], ("D*(0)".to_owned(), 0.25));
        assert!((values[0].1 - 2.0 * values[1].1 + 4.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn transport_uses_the_points() {
        let mut plan = plan("w1", "1,0", "0,1");
        assert_eq!(values(&plan)[0].1, 1.0);
        plan.points = Some(vec![0.0, -3.5]);
        assert_eq!(values(&plan)[0].1, 3.5);
    }
}
