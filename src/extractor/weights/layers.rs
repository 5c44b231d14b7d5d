//! What the networks share: checking a state dict against an architecture, and convolutions with batch normalisation.

use super::onnx::{ConvolutionWeights, Graph, GraphValue, Window};
use super::pth::{StateDict, StoredTensor};
use super::{Mismatch, WeightsError};

/// Suffix of the batch counters that PyTorch keeps beside the statistics; inference does not need them.
const BATCH_COUNTER: &str = "num_batches_tracked";

/// The names and shapes of a network's tensors.
pub(super) type Layout = Vec<(String, Vec<usize>)>;

/// A state dict that has exactly the tensors of a network.
pub(super) struct Checked<'a>(&'a StateDict);

impl<'a> Checked<'a> {
    /// Compares the state dict with the layout, names every difference, and looks for values that are not finite.
    pub(super) fn new(network: &'static str, layout: &Layout, state: &'a StateDict) -> Result<Self, WeightsError> {
        let mut mismatch = Mismatch::default();
        for (name, shape) in layout {
            match state.get(name) {
                None => mismatch.missing.push(name.clone()),
                Some(tensor) if tensor.shape() != shape => {
                    mismatch.misshaped.push((name.clone(), shape.clone(), tensor.shape().to_vec()));
                }
                Some(_) => {}
            }
        }
        let known: std::collections::HashSet<&str> = layout.iter().map(|(name, _)| name.as_str()).collect();
        let extra = state.iter().map(|(name, _)| name).filter(|name| !known.contains(name));
        mismatch.unexpected.extend(extra.filter(|name| !name.ends_with(BATCH_COUNTER)).map(str::to_owned));
        if !mismatch.is_empty() {
            return Err(WeightsError::Mismatch { network, mismatch });
        }
        for (name, tensor) in state.iter() {
            if let Some((index, &value)) = tensor.data().iter().enumerate().find(|(_, value)| !value.is_finite()) {
                return Err(WeightsError::NotFinite { name: name.to_owned(), index, value });
            }
            let negative = tensor.data().iter().enumerate().find(|&(_, &value)| value < 0.0);
            if let Some((index, &value)) = negative.filter(|_| name.ends_with("running_var")) {
                return Err(WeightsError::Variance { name: name.to_owned(), index, value });
            }
        }
        Ok(Self(state))
    }

    /// A tensor of the layout.
    pub(super) fn tensor(&self, name: &str) -> &'a StoredTensor {
        self.0.get(name).expect("every tensor a network asks for is in its layout")
    }
}

/// How batch normalisation appears in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchNormForm {
    /// Folded into the weights and the bias of the convolution before it, in `f64`: one operator less per
    /// convolution.
    #[default]
    Folded,
    /// An operator of its own, as PyTorch computes it.
    Separate,
}

/// A convolution without bias followed by batch normalisation.
pub(super) struct ConvBn<'a> {
    pub(super) weight: &'a StoredTensor,
    pub(super) scale: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) mean: &'a [f32],
    pub(super) variance: &'a [f32],
    pub(super) epsilon: f32,
}

impl<'a> ConvBn<'a> {
    /// The tensors `{conv}.weight` and `{bn}.{weight,bias,running_mean,running_var}`.
    pub(super) fn new(state: &Checked<'a>, conv: &str, bn: &str, epsilon: f32) -> Self {
        let vector = |part: &str| state.tensor(&format!("{bn}.{part}")).data();
        Self {
            weight: state.tensor(&format!("{conv}.weight")),
            scale: vector("weight"),
            bias: vector("bias"),
            mean: vector("running_mean"),
            variance: vector("running_var"),
            epsilon,
        }
    }

    /// Names and shapes of the tensors that [`ConvBn::new`] asks for.
    pub(super) fn layout(conv: &str, bn: &str, weight: [usize; 4]) -> Layout {
        let vectors =
            ["weight", "bias", "running_mean", "running_var"].map(|part| (format!("{bn}.{part}"), vec![weight[0]]));
        std::iter::once((format!("{conv}.weight"), weight.to_vec())).chain(vectors).collect()
    }

    /// Adds the pair to the graph; its value is named `name`.
    pub(super) fn add(
        &self,
        graph: &mut Graph,
        mode: BatchNormForm,
        name: &str,
        input: &GraphValue,
        window: Window,
        groups: usize,
    ) -> GraphValue {
        match mode {
            BatchNormForm::Folded => graph.conv(name, input, self.fold(), window, groups),
            BatchNormForm::Separate => {
                let kernel = ConvolutionWeights { weight: self.weight.clone(), bias: None };
                let raw = graph.conv(&format!("{name}.conv"), input, kernel, window, groups);
                graph.batch_norm(name, &raw, [self.scale, self.bias, self.mean, self.variance], self.epsilon)
            }
        }
    }

