//! The two kinds of numbers that tensors hold.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::sync::LazyLock;

use super::buffer::Pool;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// f32, in which networks are trained, or f64, in which their derivatives are checked.
pub trait Real:
    sealed::Sealed + faer::traits::RealField + Copy + Default + Debug + Display + Sum + Send + Sync + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The nearest value of this type.
    fn of(value: f64) -> Self;
    /// The same value in f64.
    fn to_f64(self) -> f64;
    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1+x), accurate near 0.
    fn ln_1p(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The larger of two numbers.
    fn max(self, other: Self) -> Self;
    /// |x|.
    fn abs(self) -> Self;

    /// The buffers of this type that may be used again.
    #[doc(hidden)]
    fn pool() -> &'static Pool<Self>;
}

macro_rules! real {
    ($type:ident) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            fn of(value: f64) -> Self {
                value as $type
            }

            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline]
            fn exp(self) -> Self {
                $type::exp(self)
            }

            #[inline]
            fn exp_m1(self) -> Self {
                $type::exp_m1(self)
            }

            #[inline]
            fn ln(self) -> Self {
                $type::ln(self)
            }

            #[inline]
            fn ln_1p(self) -> Self {
                $type::ln_1p(self)
            }

            #[inline]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }

            #[inline]
            fn tanh(self) -> Self {
                $type::tanh(self)
            }

            #[inline]
            fn max(self, other: Self) -> Self {
                $type::max(self, other)
            }

            #[inline]
            fn abs(self) -> Self {
                $type::abs(self)
            }

            fn pool() -> &'static Pool<Self> {
                static POOL: LazyLock<Pool<$type>> = LazyLock::new(Pool::default);
                &POOL
            }
        }
    };
}

real!(f32);
real!(f64);
