//! What `--transport-plan` and `--potentials` write: where the mass goes, and the prices that prove it.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::divergence::transport::{
    TransportPlan, WassersteinOrder, cost_matrix, kantorovich_rubinstein, optimal_transport,
};
use crate::divergence::{Distribution, TransportError};

use super::input::Pair;
use super::{Plan, Quantity, compute};

/// The two tables, as CSV.
pub(super) struct Coupling {
    /// `from,to,mass`: indices of the points of P and of Q.
    pub plan: String,
    /// `distribution,index,potential`.
    pub potentials: String,
}

impl Coupling {
    /// Of the transport that a plan of one Wasserstein distance asks for.
    pub fn of(plan: &Plan) -> crate::Result<Self> {
        let order = match plan.quantities[..] {
            [Quantity::Wasserstein(order)] => order,
            _ => unreachable!("options::check lets a single transport distance through"),
        };
        let uniform = |samples: &Array2<f64>| Distribution::normalized(vec![1.0; samples.nrows()]);
        let (p, q, x, y) = match &plan.pair {
            Pair::Distributions(p, q) => {
                let column = |at: Vec<f64>| Array1::from(at).insert_axis(Axis(1));
                (p.clone(), q.clone(), column(compute::points(plan, p)), column(compute::points(plan, q)))
            }
            Pair::Samples(x, y) => (uniform(x)?, uniform(y)?, x.clone(), y.clone()),
            Pair::Densities(..) | Pair::Gaussians(..) | Pair::Mixtures(..) | Pair::Fit(..) => {
                unreachable!("options::check lets points through")
            }
        };
        let mut coupling = optimal_transport(&p, &q, cost_matrix(x.view(), y.view(), order)?.view())?;
        if order == WassersteinOrder::ONE && x == y {
            coupling.potentials = one_function(x.view(), &p, &q)?;
        }
        Ok(Self::written(&coupling))
    }

    fn written(coupling: &TransportPlan) -> Self {
        let mut plan = "from,to,mass\n".to_owned();
        for flow in &coupling.flows {
            plan += &format!("{},{},{}\n", flow.from, flow.to, flow.mass);
        }
        let mut potentials = "distribution,index,potential\n".to_owned();
        for (which, values) in [('P', &coupling.potentials.0), ('Q', &coupling.potentials.1)] {
            for (index, value) in values.iter().enumerate() {
                potentials += &format!("{which},{index},{value}\n");
            }
        }
        Coupling { plan, potentials }
    }
}

/// On common points W₁ has one potential for both, the function of Kantorovich and Rubinstein.
fn one_function(
    points: ArrayView2<'_, f64>,
    p: &Distribution,
    q: &Distribution,
) -> Result<(Vec<f64>, Vec<f64>), TransportError> {
    let (_, potential) = kantorovich_rubinstein(points, p, q)?;
    Ok((potential.clone(), potential))
}
