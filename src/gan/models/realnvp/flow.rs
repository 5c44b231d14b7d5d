//! The couplings one after the other.

use super::coupling::{Coupling, Kept, Pass};
use crate::gan::error::GanError;
use crate::gan::networks::{Footprint, Graph};
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// Names of the networks, of the couplings in their order.
const NAMES: [&str; 10] = [
    "coupling1",
    "coupling2",
    "coupling3",
    "coupling4",
    "coupling5",
    "coupling6",
    "coupling7",
    "coupling8",
    "coupling9",
    "coupling10",
];

/// Two scales: three couplings of checkerboards, squares of 2×2 pixels become channels, three couplings of channels, half of
/// the channels are done, and four couplings of checkerboards on the rest. The last of three couplings keeps what the first
/// does.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    fine: Vec<Coupling>,
    squeezed: Vec<Coupling>,
    last: Vec<Coupling>,
    /// Channels, and side, after squares became channels.
    map: [usize; 3],
}

/// What a flow makes of a batch.
pub(super) struct Flowed<T: Real> {
    /// Standard normal numbers, if the flow is right: those done on the way and those at the end, as maps.
    pub numbers: [Var<T>; 2],
    /// ln of the determinant of the map, for each sample.
    pub log_determinant: Var<T>,
}

impl Flow {
    /// For images of even sides. Networks have `width` channels at first, and twice as many where maps are smaller.
    pub fn new(image: [usize; 3], width: usize) -> Self {
        let [channels, height, side] = image;
        let map = [4 * channels, height / 2, side / 2];
        let rest = [2 * channels, height / 2, side / 2];
        let mut names = NAMES.into_iter();
        let mut couplings = |count: usize, map: [usize; 3], width: usize, kept: fn(bool) -> Kept| -> Vec<Coupling> {
            let coupling = |(i, name)| Coupling { name, map, width, kept: kept(i % 2 == 1) };
            names.by_ref().take(count).enumerate().map(coupling).collect()
        };
        let checkerboard = |odd| Kept::Checkerboard { odd };
        Flow {
            fine: couplings(3, image, width, checkerboard),
            squeezed: couplings(3, map, 2 * width, |second| Kept::Channels { second }),
            last: couplings(4, rest, 2 * width, checkerboard),
            map,
        }
    }

    fn couplings(&self) -> impl Iterator<Item = &Coupling> {
        self.fine.iter().chain(&self.squeezed).chain(&self.last)
    }

    /// Of every coupling.
    pub fn networks(&self) -> Vec<(&'static str, Graph)> {
        self.couplings().map(|coupling| (coupling.name, coupling.network())).collect()
    }

    /// Outputs of all layers of the networks for one image.
    pub fn outputs(&self) -> u128 {
        self.networks().iter().map(|(_, graph)| Footprint::of(graph).outputs).sum()
    }

    /// From images without bounds to numbers.
    pub fn forward<T: Real>(&self, y: &Var<T>, pass: &mut Pass<'_, T>) -> Result<Flowed<T>, GanError> {
        let mut log_determinant = Var::constant(Tensor::zeros(&[y.shape()[0]]));
        let mut through = |couplings: &[Coupling], mut x: Var<T>| -> Result<Var<T>, GanError> {
            for coupling in couplings {
                let [next, change] = coupling.forward(&x, pass)?;
                log_determinant = log_determinant.add(&change)?;
                x = next;
            }
            Ok(x)
        };
        let x = through(&self.fine, y.clone())?;
        let x = through(&self.squeezed, x.space_to_depth(2)?)?;
        let half = self.map[0] / 2;
        let [rest, done] = [x.slice(1, 0..half)?, x.slice(1, half..2 * half)?];
        let last = through(&self.last, rest)?;
        Ok(Flowed { numbers: [done, last], log_determinant })
    }

    /// From numbers to images without bounds.
    pub fn inverse<T: Real>(&self, [done, last]: &[Var<T>; 2], pass: &mut Pass<'_, T>) -> Result<Var<T>, GanError> {
        let mut back = |couplings: &[Coupling], x: Var<T>| {
            couplings.iter().rev().try_fold(x, |x, coupling| coupling.inverse(&x, pass))
        };
        let rest = back(&self.last, last.clone())?;
        let x = back(&self.squeezed, Var::concat(&[&rest, done], 1)?)?;
        back(&self.fine, x.depth_to_space(2)?)
    }

    /// Rows of as many numbers as an image has, as [`Flow::inverse`] takes them.
    pub fn divided<T: Real>(&self, rows: &Var<T>) -> Result<[Var<T>; 2], GanError> {
        let (count, length) = (rows.shape()[0], rows.shape()[1]);
        let [channels, height, width] = self.map;
        let part = |part| rows.slice(1, part)?.reshape(&[count, channels / 2, height, width]);
        Ok([part(0..length / 2)?, part(length / 2..length)?])
    }
}
