use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::definition::{Call, Definition};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// What every position of a map sees of all others: of queries q, keys k and values g at the positions of maps it makes
/// oᵢ = Σⱼ aᵢⱼ·gⱼ with aᵢ = softmaxⱼ(qᵢ·kⱼ) (Zhang, Goodfellow, Metaxas and Odena 2019), or softmaxⱼ(qᵢ·kⱼ/√d) (Vaswani et al. 2017).
/// Keys and values may be of a smaller map than queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfAttention {
    /// Channels of queries and of keys.
    pub depth: usize,
    /// Channels of values.
    pub values: usize,
    /// Side of the map of queries.
    pub side: usize,
    /// Side of the maps of keys and of values.
    pub key_side: usize,
    /// Whether agreements are divided by the square root of `depth`.
    pub scaled: bool,
}

impl SelfAttention {
    /// What agreements are multiplied by.
    fn factor(&self) -> f64 {
        if self.scaled { 1.0 / (self.depth as f64).sqrt() } else { 1.0 }
    }

    fn areas(&self) -> [usize; 2] {
        [self.side, self.key_side].map(|side| side * side)
    }
}

/// a, N×(positions of queries)×(positions of keys), whose rows add up to 1.
fn shares<T: Real>(queries: &Var<T>, keys: &Var<T>, factor: f64) -> Result<Var<T>, GanError> {
    let agreement = queries.batched_matmul_tn(keys)?;
    if factor == 1.0 { agreement.softmax(2) } else { agreement.scale(T::of(factor)).softmax(2) }
}

