//! The vector registers after products of matrices.
//!
//! The kernels of `private-gemm-x86` that faer multiplies with end without `vzeroupper`: the upper halves of the AVX registers stay in
//! use, and until they are released every instruction of the older kind waits for them, which all code for plain x86-64 is made of. An
//! exponential of `libm` then takes 230 ns in place of 5.5.

/// Releases the upper halves, which nothing holds a value in between two calls of functions.
#[allow(unsafe_code)]
pub fn release() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") {
        // SAFETY: the processor has the instruction. It changes the upper halves alone, which a function that calls another must
        // not rely on.
        unsafe { std::arch::x86_64::_mm256_zeroupper() }
    }
}

/// The same on every thread of the pool, after a product of all of them.
#[cfg(feature = "gan")]
pub fn release_everywhere() {
    release();
    rayon::broadcast(|_| release());
}

/// Whether the upper halves are in use; `None` where the processor does not tell.
#[cfg(all(test, target_arch = "x86_64"))]
#[allow(unsafe_code)]
pub fn in_use() -> Option<bool> {
    use std::arch::x86_64::{__cpuid_count, _xgetbv};
    /// The bit of the component of the state.
    const UPPER_HALVES: u64 = 1 << 2;
    /// The bit of leaf 13 that says that there is the register.
    const TELLS: u32 = 1 << 2;
    #[target_feature(enable = "xsave")]
    fn components() -> u64 {
        // SAFETY: the processor has the register, which it is asked for below.
        unsafe { _xgetbv(1) }
    }
    let tells = is_x86_feature_detected!("xsave") && __cpuid_count(0xD, 1).eax & TELLS != 0;
    // SAFETY: the processor has the instruction.
    tells.then(|| unsafe { components() } & UPPER_HALVES != 0)
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use faer::linalg::matmul::matmul;
    use faer::{Accum, Mat, Par};

    #[test]
    fn what_a_product_leaves_in_use_is_released() {
        let (a, mut c) = (Mat::<f32>::identity(64, 64), Mat::<f32>::zeros(64, 64));
        matmul(&mut c, Accum::Replace, &a, &a, 1.0, Par::Seq);
        println!("in use after a product: {:?}", in_use());
        release();
        assert_ne!(in_use(), Some(true));
    }
}
