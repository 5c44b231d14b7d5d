//! From a plan to rows of results.

use crate::divergence::continuous::{self, DensityDivergence};
use crate::divergence::estimators::{Histogram, knn_kullback_leibler};
use crate::divergence::gaussian::{GaussianDivergence, wasserstein_2};
use crate::divergence::transport::{
    Order, cost_matrix, sliced_wasserstein, wasserstein_densities, wasserstein_line, wasserstein_samples,
};
use crate::divergence::variational::{LinearCritic, VariationalEstimator};
use crate::divergence::{Distribution, Divergence, GaussianPair, Generator, divergence, game};
use crate::gan::variational::MlpCritic;
use ndarray::{Array1, Array2, Axis};

use super::input::Pair;
use super::options::ArgumentsError;
use super::output::{Method, Row, Uncertainty};
use super::{Critic, Estimator, Measure, Plan, Quantity, Transport};

/// Everything the plan asks for.
pub(super) fn rows(plan: &Plan) -> crate::Result<Vec<Row>> {
    let row = |quantity: &Quantity| match *quantity {
        Quantity::Divergence(divergence) => f_divergence(plan, divergence),
        Quantity::Wasserstein(order) => wasserstein(plan, order),
    };
    let mut rows = plan.quantities.iter().map(row).collect::<crate::Result<Vec<_>>>()?;
    if plan.measure == Measure::GanValue {
        rows[0].title = "V(D*, G) = −ln 4 + 2·JS".to_owned();
        rows.extend(optimal_discriminator(&plan.pair));
    }
    Ok(rows)
}

fn row(plan: &Plan, divergence: Divergence, value: f64, method: Method, uncertainty: Option<Uncertainty>) -> Row {
    // In a list, `--base` applies where it can.
    let unit = divergence.unit(plan.base).ok();
    let factor = unit.unwrap_or(1.0);
    Row {
        measure: divergence.to_string(),
        title: divergence.title().to_owned(),
        value: value * factor,
        unit: unit.map(|_| plan.base.unit()),
        method,
        uncertainty: uncertainty.map(|uncertainty| uncertainty.scaled(factor)),
    }
}

fn f_divergence(plan: &Plan, kind: Divergence) -> crate::Result<Row> {
    let exact = |value, method| row(plan, kind, value, method, None);
    Ok(match &plan.pair {
        Pair::Distributions(p, q) => exact(divergence(kind, p, q)?, Method::Exact),
        Pair::Densities(p, q) => match continuous::divergence(kind, p, q)? {
            DensityDivergence::ClosedForm { value } => exact(value, Method::ClosedForm),
            DensityDivergence::Quadrature(integral) => {
                let bound = Uncertainty::Bound { error: integral.error_bound };
                row(plan, kind, integral.value, Method::Quadrature, Some(bound))
            }
        },
        Pair::Gaussians(p, q) => match GaussianPair::new(p, q)?.divergence(kind, plan.samples, plan.seed)? {
            GaussianDivergence::ClosedForm(value) => exact(value, Method::ClosedForm),
            GaussianDivergence::MonteCarlo(estimate) => {
                row(plan, kind, estimate.value, Method::MonteCarlo, Some(estimate.into()))
            }
        },
        Pair::Samples(p, q) => estimate(plan, kind, p, q)?,
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
            let bound = critic.lower_bound(generator, p.view(), q.view())?.bound;
            row(plan, kind, bound.value, Method::LowerBound, Some(bound.into()))
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
    let of = |value, method, uncertainty| Row {
        measure: format!("wasserstein({})", order.get()),
        title: "Wasserstein".to_owned(),
        value,
        unit: None,
        method,
        uncertainty,
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
fn optimal_discriminator(pair: &Pair) -> Vec<Row> {
    let Pair::Distributions(p, q) = pair else { return Vec::new() };
    let row = |(index, (p, q)): (usize, (&f64, &f64))| Row {
        measure: format!("D*({index})"),
        title: "Optimal discriminator".to_owned(),
        value: game::optimal_discriminator(*p, *q),
        unit: None,
        method: Method::Exact,
        uncertainty: None,
    };
    p.probabilities().iter().zip(q.probabilities()).enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::input::{Kind, Reading};
    use super::*;

    fn plan(measure: &str, p: &str, q: &str) -> Plan {
        let (measure, kind) = (Measure::parse(measure).unwrap(), Kind::of_both(p, q).unwrap());
        Plan {
            measure,
            quantities: measure.quantities(kind, None),
            pair: Pair::read(kind, p, q, Reading::AsIs).unwrap(),
            base: crate::divergence::Base::E,
            estimator: None,
            transport: Transport::Exact,
            points: None,
            samples: 1000,
            seed: 1,
            picture: None,
        }
    }

    #[test]
    fn all_is_available_for_probabilities_and_densities() {
        for (p, q) in [("0.2,0.8", "0.5,0.5"), ("normal(0,1)", "laplace(0,1)")] {
            let rows = rows(&plan("all", p, q)).unwrap();
            assert_eq!(rows.len(), Divergence::catalogue().count() + 2);
        }
    }

    #[test]
    fn the_game_names_its_discriminator() {
        let rows = rows(&plan("gan-value", "0.25,0.75", "0.75,0.25")).unwrap();
        assert_eq!(rows.len(), 4);
        assert_eq!((rows[2].measure.as_str(), rows[2].value), ("D*(0)", 0.25));
        assert!((rows[0].value - 2.0 * rows[1].value + 4.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn transport_uses_the_points() {
        let mut plan = plan("w1", "1,0", "0,1");
        assert_eq!(rows(&plan).unwrap()[0].value, 1.0);
        plan.points = Some(vec![0.0, -3.5]);
        assert_eq!(rows(&plan).unwrap()[0].value, 3.5);
    }
}
