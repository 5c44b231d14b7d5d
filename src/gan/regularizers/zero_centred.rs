//! R1 and R2 of Mescheder, Geiger and Nowozin 2018.

use super::slopes::mean_squared_slope;
use super::{Images, Regularizer};
use crate::gan::error::GanError;
use crate::gan::tape::Var;

/// Where the slope is held at zero.
pub(super) enum Side {
    Real,
    Fake,
}

/// (γ/2)·E‖∇v‖².
pub(super) struct ZeroCentred {
    pub weight: f64,
    pub side: Side,
}

impl Regularizer for ZeroCentred {
    fn on_images(&mut self, images: Images<'_>) -> Result<Option<Var>, GanError> {
        let at = match self.side {
            Side::Real => images.real,
            Side::Fake => images.fake,
        };
        Ok(Some(mean_squared_slope(at, images.critic)?.scale((self.weight / 2.0) as f32)))
    }

    fn wants_single_images(&self) -> bool {
        true
    }
}
