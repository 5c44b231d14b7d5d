//! A step of the flow.

use crate::gan::error::GanError;
use crate::gan::layers::{Activation, ChannelScale, Conv2d, Initializer, Sum};
use crate::gan::networks::{Graph, Outputs, name};
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// Residual blocks of a network.
const BLOCKS: usize = 2;

/// Which values a coupling leaves as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Pixels whose row and column add up to an even number, or to an odd one.
    Checkerboard {
        /// Which of both.
        odd: bool,
    },
    /// The first half of the channels, or the other.
    Channels {
        /// Which of both.
        second: bool,
    },
}

/// An affine coupling: what it keeps of x goes through a network, which says how the rest is scaled and shifted,
/// x′ = m⊙x + (1−m)⊙(x·eˢ + t) with s = α·tanh(…), so that it is undone without inverting the network, and ln |det| is Σ s.
#[derive(Debug, Clone)]
pub(super) struct Coupling {
    /// Name of the network.
    pub name: &'static str,
    /// Channels and side of x.
    pub map: [usize; 3],
    /// Channels within the network.
    pub width: usize,
    pub kept: Kept,
}

/// Passes maps through the network of a name.
pub(super) type Pass<'a, T> = dyn FnMut(&'static str, &Var<T>) -> Result<Outputs<T>, GanError> + 'a;

impl Coupling {
    /// A 3×3 convolution, two residual blocks of ReLU and 3×3 convolutions, and 1×1 convolutions that give s and t: both are
    /// 0 at first, and the coupling changes nothing.
    pub fn network(&self) -> Graph {
        let [channels, ..] = self.map;
        let width = self.width;
        let mut graph = Graph::builder(Initializer::XavierUniform);
        let images = graph.input(name::IMAGES, &self.map);
        let mut x = graph.node(Conv2d::same(channels, width, 3), &[images]);
        let half = || [Activation::Relu.into(), Conv2d::same(width, width, 3).into()];
        for _ in 0..BLOCKS {
            let change = graph.chain(x, half().into_iter().chain(half()));
            x = graph.node(Sum, &[x, change]);
        }
        x = graph.node(Activation::Relu, &[x]);
        graph.initialized(Some(Initializer::Zero));
        let scale =
            [Conv2d::same(width, channels, 1).into(), Activation::Tanh.into(), ChannelScale { channels }.into()];
        let log_scale = graph.chain(x, scale);
        let shift = graph.node(Conv2d::same(width, channels, 1), &[x]);
        graph.output(name::LOG_SCALE, log_scale).output(name::SHIFT, shift);
        graph.build().expect("the layers fit each other")
    }

    /// 1 for what is changed.
    fn changed<T: Real>(&self) -> Tensor<T> {
        let [channels, height, width] = self.map;
        Tensor::from_fn(&self.map, |i| {
            let (channel, row, column) = (i / (height * width), i / width % height, i % width);
            let kept = match self.kept {
                Kept::Checkerboard { odd } => ((row + column) % 2 == 1) == odd,
                Kept::Channels { second } => (channel >= channels / 2) == second,
            };
            if kept { T::ZERO } else { T::ONE }
        })
    }

    /// s and t, from x or from what became of it.
    fn parameters<T: Real>(&self, x: &Var<T>, pass: &mut Pass<'_, T>) -> Result<[Var<T>; 2], GanError> {
        let changed = Var::constant(self.changed());
        let outputs = pass(self.name, &x.mul(&changed.neg().shift(T::ONE))?)?;
        let of = |name| outputs.get(name)?.mul(&changed);
        Ok([of(name::LOG_SCALE)?, of(name::SHIFT)?])
    }

    /// x′, and ln |det ∂x′/∂x| of each sample.
    pub fn forward<T: Real>(&self, x: &Var<T>, pass: &mut Pass<'_, T>) -> Result<[Var<T>; 2], GanError> {
        let [log_scale, shift] = self.parameters(x, pass)?;
        Ok([x.mul(&log_scale.exp())?.add(&shift)?, log_scale.sum_rows()?])
    }

    /// x from x′.
    pub fn inverse<T: Real>(&self, x: &Var<T>, pass: &mut Pass<'_, T>) -> Result<Var<T>, GanError> {
        let [log_scale, shift] = self.parameters(x, pass)?;
        x.sub(&shift)?.mul(&log_scale.neg().exp())
    }
}
