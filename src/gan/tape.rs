//! Reverse-mode differentiation, closed under itself.
//!
//! A [`Var`] is a value and, when it depends on something that derivatives are asked for, the operation and the inputs
//! that made it. The derivative of every operation is written in operations on `Var`s, so a gradient is a `Var` like
//! any other and can be differentiated again.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::rc::Rc;

use super::error::GanError;
use super::real::Real;
use super::tensor::Tensor;

/// A value that knows where it comes from.
#[derive(Clone)]
pub struct Var<T: Real = f32>(Rc<Node<T>>);

struct Node<T: Real> {
    /// Grows with time: an input always has a smaller one than what is made of it.
    id: u64,
    value: Tensor<T>,
    origin: Origin<T>,
}

enum Origin<T: Real> {
    /// Nothing can be differentiated by it.
    Constant,
    /// A variable that derivatives may be asked for.
    Leaf,
    /// Made by an operation.
    Made { op: Box<dyn Op<T>>, inputs: Vec<Var<T>> },
}

/// Whether a gradient will be differentiated itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differentiability {
    /// The gradient is a constant: less memory, and the fused kernels may be used.
    Once,
    /// The gradient is made of differentiable operations.
    Again,
}

/// What [`Op::vjp`] is called with.
pub(crate) struct Backward<'a, T: Real> {
    /// What the operation was applied to.
    pub inputs: &'a [Var<T>],
    /// What it gave.
    pub output: &'a Var<T>,
    /// Derivative of the final scalar by the output, of the output's shape.
    pub grad: &'a Var<T>,
    /// Which inputs need a derivative.
    wanted: &'a [bool],
}

impl<T: Real> Backward<'_, T> {
    /// The derivative by one of the inputs, if it is needed.
    pub fn by<E>(&self, input: usize, derivative: impl FnOnce() -> Result<Var<T>, E>) -> Result<Option<Var<T>>, E> {
        if self.wanted[input] { derivative().map(Some) } else { Ok(None) }
    }

    /// Whether the input needs a derivative.
    pub fn wants(&self, input: usize) -> bool {
        self.wanted[input]
    }

    /// Whether nobody will differentiate the result, so that a fused kernel may compute it.
    pub fn is_final(&self) -> bool {
        !self.grad.is_tracked() && self.inputs.iter().all(|input| !input.is_tracked())
    }

    /// The derivatives of the operation when it is written out in other operations: slow, and differentiable.
    pub fn by_definition(
        &self,
        definition: impl FnOnce(&[Var<T>]) -> Result<Var<T>, GanError>,
    ) -> Result<Vec<Option<Var<T>>>, GanError> {
        // Differentiating by stand-ins keeps paths between the inputs themselves out of it.
        let stand_ins: Vec<_> = self.inputs.iter().map(Var::stand_in).collect();
        let output = definition(&stand_ins)?;
        let wanted: Vec<_> = stand_ins.iter().zip(self.wanted).filter(|(_, wanted)| **wanted).map(|(x, _)| x).collect();
        let mut found = grad_along(&output, self.grad, &wanted, Differentiability::Again)?.into_iter();
        Ok(self.wanted.iter().map(|&wanted| if wanted { found.next() } else { None }).collect())
    }
}

/// An operation, as the tape remembers it.
pub(crate) trait Op<T: Real> {
    /// Name for messages.
    fn name(&self) -> &'static str;

    /// The vector–Jacobian product: one entry for each input, `None` where no derivative is needed or it is zero.
    fn vjp(&self, call: &Backward<'_, T>) -> Result<Vec<Option<Var<T>>>, GanError>;
}

struct StandIn;

impl<T: Real> Op<T> for StandIn {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Result<Vec<Option<Var<T>>>, GanError> {
        Ok(vec![Some(call.grad.clone())])
    }
}

fn next_id() -> u64 {
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    NEXT.replace(NEXT.get() + 1)
}

impl<T: Real> Var<T> {
    fn with_origin(value: Tensor<T>, origin: Origin<T>) -> Self {
        Var(Rc::new(Node { id: next_id(), value, origin }))
    }

    /// A value that nothing is differentiated by.
    pub fn constant(value: Tensor<T>) -> Self {
        Self::with_origin(value, Origin::Constant)
    }

    /// A variable: [`grad`] can differentiate by it.
    pub fn leaf(value: Tensor<T>) -> Self {
        Self::with_origin(value, Origin::Leaf)
    }

