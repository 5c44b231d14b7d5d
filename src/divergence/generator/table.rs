//! The table itself: one entry per divergence, with everything that is known of it in closed form.
//!
//! Every function takes the divergence's parameter first and ignores it when there is none. Functions of u are called
//! with finite u > 0 only and `conjugate`, `conjugate_slope` with f′(0⁺) < t < f′(∞) only: the ends are in `limits`,
//! and [`super::Generator`] puts both together.

use std::f64::consts::LN_2;

use super::many::{self, Terms};
use super::special::{lambert_w_of_exp, logistic, logistic_slope, softplus};
use crate::divergence::masses::Masses;

/// What a divergence's parameter is called and which values make f a generator.
pub(super) struct Parameter {
    pub symbol: &'static str,
    pub is_valid: fn(f64) -> bool,
    pub requirement: &'static str,
    /// Shown where a list of all divergences needs one value.
    pub example: f64,
}

/// Values and slopes at the ends of u ∈ [0, ∞).
pub(super) struct Limits {
    /// f(0⁺).
    pub at_zero: f64,
    /// f′(0⁺).
    pub slope_at_zero: f64,
    /// f′(∞) = lim f(u)/u.
    pub recession: f64,
    /// f*(f′(∞)): finite when the end belongs to the conjugate's domain.
    pub conjugate_at_recession: f64,
}

/// Growth of f faster than u·ln u: f(u) ~ coefficient·(u − shift)^exponent with exponent > 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Growth {
    pub exponent: f64,
    pub coefficient: f64,
    pub shift: f64,
}

/// What a divergence is a function of, where it is one of the integrals that have closed forms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Structure {
    /// forward·KL(P‖Q) + reverse·KL(Q‖P).
    KullbackLeibler { forward: f64, reverse: f64 },
    /// scale·(∫ p^order q^{1−order} − 1).
    Affinity { order: f64, scale: f64 },
    /// Neither.
    Other,
}

