//! What a critic learns of an f-divergence: its variational bound from samples of N(0, 1) and N(s, 1), against the exact value, for
//! every f-divergence of the catalogue. Prints a table and draws a panel a divergence.
//!
//! cargo run --example learned_bounds -- bounds.svg

use gan_metrics::Result;
use gan_metrics::divergence::variational::VariationalEstimator;
use gan_metrics::divergence::{Density, Divergence, Generator, continuous};
use gan_metrics::gan::Random;
use gan_metrics::gan::variational::MlpCritic;
use gan_metrics::report::plot::{Curve, Panel, svg};
use ndarray::Array2;

const SHIFTS: [f64; 4] = [0.25, 0.5, 1.0, 1.5];
/// Of each side: enough for a critic, few enough for a minute.
const SAMPLES: usize = 2000;

fn main() -> Result<()> {
    let normal = |seed, shift: f64| {
        let numbers = Random::new(seed).normal::<f64>(&[SAMPLES], shift, 1.0);
        Array2::from_shape_vec((SAMPLES, 1), numbers.data().to_vec()).expect("one column")
    };
    let critic = MlpCritic::new(16, 1)?;
    let (x, p) = (normal(1, 0.0), Density::normal(0.0, 1.0)?);
    let mut panels = Vec::new();
    println!("{:<30}{:>6}{:>12}{:>12}", "divergence", "s", "exact", "learnt");
    for generator in Generator::catalogue() {
        let (mut exact, mut learnt) = (Vec::new(), Vec::new());
        for shift in SHIFTS {
            let value = continuous::divergence(Divergence::F(generator), &p, &Density::normal(shift, 1.0)?)?.value();
            let bound = critic.lower_bound(generator, x.view(), normal(2, shift).view())?.estimate;
            println!("{:<30}{shift:>6}{value:>12.4}{bound:>12.4}", generator.to_string());
            exact.push((shift, value));
            learnt.push((shift, bound));
        }
        panels.push(Panel {
            title: generator.to_string(),
            x_label: "shift".to_owned(),
            curves: vec![Curve::line("exact", exact), Curve::line("learnt", learnt)],
        });
    }
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(&path, svg(&panels)?).expect("the picture can be written");
    }
    Ok(())
}
