//! Stochastic gradient descent and its adaptive relatives, with PyTorch's formulas.

use serde::{Deserialize, Serialize};

use crate::gan::error::GanError;
use crate::gan::kernels::pointwise::{update, update_with_state, update_with_states};
use crate::gan::networks::Parameter;
use crate::gan::real::Real;
use crate::gan::tensor::Tensor;

/// How a step follows from gradients g. States start at zero; t counts steps from 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Rule {
    /// b ← μ·b + g; w ← w − η·b.
    Sgd {
        /// η.
        learning_rate: f64,
        /// μ; 0 for plain gradient descent.
        momentum: f64,
    },
    /// v ← α·v + (1−α)·g²; w ← w − η·g/(√v + ε) (Tieleman and Hinton 2012).
    RmsProp {
        /// η.
        learning_rate: f64,
        /// α; PyTorch's default is 0.99.
        alpha: f64,
        /// ε; PyTorch's default is 1e-8.
        epsilon: f64,
    },
    /// m ← β₁·m + (1−β₁)·g; v ← β₂·v + (1−β₂)·g²; w ← w − η/(1−β₁ᵗ)·m/(√(v/(1−β₂ᵗ)) + ε) (Kingma and Ba 2015), after
    /// w ← (1 − η·λ)·w (Loshchilov and Hutter 2019) where the weight decay λ is not zero.
    Adam {
        /// η.
        learning_rate: f64,
        /// β₁; DCGAN uses 0.5.
        beta1: f64,
        /// β₂; PyTorch's default is 0.999.
        beta2: f64,
        /// ε; PyTorch's default is 1e-8.
        epsilon: f64,
        /// λ; 0 is Adam, anything else AdamW.
        weight_decay: f64,
    },
}

impl Rule {
    /// Adam as DCGAN's authors use it: η = 2e-4, β₁ = 0.5, β₂ = 0.999, ε = 1e-8.
    pub const DCGAN: Rule = Rule::adam(2e-4, 0.5, 0.999);

    /// Adam with these decays, ε = 1e-8 and no weight decay.
    pub const fn adam(learning_rate: f64, beta1: f64, beta2: f64) -> Self {
        Rule::Adam { learning_rate, beta1, beta2, epsilon: 1e-8, weight_decay: 0.0 }
    }

    /// η.
    pub fn learning_rate(&self) -> f64 {
        match *self {
            Rule::Sgd { learning_rate, .. }
            | Rule::RmsProp { learning_rate, .. }
            | Rule::Adam { learning_rate, .. } => learning_rate,
        }
    }

    /// The same rule with another η.
    #[must_use]
    pub fn with_learning_rate(mut self, rate: f64) -> Self {
        match &mut self {
            Rule::Sgd { learning_rate, .. }
            | Rule::RmsProp { learning_rate, .. }
            | Rule::Adam { learning_rate, .. } => {
                *learning_rate = rate;
            }
        }
        self
    }

    /// Tensors that are kept for every parameter.
    fn states(&self) -> &'static [&'static str] {
        match self {
            Rule::Sgd { momentum: 0.0, .. } => &[],
            Rule::Sgd { .. } => &["momentum"],
            Rule::RmsProp { .. } => &["square_avg"],
            Rule::Adam { .. } => &["exp_avg", "exp_avg_sq"],
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`GanError::Setting`] with the one that is out of range.
    pub fn validate(&self) -> Result<(), GanError> {
        let positive = |name, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(GanError::setting(name, value, "positive")),
        };
        let not_negative = |name, value: f64| match value >= 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(GanError::setting(name, value, "at least 0")),
        };
        let decay = |name, value: f64| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => Err(GanError::setting(name, value, "in [0, 1)")),
        };
        match *self {
            Rule::Sgd { learning_rate, momentum } => {
                positive("the learning rate", learning_rate).and(decay("the momentum", momentum))
            }
            Rule::RmsProp { learning_rate, alpha, epsilon } => positive("the learning rate", learning_rate)
                .and(decay("alpha", alpha))
                .and(not_negative("epsilon", epsilon)),
            Rule::Adam { learning_rate, beta1, beta2, epsilon, weight_decay } => {
                positive("the learning rate", learning_rate)
                    .and(decay("beta1", beta1))
                    .and(decay("beta2", beta2))
                    .and(not_negative("epsilon", epsilon))
                    .and(not_negative("the weight decay", weight_decay))
            }
        }
    }
}