/// A name that the table of the f-GAN paper uses for another divergence, and how its parameter translates.
type AsPrinted = (&'static str, fn(f64) -> f64);

/// One divergence.
pub(super) struct Row {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// Where the table of the f-GAN paper prints what this row computes under another name.
    pub as_printed: Option<AsPrinted>,
    pub title: &'static str,
    pub parameter: Option<Parameter>,
    pub formula: &'static str,
    pub conjugate_formula: &'static str,
    pub is_in_nats: bool,
    pub f: fn(f64, f64) -> f64,
    pub slope: fn(f64, f64) -> f64,
    pub curvature: fn(f64, f64) -> f64,
    pub limits: fn(f64) -> Limits,
    pub growth: fn(f64) -> Option<Growth>,
    pub structure: fn(f64) -> Structure,
    /// q·(f(p/q) − f(1) − f′(1)·(p/q − 1)): non-negative, and free of cancellation for p near q.
    pub excess: fn(f64, Masses) -> f64,
    /// The same of many pairs, where that is faster than one by one.
    pub many: Option<Terms>,
    pub conjugate: fn(f64, f64) -> f64,
    pub conjugate_slope: fn(f64, f64) -> f64,
    pub activation: fn(f64, f64) -> f64,
    pub activation_slope: fn(f64, f64) -> f64,
    pub activation_curvature: fn(f64, f64) -> f64,
    /// f*(g_f(v)) without the overflow of the composition, and its derivatives.
    pub penalty: fn(f64, f64) -> f64,
    pub penalty_slope: fn(f64, f64) -> f64,
    pub penalty_curvature: fn(f64, f64) -> f64,
    /// The row and the parameter of u·f(1/u).
    pub adjoint: fn(f64) -> (&'static Row, f64),
}

const fn open(at_zero: f64, slope_at_zero: f64, recession: f64) -> Limits {
    Limits { at_zero, slope_at_zero, recession, conjugate_at_recession: f64::INFINITY }
}

const INF: f64 = f64::INFINITY;

pub(super) static TOTAL_VARIATION: Row = Row {
    name: "total-variation",
    aliases: &["tv"],
    as_printed: None,
    title: "Total variation",
    parameter: None,
    formula: "½|u − 1|",
    conjugate_formula: "t for |t| ≤ ½, −½ below",
    is_in_nats: false,
    f: |_, u| 0.5 * (u - 1.0).abs(),
    // The subgradient at the kink u = 1 is the middle one.
    slope: |_, u| if u == 1.0 { 0.0 } else { 0.5_f64.copysign(u - 1.0) },
    curvature: |_, _| 0.0,
    limits: |_| Limits { at_zero: 0.5, slope_at_zero: -0.5, recession: 0.5, conjugate_at_recession: 0.5 },
    growth: |_| None,
    structure: |_| Structure::Other,
    excess: |_, m| 0.5 * m.difference.abs(),
    many: Some(many::total_variation_terms),
    conjugate: |_, t| t,
    conjugate_slope: |_, _| 1.0,
    activation: |_, v| 0.5 * v.tanh(),
    activation_slope: |_, v| 0.5 / v.cosh().powi(2),
    activation_curvature: |_, v| -v.tanh() / v.cosh().powi(2),
    penalty: |_, v| 0.5 * v.tanh(),
    penalty_slope: |_, v| 0.5 / v.cosh().powi(2),
    penalty_curvature: |_, v| -v.tanh() / v.cosh().powi(2),
    adjoint: |_| (&TOTAL_VARIATION, 0.0),
};

pub(super) static KULLBACK_LEIBLER: Row = Row {
    name: "kullback-leibler",
    aliases: &["kl"],
    as_printed: None,
    title: "Kullback–Leibler",
    parameter: None,
    formula: "u ln u",
    conjugate_formula: "exp(t − 1)",
    is_in_nats: true,
    f: |_, u| u * u.ln(),
    slope: |_, u| 1.0 + u.ln(),
    curvature: |_, u| 1.0 / u,
    limits: |_| open(0.0, -INF, INF),
    growth: |_| None,
    structure: |_| Structure::KullbackLeibler { forward: 1.0, reverse: 0.0 },
    excess: |_, m| m.kullback_leibler(),
    many: Some(many::kullback_leibler_terms),
    conjugate: |_, t| (t - 1.0).exp(),
    conjugate_slope: |_, t| (t - 1.0).exp(),
    activation: |_, v| v,
    activation_slope: |_, _| 1.0,
    activation_curvature: |_, _| 0.0,
    penalty: |_, v| (v - 1.0).exp(),
    penalty_slope: |_, v| (v - 1.0).exp(),
    penalty_curvature: |_, v| (v - 1.0).exp(),
    adjoint: |_| (&REVERSE_KULLBACK_LEIBLER, 0.0),
};

pub(super) static REVERSE_KULLBACK_LEIBLER: Row = Row {
    name: "reverse-kullback-leibler",
    aliases: &["reverse-kl", "rkl"],
    as_printed: None,
    title: "Reverse Kullback–Leibler",
    parameter: None,
    formula: "−ln u",
    conjugate_formula: "−1 − ln(−t)",
    is_in_nats: true,
    f: |_, u| -u.ln(),
    slope: |_, u| -1.0 / u,
    curvature: |_, u| 1.0 / (u * u),
    limits: |_| open(INF, -INF, 0.0),
    growth: |_| None,
    structure: |_| Structure::KullbackLeibler { forward: 0.0, reverse: 1.0 },
    excess: |_, m| m.swapped().kullback_leibler(),
    many: Some(many::reverse_kullback_leibler_terms),
    conjugate: |_, t| -1.0 - (-t).ln(),
    conjugate_slope: |_, t| -1.0 / t,
    activation: |_, v| -(-v).exp(),
    activation_slope: |_, v| (-v).exp(),
    activation_curvature: |_, v| -(-v).exp(),
    penalty: |_, v| v - 1.0,
    penalty_slope: |_, _| 1.0,
    penalty_curvature: |_, _| 0.0,
    adjoint: |_| (&KULLBACK_LEIBLER, 0.0),
};

/// (p − q)²/q.
fn chi_squared(m: Masses) -> f64 {
    // The square underflows below 1e-154, the quotient overflows when q is subnormal: take what is safe.
    let size = m.difference.abs();
    if size > 1e-150 { size * size / m.q } else { size * (size / m.q) }
}

pub(super) static PEARSON: Row = Row {
    name: "pearson-chi2",
    aliases: &["pearson", "chi2", "chi-squared", "pearson-chi-squared"],
    as_printed: Some(("neyman-chi2-as-printed", |a| a)),
    title: "Pearson χ²",
    parameter: None,
    formula: "(u − 1)²",
    conjugate_formula: "t²/4 + t for t ≥ −2, −1 below",
    is_in_nats: false,
    f: |_, u| (u - 1.0) * (u - 1.0),
    slope: |_, u| 2.0 * (u - 1.0),
    curvature: |_, _| 2.0,
    limits: |_| open(1.0, -2.0, INF),
    growth: |_| Some(Growth { exponent: 2.0, coefficient: 1.0, shift: 1.0 }),
    structure: |_| Structure::Affinity { order: 2.0, scale: 1.0 },
    excess: |_, m| chi_squared(m),
    many: Some(many::pearson_terms),
    conjugate: |_, t| t * (0.25 * t + 1.0),
    conjugate_slope: |_, t| 0.5 * t + 1.0,
    activation: |_, v| v,
    activation_slope: |_, _| 1.0,
    activation_curvature: |_, _| 0.0,
    penalty: |_, v| if v > -2.0 { v * (0.25 * v + 1.0) } else { -1.0 },
    penalty_slope: |_, v| (0.5 * v + 1.0).max(0.0),
    penalty_curvature: |_, v| if v > -2.0 { 0.5 } else { 0.0 },
    adjoint: |_| (&NEYMAN, 0.0),
};

pub(super) static NEYMAN: Row = Row {
    name: "neyman-chi2",
    aliases: &["neyman", "neyman-chi-squared"],
    as_printed: Some(("pearson-chi2-as-printed", |a| a)),
    title: "Neyman χ²",
    parameter: None,
    formula: "(1 − u)²/u",
    conjugate_formula: "2 − 2√(1 − t)",
    is_in_nats: false,
    f: |_, u| (1.0 - u) * ((1.0 - u) / u),
    slope: |_, u| (1.0 - 1.0 / u) * (1.0 + 1.0 / u),
    curvature: |_, u| 2.0 / u.powi(3),
    limits: |_| Limits { at_zero: INF, slope_at_zero: -INF, recession: 1.0, conjugate_at_recession: 2.0 },
    growth: |_| None,
    structure: |_| Structure::Affinity { order: -1.0, scale: 1.0 },
    excess: |_, m| chi_squared(m.swapped()),
    many: Some(many::neyman_terms),
    conjugate: |_, t| 2.0 - 2.0 * (1.0 - t).sqrt(),
    conjugate_slope: |_, t| 1.0 / (1.0 - t).sqrt(),
    activation: |_, v| -(-v).exp_m1(),
    activation_slope: |_, v| (-v).exp(),
    activation_curvature: |_, v| -(-v).exp(),
    penalty: |_, v| -2.0 * (-0.5 * v).exp_m1(),
    penalty_slope: |_, v| (-0.5 * v).exp(),
    penalty_curvature: |_, v| -0.5 * (-0.5 * v).exp(),
    adjoint: |_| (&PEARSON, 0.0),
};

pub(super) static SQUARED_HELLINGER: Row = Row {
    name: "squared-hellinger",
    aliases: &["hellinger2", "hellinger"],
    as_printed: None,
    title: "Squared Hellinger",
    parameter: None,
    formula: "(√u − 1)²",
    conjugate_formula: "t/(1 − t)",
    is_in_nats: false,
    f: |_, u| (u.sqrt() - 1.0).powi(2),
    slope: |_, u| 1.0 - 1.0 / u.sqrt(),
    curvature: |_, u| 0.5 / (u * u.sqrt()),
    limits: |_| open(1.0, -INF, 1.0),
    growth: |_| None,
    structure: |_| Structure::Affinity { order: 0.5, scale: -2.0 },
    excess: |_, m| (m.difference / (m.p.sqrt() + m.q.sqrt())).powi(2),
    many: Some(many::squared_hellinger_terms),
    conjugate: |_, t| t / (1.0 - t),
    conjugate_slope: |_, t| 1.0 / ((1.0 - t) * (1.0 - t)),
    activation: |_, v| -(-v).exp_m1(),
    activation_slope: |_, v| (-v).exp(),
    activation_curvature: |_, v| -(-v).exp(),
    penalty: |_, v| v.exp_m1(),
    penalty_slope: |_, v| v.exp(),
    penalty_curvature: |_, v| v.exp(),
    adjoint: |_| (&SQUARED_HELLINGER, 0.0),
};

/// f*(t) of Jeffreys: with w = W(e^{1−t}), the maximiser is u = 1/w.
fn jeffreys_conjugate(t: f64) -> f64 {
    let w = lambert_w_of_exp(1.0 - t);
    // w + 1/w − 2 = (w − 1)²/w vanishes at t = 0 without cancelling.
    (w - 1.0) * ((w - 1.0) / w) + t
}

pub(super) static JEFFREYS: Row = Row {
    name: "jeffreys",
    aliases: &["symmetric-kl"],
    as_printed: None,
    title: "Jeffreys",
    parameter: None,
    formula: "(u − 1) ln u",
    conjugate_formula: "W(e^{1−t}) + 1/W(e^{1−t}) + t − 2",
    is_in_nats: true,
    f: |_, u| (u - 1.0) * u.ln(),
    slope: |_, u| u.ln() + (1.0 - 1.0 / u),
    curvature: |_, u| (1.0 + 1.0 / u) / u,
    limits: |_| open(INF, -INF, INF),
    growth: |_| None,
    structure: |_| Structure::KullbackLeibler { forward: 1.0, reverse: 1.0 },
    excess: |_, m| m.difference * m.log_ratio,
    many: Some(many::jeffreys_terms),
    conjugate: |_, t| jeffreys_conjugate(t),
    conjugate_slope: |_, t| 1.0 / lambert_w_of_exp(1.0 - t),
    activation: |_, v| v,
    activation_slope: |_, _| 1.0,
    activation_curvature: |_, _| 0.0,
    penalty: |_, v| jeffreys_conjugate(v),
    penalty_slope: |_, v| 1.0 / lambert_w_of_exp(1.0 - v),
    penalty_curvature: |_, v| {
        let w = lambert_w_of_exp(1.0 - v);
        1.0 / (w * (1.0 + w))
    },
    adjoint: |_| (&JEFFREYS, 0.0),
};

/// π KL(p‖m) + (1−π) KL(q‖m) at one point, m = πp + (1−π)q.
fn skewed_jensen_shannon(weight: f64, m: Masses) -> f64 {
    weight * m.against_mixture(weight).kullback_leibler()
        + (1.0 - weight) * m.swapped().against_mixture(1.0 - weight).kullback_leibler()
}

pub(super) static JENSEN_SHANNON: Row = Row {
    name: "jensen-shannon",
    aliases: &["js"],
    as_printed: None,
    title: "Jensen–Shannon",
    parameter: None,
    formula: "½(u ln u − (u + 1) ln((1 + u)/2))",
    conjugate_formula: "−½ ln(2 − exp(2t))",
    is_in_nats: true,
    f: |_, u| 0.5 * twice_jensen_shannon(u),
    slope: |_, u| 0.5 * (LN_2 - u.recip().ln_1p()),
    curvature: |_, u| 0.5 / (u * (1.0 + u)),
    limits: |_| open(0.5 * LN_2, -INF, 0.5 * LN_2),
    growth: |_| None,
    structure: |_| Structure::Other,
    excess: |_, m| skewed_jensen_shannon(0.5, m),
    many: Some(many::jensen_shannon_terms),
    conjugate: |_, t| -0.5 * (-(2.0 * t).exp_m1()).ln_1p(),
    conjugate_slope: |_, t| 1.0 / (2.0 * (-2.0 * t).exp() - 1.0),
    activation: |_, v| 0.5 * (LN_2 - softplus(-v)),
    activation_slope: |_, v| 0.5 * logistic(-v),
    activation_curvature: |_, v| -0.5 * logistic_slope(v),
    penalty: |_, v| 0.5 * (softplus(v) - LN_2),
    penalty_slope: |_, v| 0.5 * logistic(v),
    penalty_curvature: |_, v| 0.5 * logistic_slope(v),
    adjoint: |_| (&JENSEN_SHANNON, 0.0),
};

/// u ln u − (u+1) ln((1+u)/2), arranged so that large u does not cancel.
fn twice_jensen_shannon(u: f64) -> f64 {
    u * (LN_2 - u.recip().ln_1p()) + (LN_2 - u.ln_1p())
}

pub(super) static TWICE_JENSEN_SHANNON: Row = Row {
    name: "twice-jensen-shannon",
    aliases: &["2js", "gan-centred"],
    as_printed: Some(("jensen-shannon-as-printed", |a| a)),
    title: "Twice Jensen–Shannon (GAN + ln 4)",
    parameter: None,
    formula: "u ln u − (u + 1) ln((1 + u)/2)",
    conjugate_formula: "−ln(2 − exp(t))",
    is_in_nats: true,
    f: |_, u| twice_jensen_shannon(u),
    slope: |_, u| LN_2 - u.recip().ln_1p(),
    curvature: |_, u| 1.0 / (u * (1.0 + u)),
    limits: |_| open(LN_2, -INF, LN_2),
    growth: |_| None,
    structure: |_| Structure::Other,
    excess: |_, m| 2.0 * skewed_jensen_shannon(0.5, m),
    many: Some(many::twice_jensen_shannon_terms),
    conjugate: |_, t| -(-t.exp_m1()).ln_1p(),
    conjugate_slope: |_, t| 1.0 / (2.0 * (-t).exp() - 1.0),
    activation: |_, v| LN_2 - softplus(-v),
    activation_slope: |_, v| logistic(-v),
    activation_curvature: |_, v| -logistic_slope(v),
    penalty: |_, v| softplus(v) - LN_2,
    penalty_slope: |_, v| logistic(v),
    penalty_curvature: |_, v| logistic_slope(v),
    adjoint: |_| (&TWICE_JENSEN_SHANNON, 0.0),
};

/// The second derivative of the penalty of weighted Jensen–Shannon.
fn weighted_jensen_shannon_curvature(weight: f64, v: f64) -> f64 {
    let (scaled, share) = (softplus(-v) / weight, logistic(-v));
    if scaled < 1e-8 {
        // Both terms of the difference below approach 1: this is what is left, to first order in e^{−v}.
        return 0.5 * (1.0 - weight) * (1.0 + 1.0 / weight) * (-v).exp();
    }
    let difference = -share / (weight * (-scaled).exp_m1()) - logistic(v);
    (1.0 - weight) / weight * (share / scaled.exp_m1()) * difference
}

pub(super) static WEIGHTED_JENSEN_SHANNON: Row = Row {
    name: "weighted-jensen-shannon",
    aliases: &["wjs"],
    as_printed: None,
    title: "Weighted Jensen–Shannon",
    parameter: Some(Parameter {
        symbol: "π",
        is_valid: |w| w > 0.0 && w < 1.0,
        requirement: "0 < π < 1",
        example: 0.3,
    }),
    formula: "π u ln u − (1 − π + πu) ln(1 − π + πu)",
    conjugate_formula: "(1 − π) ln((1 − π)/(1 − π exp(t/π)))",
    is_in_nats: true,
    f: |w, u| {
        let mixture = 1.0 - w + w * u;
        w * u * (u / mixture).ln() - (1.0 - w) * mixture.ln()
    },
    slope: |w, u| w * (u / (1.0 - w + w * u)).ln(),
    curvature: |w, u| w * (1.0 - w) / (u * (1.0 - w + w * u)),
    limits: |w| open(-(1.0 - w) * (1.0 - w).ln(), -INF, -w * w.ln()),
    growth: |_| None,
    structure: |_| Structure::Other,
    excess: skewed_jensen_shannon,
    many: Some(many::weighted_jensen_shannon_terms),
    conjugate: |w, t| (1.0 - w) * ((1.0 - w) / (1.0 - w * (t / w).exp())).ln(),
    conjugate_slope: |w, t| (1.0 - w) / ((-t / w).exp() - w),
    activation: |w, v| -w * w.ln() - softplus(-v),
    activation_slope: |_, v| logistic(-v),
    activation_curvature: |_, v| -logistic_slope(v),
    penalty: |w, v| (1.0 - w) * ((1.0 - w).ln() - (-(-softplus(-v) / w).exp_m1()).ln()),
    penalty_slope: |w, v| {
        let scaled = softplus(-v) / w;
        // scaled ~ logistic(−v)/π → 0: their quotient stays 1 where both underflow.
        if scaled > f64::MIN_POSITIVE { (1.0 - w) * logistic(-v) / (w * scaled.exp_m1()) } else { 1.0 - w }
    },
    penalty_curvature: weighted_jensen_shannon_curvature,
    adjoint: |w| (&WEIGHTED_JENSEN_SHANNON, 1.0 - w),
};

pub(super) static GAN: Row = Row {
    name: "gan",
    aliases: &[],
    as_printed: None,
    title: "GAN (2·JS − ln 4)",
    parameter: None,
    formula: "u ln u − (u + 1) ln(u + 1)",
    conjugate_formula: "−ln(1 − exp(t))",
    is_in_nats: true,
    f: |_, u| -u * u.recip().ln_1p() - u.ln_1p(),
    slope: |_, u| -u.recip().ln_1p(),
    curvature: |_, u| 1.0 / (u * (1.0 + u)),
    limits: |_| open(0.0, -INF, 0.0),
    growth: |_| None,
    structure: |_| Structure::Other,
    excess: |_, m| 2.0 * skewed_jensen_shannon(0.5, m),
    many: Some(many::twice_jensen_shannon_terms),
    conjugate: |_, t| -(-t.exp_m1()).ln(),
    conjugate_slope: |_, t| 1.0 / (-t).exp_m1(),
    activation: |_, v| -softplus(-v),
    activation_slope: |_, v| logistic(-v),
    activation_curvature: |_, v| -logistic_slope(v),
    penalty: |_, v| softplus(v),
    penalty_slope: |_, v| logistic(v),
    penalty_curvature: |_, v| logistic_slope(v),
    adjoint: |_| (&GAN, 0.0),
};

/// (u^α − 1 − α(u − 1))/(α(α − 1)) times q, with u = p/q.
fn alpha_excess(a: f64, m: Masses) -> f64 {
    let x = m.difference / m.q;
    if x.abs() * a.abs().max(1.0) < 0.25 {
        // The binomial series of u^α without its first two terms; x²/2 leads, and the quotient has gone.
        let (mut term, mut sum) = (0.5 * x * x, 0.0);
        let mut k = 2.0;
        while f64::abs(term) > f64::EPSILON * 0.01 * f64::abs(sum) {
            sum += term;
            term *= x * (a - k) / (k + 1.0);
            k += 1.0;
        }
        return m.q * sum;
    }
    // Both forms are the definition; each is free of the cancellation at one of the limits α → 1, α → 0.
    if a >= 0.5 {
        (m.scaled_power_m1(m.p, a - 1.0) / (a - 1.0) - m.difference) / a
    } else {
        (m.scaled_power_m1(m.q, a) / a - m.difference) / (a - 1.0)
    }
}

/// (base^{α/(α−1)} − 1)/α where ln(base) is given.
fn alpha_conjugate_of_log_base(a: f64, log_base: f64) -> f64 {
    (a / (a - 1.0) * log_base).exp_m1() / a
}

pub(super) static ALPHA: Row = Row {
    name: "alpha",
    aliases: &[],
    as_printed: Some(("alpha-as-printed", |a| 1.0 - a)),
    title: "α-divergence",
    parameter: Some(Parameter {
        symbol: "α",
        is_valid: |a| a.is_finite() && a != 0.0 && a != 1.0,
        requirement: "finite, and neither 0 (use reverse-kullback-leibler) nor 1 (use kullback-leibler)",
        example: 1.5,
    }),
    formula: "(u^α − 1 − α(u − 1))/(α(α − 1))",
    conjugate_formula: "((1 + (α − 1)t)^{α/(α−1)} − 1)/α",
    is_in_nats: false,
    f: |a, u| alpha_excess(a, Masses::new(u, 1.0)),
    slope: |a, u| ((a - 1.0) * u.ln()).exp_m1() / (a - 1.0),
    curvature: |a, u| u.powf(a - 2.0),
    limits: |a| {
        let at_zero = if a > 0.0 { 1.0 / a } else { INF };
        if a > 1.0 {
            open(at_zero, -1.0 / (a - 1.0), INF)
        } else {
            let conjugate_at_recession = if a < 0.0 { -1.0 / a } else { INF };
            Limits { at_zero, slope_at_zero: -INF, recession: 1.0 / (1.0 - a), conjugate_at_recession }
        }
    },
    growth: |a| (a > 1.0).then(|| Growth { exponent: a, coefficient: 1.0 / (a * (a - 1.0)), shift: 0.0 }),
    structure: |a| Structure::Affinity { order: a, scale: 1.0 / (a * (a - 1.0)) },
    excess: alpha_excess,
    many: None,
    conjugate: |a, t| alpha_conjugate_of_log_base(a, ((a - 1.0) * t).ln_1p()),
    conjugate_slope: |a, t| (((a - 1.0) * t).ln_1p() / (a - 1.0)).exp(),
    activation: |a, v| if a > 1.0 { v } else { 1.0 / (1.0 - a) - softplus(-v) },
    activation_slope: |a, v| if a > 1.0 { 1.0 } else { logistic(-v) },
    activation_curvature: |a, v| if a > 1.0 { 0.0 } else { -logistic_slope(v) },
    penalty: |a, v| {
        if a > 1.0 {
            if v > -1.0 / (a - 1.0) { alpha_conjugate_of_log_base(a, ((a - 1.0) * v).ln_1p()) } else { -1.0 / a }
        } else {
            alpha_conjugate_of_log_base(a, ((1.0 - a) * softplus(-v)).ln())
        }
    },
    penalty_slope: |a, v| {
        if a > 1.0 {
            (1.0 + (a - 1.0) * v).max(0.0).powf(1.0 / (a - 1.0))
        } else {
            ((1.0 - a) * softplus(-v)).powf(1.0 / (a - 1.0)) * logistic(-v)
        }
    },
    penalty_curvature: |a, v| {
        if a > 1.0 {
            let base = 1.0 + (a - 1.0) * v;
            if base > 0.0 { base.powf((2.0 - a) / (a - 1.0)) } else { 0.0 }
        } else {
            let (base, share) = ((1.0 - a) * softplus(-v), logistic(-v));
            base.powf(1.0 / (a - 1.0)) * share * (share / base - logistic(v))
        }
    },
    adjoint: |a| (&ALPHA, 1.0 - a),
};

pub(super) static LE_CAM: Row = Row {
    name: "le-cam",
    aliases: &["lecam", "triangular"],
    as_printed: None,
    title: "Le Cam",
    parameter: None,
    formula: "(u − 1)²/(2(u + 1))",
    conjugate_formula: "2 − t − 2√(1 − 2t) for t ≥ −3/2, −½ below",
    is_in_nats: false,
    f: |_, u| 0.5 * (u - 1.0) * ((u - 1.0) / (u + 1.0)),
    slope: |_, u| 0.5 * ((u - 1.0) / (u + 1.0)) * (1.0 + 2.0 / (u + 1.0)),
    curvature: |_, u| 4.0 / (u + 1.0).powi(3),
    limits: |_| Limits { at_zero: 0.5, slope_at_zero: -1.5, recession: 0.5, conjugate_at_recession: 1.5 },
    growth: |_| None,
    structure: |_| Structure::Other,
    excess: |_, m| 0.5 * m.difference * (m.difference / (m.p + m.q)),
    many: Some(many::le_cam_terms),
    conjugate: |_, t| 2.0 - t - 2.0 * (1.0 - 2.0 * t).sqrt(),
    conjugate_slope: |_, t| 2.0 / (1.0 - 2.0 * t).sqrt() - 1.0,
    activation: |_, v| -0.5 * (-v).exp_m1(),
    activation_slope: |_, v| 0.5 * (-v).exp(),
    activation_curvature: |_, v| -0.5 * (-v).exp(),
    penalty: |_, v| {
        let root = (-0.5 * v).exp();
        if root < 2.0 { 1.5 + root * (0.5 * root - 2.0) } else { -0.5 }
    },
    penalty_slope: |_, v| {
        let root = (-0.5 * v).exp();
        if root < 2.0 { root * (1.0 - 0.5 * root) } else { 0.0 }
    },
    penalty_curvature: |_, v| {
        let root = (-0.5 * v).exp();
        if root < 2.0 { 0.5 * root * (root - 1.0) } else { 0.0 }
    },
    adjoint: |_| (&LE_CAM, 0.0),
};

/// |p − q|^α q^{1−α}.
fn chi_alpha(a: f64, m: Masses) -> f64 {
    let size = m.difference.abs();
    let quotient = size / m.q;
    // What cannot be represented is p/q itself to the last digit, and its logarithm is known.
    let power = if quotient.is_finite() { quotient.powf(a - 1.0) } else { ((a - 1.0) * m.log_ratio).exp() };
    if size == 0.0 { 0.0 } else { size * power }
}

fn chi_alpha_conjugate(a: f64, t: f64) -> f64 {
    if t <= -a { -1.0 } else { t + (a - 1.0) * (t.abs() / a).powf(a / (a - 1.0)) }
}

fn chi_alpha_conjugate_slope(a: f64, t: f64) -> f64 {
    if t <= -a { 0.0 } else { 1.0 + (t.abs() / a).powf(1.0 / (a - 1.0)).copysign(t) }
}

fn chi_alpha_conjugate_curvature(a: f64, t: f64) -> f64 {
    if t <= -a { 0.0 } else { (t.abs() / a).powf(1.0 / (a - 1.0) - 1.0) / (a * (a - 1.0)) }
}

const fn chi_order() -> Parameter {
    Parameter {
        symbol: "α",
        is_valid: |a| a.is_finite() && a > 1.0,
        requirement: "finite and above 1 (α = 1 is twice total-variation)",
        example: 3.0,
    }
}

pub(super) static CHI_ALPHA: Row = Row {
    name: "chi-alpha",
    aliases: &["vajda"],
    as_printed: None,
    title: "χ-α (Vajda)",
    parameter: Some(chi_order()),
    formula: "|u − 1|^α",
    conjugate_formula: "t + (α − 1)|t/α|^{α/(α−1)} for t ≥ −α, −1 below",
    is_in_nats: false,
    f: |a, u| (u - 1.0).abs().powf(a),
    slope: |a, u| a * (u - 1.0).abs().powf(a - 1.0).copysign(u - 1.0),
    curvature: |a, u| a * (a - 1.0) * (u - 1.0).abs().powf(a - 2.0),
    limits: |a| open(1.0, -a, INF),
    growth: |a| Some(Growth { exponent: a, coefficient: 1.0, shift: 1.0 }),
    structure: |_| Structure::Other,
    excess: chi_alpha,
    many: None,
    conjugate: chi_alpha_conjugate,
    conjugate_slope: chi_alpha_conjugate_slope,
    activation: |_, v| v,
    activation_slope: |_, _| 1.0,
    activation_curvature: |_, _| 0.0,
    penalty: chi_alpha_conjugate,
    penalty_slope: chi_alpha_conjugate_slope,
    penalty_curvature: chi_alpha_conjugate_curvature,
    adjoint: |a| (&REVERSE_CHI_ALPHA, a),
};

/// The s ≥ −α with f*(s) = −t for the χ-α generator: −s is the conjugate of the adjoint at t.
///
/// f* is convex and increasing there, so Newton's method from the right descends monotonically.
fn reverse_chi_alpha_root(a: f64, t: f64) -> f64 {
    // f*(s) ≥ s, so s = max(−t, −α) lies at or right of the root.
    let mut s = (-t).max(-a);
    for _ in 0..200 {
        let slope = chi_alpha_conjugate_slope(a, s);
        let step = (chi_alpha_conjugate(a, s) + t) / slope;
        // The rounding floor ends the descent: steps turn non-positive or vanish against s.
        if slope <= 0.0 || step.is_nan() || step <= f64::EPSILON * 0.25 * s.abs() {
            break;
        }
        s = (s - step).max(-a);
    }
    s
}

/// The first two derivatives of the penalty −s(t(v)) by v.
fn reverse_chi_alpha_penalty_derivatives(a: f64, v: f64) -> [f64; 2] {
    let s = reverse_chi_alpha_root(a, -(-v).exp_m1());
    let slope = chi_alpha_conjugate_slope(a, s);
    if slope < 1e-5 {
        // t = 1 − e^{−v} has lost most digits of e^{−v}, and the conjugate is the parabola that it begins with at −α: its
        // value above the lowest is e^{−v}.
        let derivative = (0.5 * a * (a - 1.0)).sqrt() * (-0.5 * v).exp();
        return [derivative, -0.5 * derivative];
    }
    let quotient = (-v).exp() / slope;
    let bend = chi_alpha_conjugate_curvature(a, s) / slope;
    [quotient, quotient * (quotient * bend - 1.0)]
}

pub(super) static REVERSE_CHI_ALPHA: Row = Row {
    name: "reverse-chi-alpha",
    aliases: &["reverse-vajda"],
    as_printed: None,
    title: "Reverse χ-α",
    parameter: Some(chi_order()),
    formula: "|1 − u|^α u^{1−α}",
    conjugate_formula: "−s, where s ≥ −α solves s + (α − 1)|s/α|^{α/(α−1)} = −t",
    is_in_nats: false,
    f: |a, u| chi_alpha(a, Masses::new(1.0, u)),
    slope: |a, u| {
        let x = 1.0 / u - 1.0;
        (a + (a - 1.0) * x) * x.abs().powf(a - 1.0).copysign(-x)
    },
    curvature: |a, u| a * (a - 1.0) * (1.0 / u - 1.0).abs().powf(a - 2.0) / u.powi(3),
    limits: |a| Limits { at_zero: INF, slope_at_zero: -INF, recession: 1.0, conjugate_at_recession: a },
    growth: |_| None,
    structure: |_| Structure::Other,
    excess: |a, m| chi_alpha(a, m.swapped()),
    many: None,
    conjugate: |a, t| -reverse_chi_alpha_root(a, t),
    conjugate_slope: |a, t| 1.0 / chi_alpha_conjugate_slope(a, reverse_chi_alpha_root(a, t)),
    activation: |_, v| -(-v).exp_m1(),
    activation_slope: |_, v| (-v).exp(),
    activation_curvature: |_, v| -(-v).exp(),
    penalty: |a, v| -reverse_chi_alpha_root(a, -(-v).exp_m1()),
    penalty_slope: |a, v| reverse_chi_alpha_penalty_derivatives(a, v)[0],
    penalty_curvature: |a, v| reverse_chi_alpha_penalty_derivatives(a, v)[1],
    adjoint: |a| (&CHI_ALPHA, a),
};

/// Every row, in the order in which they are listed to people.
pub(super) static ROWS: [&Row; 15] = [
    &TOTAL_VARIATION,
    &KULLBACK_LEIBLER,
    &REVERSE_KULLBACK_LEIBLER,
    &JEFFREYS,
    &PEARSON,
    &NEYMAN,
    &SQUARED_HELLINGER,
    &LE_CAM,
    &JENSEN_SHANNON,
    &TWICE_JENSEN_SHANNON,
    &WEIGHTED_JENSEN_SHANNON,
    &GAN,
    &ALPHA,
    &CHI_ALPHA,
    &REVERSE_CHI_ALPHA,
];
