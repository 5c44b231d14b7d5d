//! Historical averaging: weights stay near the mean of what they were.

use std::collections::BTreeMap;

use super::Regularizer;
use crate::gan::error::GanError;
use crate::gan::networks::Parameter;
use crate::gan::state::SavedState;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// λ·‖θ − θ̄‖² with θ̄ₜ₊₁ = θ̄ₜ + (θₜ₊₁ − θ̄ₜ)/(t + 1), which is not differentiated (Salimans et al. 2016).
pub(super) struct HistoricalAveraging {
    weight: f64,
    players: BTreeMap<String, History>,
}

/// The mean of a player's weights.
struct History {
    steps: u64,
    mean: Vec<Tensor>,
}

impl HistoricalAveraging {
    pub fn new(weight: f64) -> Self {
        HistoricalAveraging { weight, players: BTreeMap::new() }
    }
}

const PREFIX: &str = "historical-averaging";

impl Regularizer for HistoricalAveraging {
    fn on_weights(&mut self, player: &str, weights: &[Var]) -> Result<Option<Var>, GanError> {
        // Before the first step the mean is the weights themselves.
        let Some(history) = self.players.get(player) else { return Ok(None) };
        let mut total: Option<Var> = None;
        for (weight, mean) in weights.iter().zip(&history.mean) {
            let distance = weight.sub(&Var::constant(mean.clone()))?.square().sum();
            total = Some(match total {
                None => distance,
                Some(total) => total.add(&distance)?,
            });
        }
        Ok(total.map(|total| total.scale(self.weight as f32)))
    }

    fn after_step(&mut self, player: &str, weights: &mut [&mut Parameter]) {
        let history = self
            .players
            .entry(player.to_owned())
            .or_insert_with(|| History { steps: 0, mean: weights.iter().map(|weight| weight.value.clone()).collect() });
        history.steps += 1;
        let share = 1.0 / history.steps as f64;
        for (mean, weight) in history.mean.iter_mut().zip(weights.iter()) {
            let both = mean.data_mut().iter_mut().zip(weight.value.data());
            both.for_each(|(mean, &weight)| *mean += (share * f64::from(weight - *mean)) as f32);
        }
    }

    fn save(&self, state: &mut SavedState) {
        let steps: BTreeMap<&str, (u64, usize)> =
            self.players.iter().map(|(player, of)| (player.as_str(), (of.steps, of.mean.len()))).collect();
        state.insert_value(PREFIX, &steps);
        for (player, history) in &self.players {
            for (index, mean) in history.mean.iter().enumerate() {
                state.insert(format!("{PREFIX}.{player}.{index}"), mean);
            }
        }
    }

    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        let steps: BTreeMap<String, (u64, usize)> = state.value(PREFIX)?;
        self.players.clear();
        for (player, (steps, tensors)) in steps {
            let tensor = |index| state.any_tensor(&format!("{PREFIX}.{player}.{index}"));
            let mean = (0..tensors).map(tensor).collect::<Result<_, _>>()?;
            self.players.insert(player.clone(), History { steps, mean });
        }
        Ok(())
    }
}
