//! A code that the critic can read off the image.

use super::{CriticKind, Game, Objective};
use crate::gan::error::GanError;
use crate::gan::networks::name;
use crate::gan::real::Real;
use crate::gan::regularizers::RegularizerSpec;
use crate::gan::state::SavedState;
use crate::gan::tape::Var;

/// What the bound of the numbers counts beside the game and that of the category (λ of the paper, which takes a smaller one for
/// numbers). It has no upper end: counted in full, players wrote the numbers into faint patterns ever more exactly, and gave up the images.
const NUMBERS_WEIGHT: f64 = 0.1;

/// Any game, in which both players also maximise a lower bound of the mutual information between the code c that the
/// generator is given and its image: E ln q(c|G(z,c)) + H(c), where q is told by the critic (Chen et al. 2016). A category has
/// logits under [`name::CLASSES`]; numbers, uniform on \[−1, 1\], have a normal distribution with its [`name::MEAN`] and
/// [`name::LOG_VARIANCE`], which is learnt: with a fixed variance of 1 the bound could never be positive. The bound of all numbers
/// is multiplied by 0.1.
pub struct MutualInformation<T: Real = f32> {
    game: Box<dyn Objective<T>>,
    categories: usize,
    numbers: usize,
    /// The bounds of the last step in nats: of the category, and of all numbers together.
    bounds: [f64; 2],
}

impl<T: Real> MutualInformation<T> {
    /// On top of a game, for a code of a category and some numbers.
    pub fn new(game: Box<dyn Objective<T>>, categories: usize, numbers: usize) -> Self {
        MutualInformation { game, categories, numbers, bounds: [0.0; 2] }
    }

    /// The bound of the category, and that of the numbers by its weight.
    fn bound(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let code = game.condition.ok_or_else(|| GanError::shape("objective", "the code is not there"))?;
        let outputs = game.fake.outputs;
        let category = code.slice(1, 0..self.categories)?;
        let of_category = outputs.get(name::CLASSES)?.cross_entropy(&category)?.mean().neg();
        let of_category = of_category.shift(T::of((self.categories as f64).ln()));
        self.bounds[0] = of_category.item()?.to_f64();
        if self.numbers == 0 {
            return Ok(of_category);
        }
        let numbers = code.slice(1, self.categories..self.categories + self.numbers)?;
        let (mean, log_variance) = (outputs.get(name::MEAN)?, outputs.get(name::LOG_VARIANCE)?);
        let squares = numbers.sub(mean)?.square().mul(&log_variance.neg().exp())?;
        // ln q = −½ ln 2π − ½ ln s² − (c − μ)²/2s², and H(c) = ln 2 for each number.
        let constant = self.numbers as f64 * (std::f64::consts::LN_2 - 0.5 * std::f64::consts::TAU.ln());
        let of_numbers = squares.add(log_variance)?.sum_rows()?.mean().scale(T::of(-0.5)).shift(T::of(constant));
        self.bounds[1] = of_numbers.item()?.to_f64();
        of_category.add(&of_numbers.scale(T::of(NUMBERS_WEIGHT)))
    }
}

impl<T: Real> Objective<T> for MutualInformation<T> {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let bound = self.bound(game)?;
        self.game.critic_loss(game)?.sub(&bound)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let bound = self.bound(game)?;
        self.game.generator_loss(game)?.sub(&bound)
    }

    fn critic(&self) -> CriticKind {
        self.game.critic()
    }

    fn regularizers(&self) -> Vec<RegularizerSpec> {
        self.game.regularizers()
    }

    fn outputs(&self) -> &'static [&'static str] {
        match self.numbers {
            0 => &[name::LOGIT, name::CLASSES],
            _ => &[name::LOGIT, name::CLASSES, name::MEAN, name::LOG_VARIANCE],
        }
    }

    fn generator_sees_real(&self) -> bool {
        self.game.generator_sees_real()
    }

    fn has_probabilities(&self) -> bool {
        self.game.has_probabilities()
    }

    fn values(&self) -> Vec<(&'static str, f64)> {
        let [category, numbers] = self.bounds;
        let own = [("category_information", category), ("number_information", numbers)];
        [self.game.values(), own[..1 + usize::from(self.numbers > 0)].to_vec()].concat()
    }

    fn save(&self, state: &mut SavedState) {
        self.game.save(state);
    }

    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        self.game.restore(state)
    }
}
