//! Laws of layers that have no tests of their own.

use super::*;
use crate::gan::tape::{Differentiability, grad};
use crate::gan::tensor::Tensor;
use crate::gan::testing::{check_derivatives, sample};

fn apply(layer: &Layer, parameters: &[Var<f64>], inputs: &[Var<f64>]) -> Result<Var<f64>, GanError> {
    layer.apply(Call { parameters, inputs, mode: Mode::Evaluation { buffers: &[] } })
}

#[test]
fn derivatives_of_pools_and_sums() {
    for layer in [AveragePool { side: 2 }.into(), MaxPool { side: 2 }.into(), SpaceSum.into()] {
        check_derivatives(&[sample(&[2, 3, 4, 2], 1)], |x| Ok(apply(&layer, &[], x)?.square()));
    }
    let layer = Projection.into();
    check_derivatives(&[sample(&[2, 3], 1), sample(&[2, 3], 2)], |x| apply(&layer, &[], x));
    let layer = Gain.into();
    check_derivatives(&[sample(&[2, 3], 1), sample(&[1], 2)], |x| apply(&layer, &x[1..], &x[..1]));
    let layer = Embedding { classes: 3, length: 4 }.into();
    check_derivatives(&[sample(&[2, 3], 1), sample(&[3, 4], 2)], |x| apply(&layer, &x[1..], &x[..1]));
}

#[test]
fn shapes_are_those_of_the_values() {
    let shape = |layer: Layer, inputs: &[&[usize]]| layer.output_shape(inputs).map_err(|error| error.to_string());
    assert_eq!(shape(AveragePool { side: 2 }.into(), &[&[3, 4, 6]]), Ok(vec![3, 2, 3]));
    assert_eq!(shape(SpaceSum.into(), &[&[3, 4, 6]]), Ok(vec![3]));
    assert_eq!(shape(Projection.into(), &[&[3], &[3]]), Ok(vec![1]));
    assert_eq!(shape(Embedding { classes: 2, length: 5 }.into(), &[&[2]]), Ok(vec![5]));
    for (layer, inputs, message) in [
        (
            MaxPool { side: 2 }.into(),
            vec![&[3, 4, 5][..]],
            "max pool: an input of [3, 4, 5] cannot be cut into squares of 2×2",
        ),
        (
            MaxPool { side: 0 }.into(),
            vec![&[3, 4, 4][..]],
            "max pool: an input of [3, 4, 4] cannot be cut into squares of 0×0",
        ),
        (
            AveragePool { side: 2 }.into(),
            vec![&[4][..]],
            "average pool: it takes channels×height×width, the input is [4]",
        ),
        (SpaceSum.into(), vec![&[4][..]], "sum over space: it takes channels×height×width, the input is [4]"),
        (
            Projection.into(),
            vec![&[3][..], &[4][..]],
            "projection: it takes two rows of one length, the inputs are [3] and [4]",
        ),
        (
            Embedding { classes: 2, length: 5 }.into(),
            vec![&[3][..]],
            "embedding: it takes one of 2 classes, one-hot, the input is [3]",
        ),
    ] {
        assert_eq!(shape(layer, &inputs), Err(message.to_owned()));
    }
}

#[test]
fn a_gain_lets_nothing_through_at_first_and_can_learn_to() {
    let (x, gain) = (Var::constant(sample(&[2, 3], 1)), Var::leaf(Tensor::zeros(&[1])));
    let y = apply(&Gain.into(), std::slice::from_ref(&gain), std::slice::from_ref(&x)).unwrap();
    assert!(y.value().data().iter().all(|&value| value == 0.0));
    let slope = grad(&y.sum(), &[&gain], Differentiability::Once).unwrap().remove(0);
    let expected: f64 = x.value().data().iter().sum();
    assert!((slope.item().unwrap() - expected).abs() < 1e-14 && expected.abs() > 0.1);
}

#[test]
fn only_the_row_of_the_class_learns_from_a_projection() {
    let (table, image) = (Var::leaf(sample(&[3, 4], 1)), Var::constant(sample(&[1, 4], 2)));
    let class = Var::constant(Tensor::new(&[1, 3], vec![0.0, 1.0, 0.0]).unwrap());
    let row = apply(&Embedding { classes: 3, length: 4 }.into(), std::slice::from_ref(&table), &[class]).unwrap();
    let fit = apply(&Projection.into(), &[], &[image.clone(), row]).unwrap();
    let slope = grad(&fit.sum(), &[&table], Differentiability::Once).unwrap().remove(0);
    let expected = [&[0.0; 4][..], image.value().data(), &[0.0; 4]].concat();
    assert_eq!(slope.value().data(), expected);
}