    /// The result of an operation, which is remembered only when an input is tracked.
    pub(crate) fn made(value: Tensor<T>, op: impl Op<T> + 'static, inputs: &[&Var<T>]) -> Self {
        if inputs.iter().any(|input| input.is_tracked()) {
            let inputs = inputs.iter().copied().cloned().collect();
            Self::with_origin(value, Origin::Made { op: Box::new(op), inputs })
        } else {
            Self::constant(value)
        }
    }

    fn stand_in(&self) -> Self {
        let inputs = vec![self.clone()];
        Self::with_origin(self.value().clone(), Origin::Made { op: Box::new(StandIn), inputs })
    }

    /// The value.
    pub fn value(&self) -> &Tensor<T> {
        &self.0.value
    }

    /// Length of every axis.
    pub fn shape(&self) -> &[usize] {
        self.value().shape()
    }

    /// The only value of a scalar.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is not exactly one.
    pub fn item(&self) -> Result<T, GanError> {
        self.value().item()
    }

    /// Whether something that it depends on can be differentiated by.
    pub fn is_tracked(&self) -> bool {
        !matches!(self.0.origin, Origin::Constant)
    }

    /// The value alone.
    pub fn detach(&self) -> Self {
        if self.is_tracked() { Self::constant(self.value().clone()) } else { self.clone() }
    }

    fn inputs(&self) -> &[Var<T>] {
        match &self.0.origin {
            Origin::Made { inputs, .. } => inputs,
            _ => &[],
        }
    }
}

impl<T: Real> fmt::Debug for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match &self.0.origin {
            Origin::Constant => "constant",
            Origin::Leaf => "leaf",
            Origin::Made { op, .. } => op.name(),
        };
        write!(f, "Var({origin}, {:?})", self.value())
    }
}

/// The derivatives of a scalar by each of `variables`, in their order and of their shapes; zeros where it does not
/// depend on one.
///
/// ```
/// use gan_metrics::gan::{Differentiability, Tensor, Var, grad};
///
/// let x = Var::leaf(Tensor::scalar(3.0_f64));
/// let cube = x.mul(&x)?.mul(&x)?;
/// let slope = &grad(&cube, &[&x], Differentiability::Again)?[0];
/// let curvature = &grad(slope, &[&x], Differentiability::Once)?[0];
/// assert_eq!((slope.item()?, curvature.item()?), (27.0, 18.0));
/// # Ok::<(), gan_metrics::gan::GanError>(())
/// ```
///
/// # Errors
/// [`GanError::Shape`] when the output has more than one value; [`GanError::NotDifferentiable`] where an operation on
/// the way has no further derivative.
pub fn grad<T: Real>(
    output: &Var<T>,
    variables: &[&Var<T>],
    differentiability: Differentiability,
) -> Result<Vec<Var<T>>, GanError> {
    if output.value().len() != 1 {
        let problem = format!("the gradient of a scalar was asked for, got shape {:?}", output.shape());
        return Err(GanError::shape("grad", problem));
    }
    let one = Var::constant(Tensor::full(output.shape(), T::ONE));
    grad_along(output, &one, variables, differentiability)
}

/// The derivatives of ⟨`direction`, `output`⟩, where `direction` is not differentiated unless asked for again.
fn grad_along<T: Real>(
    output: &Var<T>,
    direction: &Var<T>,
    variables: &[&Var<T>],
    differentiability: Differentiability,
) -> Result<Vec<Var<T>>, GanError> {
    let once = differentiability == Differentiability::Once;
    let asked: HashSet<u64> = variables.iter().map(|variable| variable.0.id).collect();
    let on_path = nodes_on_path(output, &asked);
    let mut gradients = BTreeMap::from([(output.0.id, if once { direction.detach() } else { direction.clone() })]);
    // Outputs come after their inputs in time: when a node's turn has come, its gradient is complete.
    for (id, node) in on_path.iter().rev() {
        let Origin::Made { op, inputs } = &node.0.origin else { continue };
        let gradient = if asked.contains(id) { gradients.get(id).cloned() } else { gradients.remove(id) };
        let Some(gradient) = gradient else { continue };
        let wanted: Vec<bool> = inputs.iter().map(|input| on_path.contains_key(&input.0.id)).collect();
        let found = if once {
            let inputs: Vec<_> = inputs.iter().map(Var::detach).collect();
            op.vjp(&Backward { inputs: &inputs, output: &node.detach(), grad: &gradient, wanted: &wanted })
        } else {
            op.vjp(&Backward { inputs, output: node, grad: &gradient, wanted: &wanted })
        };
        for (input, gradient) in inputs.iter().zip(found?) {
            let Some(gradient) = gradient.filter(|_| on_path.contains_key(&input.0.id)) else { continue };
            debug_assert_eq!(gradient.shape(), input.shape(), "the gradient of {}", op.name());
            let sum = match gradients.remove(&input.0.id) {
                Some(other) => other.add(&gradient)?,
                None => gradient,
            };
            gradients.insert(input.0.id, sum);
        }
    }
    let zeros = |variable: &&Var<T>| Var::constant(Tensor::zeros(variable.shape()));
    Ok(variables
        .iter()
        .map(|variable| gradients.get(&variable.0.id).cloned().unwrap_or_else(|| zeros(variable)))
        .collect())
}