impl Definition for SelfAttention {
    fn arity(&self) -> RangeInclusive<usize> {
        3..=3
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        let &SelfAttention { depth, values, side, key_side, .. } = self;
        let expected = [[depth, side, side], [depth, key_side, key_side], [values, key_side, key_side]];
        match inputs.iter().zip(&expected).all(|(input, expected)| *input == expected) {
            true => Ok(vec![values, side, side]),
            false => Err(GanError::shape("self-attention", format!("it takes {expected:?}, the inputs are {inputs:?}"))),
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let [area, key_area] = self.areas();
        let batch = call.input().shape()[0];
        let queries = call.inputs[0].reshape(&[batch, self.depth, area])?;
        let keys = call.inputs[1].reshape(&[batch, self.depth, key_area])?;
        let values = call.inputs[2].reshape(&[batch, self.values, key_area])?;
        let seen = values.batched_matmul_nt(&shares(&queries, &keys, self.factor())?)?;
        seen.reshape(&[batch, self.values, self.side, self.side])
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let ([area, key_area], graph) = (self.areas(), node.graph);
        let name = |part: &str| format!("{}.{part}", node.name);
        let queries = graph.reshape(&name("queries"), &node.inputs[0], &[self.depth, area]);
        let queries = graph.transposed(&name("rows"), &queries);
        let keys = graph.reshape(&name("keys"), &node.inputs[1], &[self.depth, key_area]);
        let values = graph.reshape(&name("values"), &node.inputs[2], &[self.values, key_area]);
        let mut agreement = graph.matmul(&name("agreement"), &queries, &keys);
        if self.scaled {
            agreement = graph.scale(&name("scaled"), &agreement, self.factor() as f32);
        }
        let shares = graph.softmax(&name("shares"), &agreement, 2);
        let shares = graph.transposed(&name("columns"), &shares);
        let seen = graph.matmul(&name("seen"), &values, &shares);
        Some(graph.reshape(&node.name, &seen, &[self.values, self.side, self.side]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::Mode;
    use super::*;
    use crate::gan::tensor::Tensor;
    use crate::gan::testing::{check_derivatives, sample};

    const LAYER: SelfAttention = SelfAttention { depth: 2, values: 3, side: 2, key_side: 2, scaled: false };

    fn apply(layer: &SelfAttention, inputs: &[Var<f64>]) -> Var<f64> {
        layer.apply(Call { parameters: &[], inputs, mode: Mode::Evaluation { buffers: &[] } }).unwrap()
    }

    fn maps(seed: u64) -> [Tensor<f64>; 3] {
        [sample(&[2, 2, 2, 2], seed), sample(&[2, 2, 2, 2], seed + 1), sample(&[2, 3, 2, 2], seed + 2)]
    }

    #[test]
    fn shares_add_up_to_one_and_are_those_of_the_formula() {
        let [queries, keys, _] = maps(1).map(|map| Var::constant(map.reshape(&[2, map.shape()[1], 4]).unwrap()));
        let shares = shares(&queries, &keys, 1.0).unwrap();
        assert_eq!(shares.shape(), [2, 4, 4]);
        assert!(shares.value().data().chunks(4).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-14));
        // Of the second position of the first sample.
        let (q, k) = (queries.value().data(), keys.value().data());
        let agreement: Vec<f64> = (0..4).map(|j| (q[1] * k[j] + q[5] * k[4 + j]).exp()).collect();
        let total: f64 = agreement.iter().sum();
        for (share, expected) in shares.value().data()[4..8].iter().zip(agreement) {
            assert!((share - expected / total).abs() < 1e-14);
        }
    }

    #[test]
    fn without_agreement_everybody_sees_the_mean() {
        let [_, keys, values] = maps(1);
        let inputs = [Tensor::zeros(&[2, 2, 2, 2]), keys, values.clone()].map(Var::constant);
        let seen = apply(&LAYER, &inputs);
        for (map, of_values) in seen.value().data().chunks(4).zip(values.data().chunks(4)) {
            let mean = of_values.iter().sum::<f64>() / 4.0;
            assert!(map.iter().all(|value| (value - mean).abs() < 1e-14));
        }
    }

    #[test]
    fn scaled_agreements_are_those_of_queries_that_are_smaller() {
        let [queries, keys, values] = maps(1);
        let scaled = SelfAttention { scaled: true, ..LAYER };
        let smaller = Tensor::from_fn(queries.shape(), |i| queries.data()[i] / 2.0_f64.sqrt());
        let of = |layer: &SelfAttention, queries: Tensor<f64>| {
            apply(layer, &[queries, keys.clone(), values.clone()].map(Var::constant)).value().clone()
        };
        let (expected, found) = (of(&LAYER, smaller), of(&scaled, queries.clone()));
        let distances = found.data().iter().zip(expected.data()).map(|(a, b)| (a - b).abs());
        assert!(distances.fold(0.0, f64::max) < 1e-14);
        assert_ne!(found, of(&LAYER, queries));
    }

    #[test]
    fn a_query_that_likes_one_position_gets_it() {
        let [_, _, values] = maps(1);
        // Only the third position has a key.
        let keys = Tensor::from_fn(&[2, 2, 2, 2], |i| if i % 4 == 2 { 1.0 } else { 0.0 });
        let seen = apply(&LAYER, &[Tensor::full(&[2, 2, 2, 2], 1e4), keys, values.clone()].map(Var::constant));
        for (map, of_values) in seen.value().data().chunks(4).zip(values.data().chunks(4)) {
            assert!(map.iter().all(|value| (value - of_values[2]).abs() < 1e-12));
        }
    }

    #[test]
    fn positions_that_change_places_take_what_they_see_along() {
        const ORDER: [usize; 4] = [2, 0, 3, 1];
        let moved = |map: &Tensor<f64>| Tensor::from_fn(map.shape(), |i| map.data()[i / 4 * 4 + ORDER[i % 4]]);
        let plain = apply(&LAYER, &maps(1).map(Var::constant));
        let of_moved = apply(&LAYER, &maps(1).each_ref().map(moved).map(Var::constant));
        let expected = moved(plain.value());
        let distances = of_moved.value().data().iter().zip(expected.data()).map(|(a, b)| (a - b).abs());
        assert!(distances.fold(0.0, f64::max) < 1e-14);
    }

    #[test]
    fn derivatives() {
        check_derivatives(&maps(1), |x| Ok(apply(&LAYER, x)));
        check_derivatives(&maps(1), |x| Ok(apply(&SelfAttention { scaled: true, ..LAYER }, x)));
        let smaller = SelfAttention { key_side: 1, ..LAYER };
        let inputs = [sample(&[2, 2, 2, 2], 1), sample(&[2, 2, 1, 1], 2), sample(&[2, 3, 1, 1], 3)];
        check_derivatives(&inputs, |x| Ok(apply(&smaller, x)));
    }

    #[test]
    fn maps_that_do_not_fit_are_named() {
        let message = LAYER.output_shape(&[&[2, 2, 2], &[2, 2, 2], &[2, 2, 2]]).unwrap_err().to_string();
        assert!(message.starts_with("self-attention: it takes [[2, 2, 2], [2, 2, 2], [3, 2, 2]]"), "{message}");
    }
}