/// A rule and what it remembers of earlier steps.
#[derive(Debug, Clone)]
pub struct Optimizer<T: Real = f32> {
    rule: Rule,
    steps: u64,
    /// One list of tensors for each of [`Rule::states`], in the order of the parameters.
    states: Vec<Vec<Parameter<T>>>,
}

impl<T: Real> Optimizer<T> {
    /// An optimizer of these parameters, before its first step.
    ///
    /// # Errors
    /// [`GanError::Setting`] when the rule's settings are out of range.
    pub fn new(rule: Rule, parameters: &[Parameter<T>]) -> Result<Self, GanError> {
        rule.validate()?;
        let state = |state: &&str| {
            parameters
                .iter()
                .map(|parameter| Parameter {
                    name: format!("{}.{state}", parameter.name),
                    value: Tensor::zeros(parameter.value.shape()),
                })
                .collect()
        };
        Ok(Optimizer { rule, steps: 0, states: rule.states().iter().map(state).collect() })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Says how many steps were taken, when [`Optimizer::state_mut`] restores an earlier state.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// What is remembered of earlier steps.
    pub fn state(&self) -> impl Iterator<Item = &Parameter<T>> {
        self.states.iter().flatten()
    }

    /// What is remembered of earlier steps, to be restored.
    pub fn state_mut(&mut self) -> impl Iterator<Item = &mut Parameter<T>> {
        self.states.iter_mut().flatten()
    }

    /// Changes the parameters by one step against the gradients.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is not one gradient of the right shape for each parameter.
    pub fn step(&mut self, parameters: &mut [Parameter<T>], gradients: &[Tensor<T>]) -> Result<(), GanError> {
        let fits = parameters.len() == gradients.len()
            && parameters
                .iter()
                .zip(gradients)
                .all(|(parameter, gradient)| parameter.value.shape() == gradient.shape());
        if !fits {
            let problem = format!("{} parameters and {} gradients of other shapes", parameters.len(), gradients.len());
            return Err(GanError::shape("optimizer", problem));
        }
        self.steps += 1;
        for (i, (parameter, gradient)) in parameters.iter_mut().zip(gradients).enumerate() {
            let mut states = self.states.iter_mut().map(|state| state[i].value.data_mut());
            apply(&self.rule, self.steps, parameter.value.data_mut(), gradient.data(), [states.next(), states.next()]);
        }
        Ok(())
    }
}

/// One step of one parameter.
fn apply<T: Real>(rule: &Rule, steps: u64, w: &mut [T], g: &[T], states: [Option<&mut [T]>; 2]) {
    match (*rule, states) {
        (Rule::Sgd { learning_rate, momentum }, [Some(b), _]) => {
            let (rate, momentum) = (T::of(learning_rate), T::of(momentum));
            update_with_state(w, b, g, |w, b, g| {
                *b = momentum * *b + g;
                *w -= rate * *b;
            });
        }
        (Rule::RmsProp { learning_rate, alpha, epsilon }, [Some(v), _]) => {
            let [rate, alpha, rest, epsilon] = [learning_rate, alpha, 1.0 - alpha, epsilon].map(T::of);
            update_with_state(w, v, g, |w, v, g| {
                *v = alpha * *v + rest * g * g;
                *w -= rate * g / (v.sqrt() + epsilon);
            });
        }
        (Rule::Adam { learning_rate, beta1, beta2, epsilon, weight_decay }, [Some(m), Some(v)]) => {
            let power = |beta: f64| 1.0 - beta.powf(steps as f64);
            let rate = T::of(learning_rate / power(beta1));
            let inverse_root = T::of(power(beta2).sqrt().recip());
            let [rest1, beta2, rest2, epsilon] = [1.0 - beta1, beta2, 1.0 - beta2, epsilon].map(T::of);
            let kept = T::of(1.0 - learning_rate * weight_decay);
            update_with_states(w, [m, v], g, |w, m, v, g| {
                *m += rest1 * (g - *m);
                *v = beta2 * *v + rest2 * g * g;
                *w = kept * *w - rate * *m / (v.sqrt() * inverse_root + epsilon);
            });
        }
        (rule, _) => {
            // Only plain gradient descent keeps no state.
            let (Rule::Sgd { learning_rate, .. }
            | Rule::RmsProp { learning_rate, .. }
            | Rule::Adam { learning_rate, .. }) = rule;
            let rate = T::of(learning_rate);
            update(w, g, |w, g| *w -= rate * g);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(value: f64) -> [Parameter<f64>; 1] {
        [Parameter { name: "w".into(), value: Tensor::scalar(value) }]
    }

    fn after(rule: Rule, gradients: &[f64]) -> f64 {
        let mut parameters = parameter(1.0);
        let mut optimizer = Optimizer::new(rule, &parameters).unwrap();
        for &gradient in gradients {
            optimizer.step(&mut parameters, &[Tensor::scalar(gradient)]).unwrap();
        }
        assert_eq!(optimizer.steps(), gradients.len() as u64);
        parameters[0].value.item().unwrap()
    }

    /// Roundings of a handful of operations around one.
    const ROUNDING: f64 = 1e-14;

    #[test]
    fn steps_follow_the_formulas() {
        let close = |ours: f64, expected: f64| assert!((ours - expected).abs() < ROUNDING, "{ours} is not {expected}");
        let rate = 0.1;
        close(after(Rule::Sgd { learning_rate: rate, momentum: 0.0 }, &[2.0, 3.0]), 0.5);
        // b = 2, then 0.9·2 + 3.
        close(after(Rule::Sgd { learning_rate: rate, momentum: 0.9 }, &[2.0, 3.0]), 1.0 - 0.2 - 0.48);
        // v = 0.25·4 = 1: a step of 0.1·2/1.
        close(after(Rule::RmsProp { learning_rate: rate, alpha: 0.75, epsilon: 0.0 }, &[2.0]), 0.8);
        // The first step of Adam is η·sign(g), whatever the gradient's size.
        let adam =
            |weight_decay| Rule::Adam { learning_rate: rate, beta1: 0.5, beta2: 0.9, epsilon: 0.0, weight_decay };
        close(after(adam(0.0), &[123.0]), 0.9);
        close(after(adam(0.5), &[-123.0]), 0.95 + 0.1);
    }

    #[test]
    fn settings_and_shapes_are_checked() {
        let refused = |rule: Rule| Optimizer::new(rule, &parameter(0.0)).unwrap_err().to_string();
        assert_eq!(
            refused(Rule::Sgd { learning_rate: -1.0, momentum: 0.0 }),
            "the learning rate = -1 is out of range: it must be positive"
        );
        assert_eq!(
            refused(Rule::RmsProp { learning_rate: 1.0, alpha: 1.0, epsilon: 0.0 }),
            "alpha = 1 is out of range: it must be in [0, 1)"
        );
        let mut parameters = parameter(0.0);
        let mut optimizer = Optimizer::new(Rule::DCGAN, &parameters).unwrap();
        assert!(optimizer.step(&mut parameters, &[]).is_err());
        assert!(optimizer.step(&mut parameters, &[Tensor::zeros(&[2])]).is_err());
        assert_eq!(optimizer.steps(), 0);
    }
}
