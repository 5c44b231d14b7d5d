//! Statistics of samples that come with a p-value.

use crate::divergence::significance::{GoodnessOfFit, Significance, TwoSample, goodness_of_fit, two_sample};

use super::input::{Kind, Pair};
use super::options::ArgumentsError;
use super::output::{Method, Row, Uncertainty, Value};
use super::{Plan, compute};

/// A statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    KolmogorovSmirnov,
    CramerVonMises,
    AndersonDarling,
    Energy,
    Mmd,
}

impl Test {
    /// Every one.
    pub const ALL: [Test; 5] =
        [Test::KolmogorovSmirnov, Test::CramerVonMises, Test::AndersonDarling, Test::Energy, Test::Mmd];

    /// By a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|test| test.name() == name || test.aliases().contains(&name))
    }

    pub fn name(self) -> &'static str {
        match self {
            Test::KolmogorovSmirnov => "kolmogorov-smirnov",
            Test::CramerVonMises => "cramer-von-mises",
            Test::AndersonDarling => "anderson-darling",
            Test::Energy => "energy",
            Test::Mmd => "mmd",
        }
    }

    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Test::KolmogorovSmirnov => &["ks"],
            Test::CramerVonMises => &["cvm"],
            Test::AndersonDarling => &["ad"],
            Test::Energy => &["energy-distance"],
            Test::Mmd => &[],
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Test::KolmogorovSmirnov => "Kolmogorov–Smirnov",
            Test::CramerVonMises => "Cramér–von Mises",
            Test::AndersonDarling => "Anderson–Darling",
            Test::Energy => "Energy distance",
            Test::Mmd => "MMD², Gaussian kernel",
        }
    }

    pub fn formula(self) -> &'static str {
        match self {
            Test::KolmogorovSmirnov => "max |F − G|",
            Test::CramerVonMises => "n ∫ (F_n − G)² dG of a density, Anderson's T of samples",
            Test::AndersonDarling => "n ∫ (F_n − G)²/(G(1 − G)) dG",
            Test::Energy => "√(2E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖)",
            Test::Mmd => "E k(X, X′) + E k(Y, Y′) − 2E k(X, Y)",
        }
    }

    /// Whether it can be had of P and Q of a kind.
    pub fn is_of(self, kind: Kind) -> bool {
        match self {
            Test::KolmogorovSmirnov | Test::CramerVonMises => matches!(kind, Kind::Samples | Kind::Fit),
            Test::AndersonDarling => kind == Kind::Fit,
            Test::Energy | Test::Mmd => kind == Kind::Samples,
        }
    }

    /// # Errors
    /// [`ArgumentsError::Unavailable`] unless it is of P and Q of this kind.
    pub fn check(self, kind: Kind) -> Result<(), ArgumentsError> {
        let remedy = match self {
            Test::KolmogorovSmirnov | Test::CramerVonMises => {
                "give samples (.npy) as P, and as Q other samples or a density"
            }
            Test::AndersonDarling => "give samples (.npy) as P and a density as Q, or ask for cvm",
            Test::Energy | Test::Mmd => "give samples (.npy) of both",
        };
        let unavailable = ArgumentsError::Unavailable { what: self.name().to_owned(), subject: kind.name(), remedy };
        if self.is_of(kind) { Ok(()) } else { Err(unavailable) }
    }

    /// # Errors
    /// What is wrong with the samples, or the settings.
    pub fn row(self, plan: &Plan) -> crate::Result<Row> {
        let of_two = |test| -> crate::Result<Significance> {
            match &plan.pair {
                Pair::Samples(p, q) => Ok(two_sample(test, p.view(), q.view(), plan.draws, plan.seed)?),
                _ => unreachable!("options::check lets samples through"),
            }
        };
        let significance: crate::Result<Significance> = match (self, &plan.pair) {
            (_, Pair::Fit(samples, density)) => {
                let test = match self {
                    Test::KolmogorovSmirnov => GoodnessOfFit::KolmogorovSmirnov,
                    Test::CramerVonMises => GoodnessOfFit::CramerVonMises,
                    _ => GoodnessOfFit::AndersonDarling,
                };
                let samples = compute::column(samples, "goodness of fit")?;
                Ok(goodness_of_fit(test, &samples, density, plan.draws, plan.seed)?)
            }
            (Test::KolmogorovSmirnov, _) => of_two(TwoSample::KolmogorovSmirnov),
            (Test::CramerVonMises | Test::AndersonDarling, _) => of_two(TwoSample::CramerVonMises),
            (Test::Energy, _) => of_two(TwoSample::Energy),
            (Test::Mmd, _) => of_two(TwoSample::Mmd { length: plan.kernel_length }),
        };
        let Significance { statistic, p_value, draws } = significance?;
        let method = if matches!(plan.pair, Pair::Fit(..)) { Method::Simulation } else { Method::Permutation };
        let uncertainty = Some(Uncertainty::PValue { p_value, draws });
        Ok(Row::new(self.name(), self.title(), Value::new(statistic, method, uncertainty)))
    }
}