/// What `output` is made of and that is made of a variable asked for, by age.
fn nodes_on_path<'a, T: Real>(output: &'a Var<T>, asked: &HashSet<u64>) -> BTreeMap<u64, &'a Var<T>> {
    let mut reachable = BTreeMap::new();
    let mut stack = vec![output];
    while let Some(node) = stack.pop() {
        if node.is_tracked() && reachable.insert(node.0.id, node).is_none() {
            stack.extend(node.inputs());
        }
    }
    let mut on_path = BTreeMap::new();
    for (id, node) in reachable {
        if asked.contains(&id) || node.inputs().iter().any(|input| on_path.contains_key(&input.0.id)) {
            on_path.insert(id, node);
        }
    }
    on_path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(values: &[f64]) -> Var<f64> {
        Var::leaf(Tensor::new(&[values.len()], values.to_vec()).unwrap())
    }

    #[test]
    fn a_variable_used_twice_gets_both_contributions() {
        let x = leaf(&[2.0, -1.0]);
        let y = x.mul(&x).unwrap().add(&x).unwrap().sum();
        let gradient = grad(&y, &[&x], Differentiability::Once).unwrap();
        assert_eq!(gradient[0].value().data(), [5.0, -1.0]);
        assert!(!gradient[0].is_tracked());
    }

    #[test]
    fn only_what_is_asked_for_is_differentiated() {
        let (x, w) = (leaf(&[2.0]), leaf(&[3.0]));
        let y = x.mul(&w).unwrap();
        let unrelated = leaf(&[1.0, 1.0]);
        let gradients = grad(&y, &[&w, &unrelated], Differentiability::Once).unwrap();
        assert_eq!(gradients[0].value().data(), [2.0]);
        assert_eq!(gradients[1].value().data(), [0.0, 0.0]);
    }

    #[test]
    fn intermediate_results_can_be_differentiated_by() {
        let x = leaf(&[2.0]);
        let square = x.mul(&x).unwrap();
        let y = square.mul(&square).unwrap();
        let gradients = grad(&y, &[&square, &x], Differentiability::Once).unwrap();
        assert_eq!((gradients[0].item().unwrap(), gradients[1].item().unwrap()), (8.0, 32.0));
    }

    #[test]
    fn derivatives_of_derivatives() {
        // x⁵: 5x⁴, 20x³, 60x², 120x.
        let x = leaf(&[2.0]);
        let mut y = x.clone();
        for _ in 0..4 {
            y = y.mul(&x).unwrap();
        }
        for expected in [80.0, 160.0, 240.0, 240.0] {
            y = grad(&y, &[&x], Differentiability::Again).unwrap().remove(0);
            assert_eq!(y.item().unwrap(), expected);
        }
    }

    #[test]
    fn the_output_must_be_a_scalar() {
        let x = leaf(&[1.0, 2.0]);
        let error = grad(&x, &[&x], Differentiability::Once).unwrap_err();
        assert_eq!(error.to_string(), "grad: the gradient of a scalar was asked for, got shape [2]");
    }

    #[test]
    fn constants_leave_no_trace() {
        let x = Var::constant(Tensor::scalar(2.0_f64));
        assert!(!x.mul(&x).unwrap().is_tracked());
        assert!(x.detach().add(&leaf(&[1.0])).is_ok_and(|sum| sum.is_tracked()));
    }
}
