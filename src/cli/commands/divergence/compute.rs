//! From a plan to rows of results.

use crate::divergence::continuous::{self, DensityDivergence};
use crate::divergence::estimators::{
    Histogram, histogram_mutual_information, knn_kullback_leibler, knn_mutual_information,
};
use crate::divergence::gaussian::{GaussianDivergence, MixtureBounds, MultivariateNormalError, wasserstein_2};
use crate::divergence::transport::{
    WassersteinOrder, cost_matrix, sliced_wasserstein, wasserstein_densities, wasserstein_line, wasserstein_samples,
};
use crate::divergence::variational::{LinearCritic, LowerBound, VariationalEstimator};
use crate::divergence::{
    Distribution, Divergence, GaussianMixture, GaussianPair, Generator, discrete, divergence, game,
};
use crate::error::Blame;
use crate::gan::variational::MlpCritic;
use ndarray::{Array1, Array2, Axis};

use super::input::Pair;
use super::options::ArgumentsError;
use super::output::{Found, Method, Row, Uncertainty, Value};
use super::{Bins, Critic, Estimator, Measure, Plan, Quantity, Transport};

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
            Quantity::Test(test) => test.row(plan),
            Quantity::MutualInformation => mutual_information(plan),
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
        rows.extend(given_discriminator(plan)?);
        rows.extend(optimal_discriminator(plan));
    }
    if let Pair::Mixtures(p, q) = &plan.pair
        && plan.quantities.contains(&Quantity::Divergence(Divergence::F(Generator::KULLBACK_LEIBLER)))
    {
        rows.extend(mixture_bounds(plan, p, q)?);
    }
    Ok((rows, blame))
}

/// KL as far as that of the components tells it.
fn mixture_bounds(plan: &Plan, p: &GaussianMixture, q: &GaussianMixture) -> crate::Result<[Row; 3]> {
    let MixtureBounds { upper, variational, matched } = p.kullback_leibler_bounds(q)?;
    let kind = Divergence::F(Generator::KULLBACK_LEIBLER);
    let of = |name: &str, value, method, title: &str| {
        let row = row(plan, kind, value, method, None);
        Row { measure: format!("{kind}, {name}"), title: title.to_owned(), ..row }
    };
    Ok([
        of("upper", upper, Method::UpperBound, "Variational bound of Hershey and Olsen"),
        of("variational", variational, Method::Approximation, "Variational approximation of Hershey and Olsen"),
        of("matched", matched, Method::Approximation, "Components matched"),
    ])
}

