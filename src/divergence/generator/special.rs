//! The special functions of the table.

/// ln(1 + e^v) without overflow.
pub(super) fn softplus(v: f64) -> f64 {
    v.max(0.0) + (-v.abs()).exp().ln_1p()
}

/// 1/(1 + e^{−v}), with full relative precision in both tails.
pub(super) fn logistic(v: f64) -> f64 {
    if v >= 0.0 {
        1.0 / (1.0 + (-v).exp())
    } else {
        let e = v.exp();
        e / (1.0 + e)
    }
}

/// The derivative of [`logistic`]: it is even.
pub(super) fn logistic_slope(v: f64) -> f64 {
    logistic(v) * logistic(-v)
}

/// W(e^s), Lambert's function of an exponential: the w > 0 with w + ln w = s. Never overflows.
pub(super) fn lambert_w_of_exp(s: f64) -> f64 {
    if s < -36.0 {
        // W(x) = x − x² + …: the second term is below half a rounding unit.
        return s.exp();
    }
    // Halley on ln w keeps the iterate positive; the start is within a factor 2 everywhere.
    let mut log_w = if s > 1.0 { (s - s.ln()).ln() } else { s - s.exp().ln_1p() };
    for _ in 0..6 {
        let w = log_w.exp();
        let residual = w + log_w - s;
        let slope = w + 1.0;
        log_w -= residual / (slope - 0.5 * residual * (w / slope));
    }
    let w = log_w.exp();
    // One Newton step in w itself removes the rounding of the exponential.
    w / (1.0 + w) * (1.0 + s - w.ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambert_solves_its_equation() {
        // W(1) is the omega constant, W(e) = 1.
        assert!((lambert_w_of_exp(0.0) - 0.567_143_290_409_783_8).abs() < 2e-16);
        assert!((lambert_w_of_exp(1.0) - 1.0).abs() < 3e-16);
        for s in [-800.0, -40.0, -36.0, -10.0, -1.0, 0.5, 1.0001, 3.0, 100.0, 1e6, 1e300] {
            let w = lambert_w_of_exp(s);
            if s > -700.0 {
                let residual = (w + w.ln() - s).abs();
                assert!(residual <= 8.0 * f64::EPSILON * s.abs().max(1.0), "s = {s}: residual {residual}");
            } else {
                assert_eq!(w, s.exp());
            }
        }
    }

    #[test]
    fn softplus_and_logistic_keep_their_tails() {
        assert_eq!(softplus(1e4), 1e4);
        assert_eq!(softplus(-700.0), (-700.0_f64).exp());
        assert_eq!(logistic(-700.0), (-700.0_f64).exp());
        assert_eq!(logistic(0.0), 0.5);
        assert_eq!(logistic(1e4), 1.0);
        assert_eq!([-700.0, 700.0].map(logistic_slope), [(-700.0_f64).exp(); 2]);
        assert_eq!(logistic_slope(0.0), 0.25);
    }
}