    /// One convolution that computes both: with s = scale / √(variance + epsilon), the weights times s and the bias
    /// bias − mean·s. In `f64`, rounded once.
    fn fold(&self) -> ConvolutionWeights {
        let factors: Vec<f64> = std::iter::zip(self.scale, self.variance)
            .map(|(&scale, &variance)| f64::from(scale) / (f64::from(variance) + f64::from(self.epsilon)).sqrt())
            .collect();
        let bias = std::iter::zip(self.bias, self.mean).zip(&factors);
        let bias = bias.map(|((&bias, &mean), factor)| (f64::from(bias) - f64::from(mean) * factor) as f32).collect();
        let weight = self.weight.scale_rows(factors.iter().copied());
        ConvolutionWeights { weight, bias: Some(bias) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::extractor::weights::pth::WeightsOrigin;

    fn state(change: impl Fn(&mut BTreeMap<String, StoredTensor>)) -> StateDict {
        let vector = |values: [f32; 2]| StoredTensor::new(vec![2], values.to_vec()).unwrap();
        let mut tensors = BTreeMap::from([
            ("c.weight".to_owned(), StoredTensor::new(vec![2, 1, 1, 2], vec![1.0, -2.0, 3.0, 0.5]).unwrap()),
            ("b.weight".to_owned(), vector([2.0, -1.0])),
            ("b.bias".to_owned(), vector([0.25, 0.5])),
            ("b.running_mean".to_owned(), vector([-1.0, 4.0])),
            ("b.running_var".to_owned(), vector([3.0, 0.0])),
            ("b.num_batches_tracked".to_owned(), StoredTensor::new(vec![], vec![9.0]).unwrap()),
        ]);
        change(&mut tensors);
        StateDict::new(tensors, WeightsOrigin::Seeded { seed: 0 })
    }

    fn check(state: &StateDict) -> Result<Checked<'_>, WeightsError> {
        Checked::new("test", &ConvBn::layout("c", "b", [2, 1, 1, 2]), state)
    }

    #[test]
    fn folding_is_the_composition() {
        let state = state(|_| {});
        let checked = check(&state).unwrap();
        let pair = ConvBn::new(&checked, "c", "b", 1.0);
        let ConvolutionWeights { weight, bias } = pair.fold();
        // Factors 2/√4 and −1/√1.
        assert_eq!(weight.data(), [1.0, -2.0, -3.0, -0.5]);
        assert_eq!(bias.unwrap(), [0.25 + 1.0, 0.5 + 4.0]);
        // On any input, with the batch normalisation written out.
        for input in [[0.0, 0.0], [1.5, -0.25], [-7.0, 2.0]] {
            for channel in 0..2 {
                let dot = |row: &[f32]| row[0] * input[0] + row[1] * input[1];
                let raw = dot(&pair.weight.data()[2 * channel..]);
                let normalised = (raw - pair.mean[channel]) / (pair.variance[channel] + 1.0).sqrt();
                let expected = pair.scale[channel] * normalised + pair.bias[channel];
                let kernel = pair.fold();
                assert_eq!(dot(&kernel.weight.data()[2 * channel..]) + kernel.bias.unwrap()[channel], expected);
            }
        }
    }

    #[test]
    fn every_difference_is_named() {
        let state = state(|tensors| {
            let weight = tensors.remove("b.weight").unwrap();
            tensors.insert("weight".to_owned(), weight);
            tensors.remove("b.running_var");
            tensors.insert("b.bias".to_owned(), StoredTensor::new(vec![1], vec![0.0]).unwrap());
        });
        let Err(WeightsError::Mismatch { network, mismatch }) = check(&state) else { panic!("accepted") };
        let names = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(mismatch.missing, names(&["b.weight", "b.running_var"]));
        assert_eq!(mismatch.unexpected, names(&["weight"]));
        assert_eq!(mismatch.misshaped, [("b.bias".to_owned(), vec![2], vec![1])]);
        let message = WeightsError::Mismatch { network, mismatch }.to_string();
        assert_eq!(
            message,
            "the checkpoint is not one of test: 2 missing (b.weight, b.running_var); 1 unexpected (weight); \
             1 of another shape (b.bias [1] instead of [2])"
        );
    }

    #[test]
    fn impossible_values_are_errors() {
        let with = |name: &str, values: [f32; 2]| {
            state(|tensors| drop(tensors.insert(name.to_owned(), StoredTensor::new(vec![2], values.to_vec()).unwrap())))
        };
        let nan = with("b.bias", [0.0, f32::NAN]);
        assert!(matches!(check(&nan), Err(WeightsError::NotFinite { name, index: 1, .. }) if name == "b.bias"));
        let negative = with("b.running_var", [-1e-6, 1.0]);
        assert!(matches!(check(&negative), Err(WeightsError::Variance { index: 0, .. })));
        assert!(check(&with("b.bias", [-1.0, 1.0])).is_ok());
    }
}