fn mutual_information(plan: &Plan) -> crate::Result<Row> {
    let Pair::Samples(x, y) = &plan.pair else { unreachable!("options::check lets samples through") };
    let (value, method) = match plan.estimator.ok_or(ArgumentsError::EstimatorMissing)? {
        Estimator::Histogram { bins, .. } => {
            let [x, y] = [x, y].map(|samples| column(samples, HISTOGRAM));
            let bins = if let Bins::Count(count) = bins { Some(count) } else { None };
            (histogram_mutual_information(&x?, &y?, bins)?, Method::PlugIn)
        }
        Estimator::Neighbours(neighbours) => {
            (knn_mutual_information(x.view(), y.view(), neighbours)?.value, Method::NearestNeighbours)
        }
        Estimator::Variational(_) => Err(ArgumentsError::Unavailable {
            what: Quantity::MutualInformation.name(),
            subject: "this estimator",
            remedy: "use --estimator knn or histogram",
        })?,
    };
    // It is a Kullback–Leibler divergence, between the pairs and pairs that were torn apart.
    let row = row(plan, Divergence::F(Generator::KULLBACK_LEIBLER), value, method, None);
    let quantity = Quantity::MutualInformation;
    Ok(Row { measure: quantity.name(), title: quantity.title().to_owned(), ..row })
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
    gaussians: Option<&Result<GaussianPair, MultivariateNormalError>>,
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
        (Pair::Mixtures(p, q), _) => {
            let Divergence::F(generator) = kind else {
                return Err(ArgumentsError::Unavailable {
                    what: kind.to_string(),
                    subject: "mixtures of Gaussians",
                    remedy: "ask for kl, js or another f-divergence that does not grow like a power",
                })?;
            };
            let estimate = p.divergence(q, generator, plan.samples, plan.seed)?;
            row(plan, kind, estimate.value, Method::MonteCarlo, Some(estimate.into()))
        }
        (Pair::Samples(p, q), _) => estimate(plan, kind, p, q)?,
        (Pair::Fit(..), _) => unreachable!("options::check lets tests through"),
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
            let (p, q) = (column(p, HISTOGRAM)?, column(q, HISTOGRAM)?);
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

const HISTOGRAM: &str = "a histogram";

/// The samples, which must be of one dimension for what is to be had of them.
pub(super) fn column(samples: &Array2<f64>, what: &str) -> Result<Vec<f64>, ArgumentsError> {
    if samples.ncols() == 1 {
        Ok(samples.iter().copied().collect())
    } else {
        Err(ArgumentsError::Unavailable {
            what: what.to_owned(),
            subject: "samples of several dimensions",
            remedy: "give one column; of several, --estimator knn or variational, energy and mmd work",
        })
    }
}

fn wasserstein(plan: &Plan, order: WassersteinOrder) -> crate::Result<Row> {
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
        Pair::Mixtures(p, q) if order == WassersteinOrder::TWO => {
            of(p.wasserstein_2_bound(q)?, Method::UpperBound, None)
        }
        Pair::Mixtures(..) => Err(ArgumentsError::Unavailable {
            what: format!("wasserstein({})", order.get()),
            subject: "mixtures of Gaussians",
            remedy: "only w2 has a bound; draw samples for other orders",
        })?,
        Pair::Fit(..) => unreachable!("options::check lets tests through"),
        Pair::Gaussians(p, q) if order == WassersteinOrder::TWO => of(wasserstein_2(p, q)?, Method::ClosedForm, None),
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

/// The value of the game for a discriminator that is not the best one.
fn given_discriminator(plan: &Plan) -> crate::Result<Option<Row>> {
    let (Some(discriminator), Pair::Distributions(p, q)) = (&plan.discriminator, &plan.pair) else { return Ok(None) };
    if discriminator.len() != p.len() {
        return Err(ArgumentsError::Discriminator { given: discriminator.len(), entries: p.len() }.into());
    }
    let value = game::value(discriminator, p, q)?;
    let row = row(plan, Divergence::F(Generator::GAN), value, Method::Exact, None);
    Ok(Some(Row {
        measure: "gan, D given".to_owned(),
        title: "V(D, G) = E_p[ln D] + E_q[ln(1 − D)]".to_owned(),
        ..row
    }))
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
        Pair::Gaussians(..) | Pair::Mixtures(..) | Pair::Samples(..) | Pair::Fit(..) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::{Kind, Reading};
    use super::super::output::Magnitude;
    use super::*;

    fn plan(measure: &str, p: &str, q: &str) -> Plan {
        let (measure, kind) = (Measure::parse(measure).unwrap(), Kind::of_both(p, q, None).unwrap());
        Plan {
            measure,
            quantities: measure.quantities(kind, None),
            pair: Pair::read(kind, p, q, Reading::default()).unwrap(),
            base: crate::divergence::Base::E,
            estimator: None,
            transport: Transport::Exact,
            points: None,
            discriminator: None,
            samples: 1000,
            draws: 9,
            kernel_length: None,
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
    fn the_game_has_a_value_for_every_discriminator() {
        let mut plan = plan("gan-value", "0.25,0.75", "0.75,0.25");
        plan.discriminator = Some(vec![0.5, 0.5]);
        let values_of_half = values(&plan);
        assert_eq!(values_of_half[2].0, "gan, D given");
        assert!((values_of_half[2].1 + 4.0_f64.ln()).abs() < 1e-15);
        plan.discriminator = Some(vec![0.25, 0.75]);
        let values_of_best = values(&plan);
        assert!((values_of_best[2].1 - values_of_best[0].1).abs() < 1e-15);
        plan.discriminator = Some(vec![0.25]);
        assert!(rows(&plan).is_err());
    }

    #[test]
    fn transport_uses_the_points() {
        let mut plan = plan("w1", "1,0", "0,1");
        assert_eq!(values(&plan)[0].1, 1.0);
        plan.points = Some(vec![0.0, -3.5]);
        assert_eq!(values(&plan)[0].1, 3.5);
    }
}
