//! BiGAN: a generator and an encoder against a critic that sees images with their codes.

use super::player::{DISCRIMINATOR, ENCODER, GENERATOR};
use super::regularizers::Regularizers;
use super::scores::{columns, mean_score, taken_for, told_apart};
use super::{Measure, Networks, PlayerSpec, Reader, System};
use crate::gan::error::GanError;
use crate::gan::models::PixelRange;
use crate::gan::networks::{Graph, name};
use crate::gan::optim::Rule;
use crate::gan::random::Random;
use crate::gan::regularizers::Regularizer;
use crate::gan::state::SavedState;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Step, Weights};

/// Three networks that fit each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Trio {
    /// From [`name::Z`] to [`name::IMAGES`].
    pub generator: Graph,
    /// From [`name::IMAGES`] to [`name::CODE`], of the shape of z.
    pub encoder: Graph,
    /// From [`name::IMAGES`] and [`name::Z`] to [`name::LOGIT`].
    pub discriminator: Graph,
    /// Range of the pixels.
    pub range: PixelRange,
}

impl Trio {
    /// Images and their codes side by side, one pair a row: what a regularizer takes for an image.
    fn rows(images: &Tensor, codes: &Tensor) -> Result<Tensor, GanError> {
        let flat =
            |of: &Tensor| Ok::<_, GanError>(Var::constant(of.reshape(&[of.shape()[0], of.len() / of.shape()[0]])?));
        Ok(Var::concat(&[&flat(images)?, &flat(codes)?], 1)?.value().clone())
    }

    /// v of such rows.
    fn judge_rows(&self, step: &mut Step<'_>, weights: &Weights, rows: &Var) -> Result<Var, GanError> {
        let (count, length) = (rows.shape()[0], rows.shape()[1]);
        let image = self.generator.output_shape(name::IMAGES)?;
        let code = self.encoder.output_shape(name::CODE)?;
        let pixels = image.iter().product();
        let images = rows.slice(1, 0..pixels)?.reshape(&[&[count], image].concat())?;
        let codes = rows.slice(1, pixels..length)?.reshape(&[&[count], code].concat())?;
        step.forward(weights, DISCRIMINATOR, &[&images, &codes])?.get(name::LOGIT).cloned()
    }
}

/// The game of Donahue, Krähenbühl and Darrell (2017) and of Dumoulin et al. (2017) with an encoder E that draws nothing. With v
/// the critic's logit, it minimises E softplus(−v(x, E(x))) + E softplus(v(G(z), z)), generator and encoder as one player
/// E softplus(v(x, E(x))) + E softplus(−v(G(z), z)). As in the authors' code both gradients are taken at the same weights. At the
/// optimum E inverts G. Regularizers see an image with its code as one row of numbers: R1 is (γ/2)·E‖∇v(x, E(x))‖² by both.
pub struct Bidirectional {
    title: String,
    trio: Trio,
    regularizers: Regularizers,
    rule: Rule,
}

impl Bidirectional {
    /// The game; `rule` is how both players step where nothing else is said.
    ///
    /// # Errors
    /// [`GanError::Shape`] when the networks do not fit each other; [`GanError::Setting`] when a regularizer wants a critic that
    /// looks at every pair by itself, and this one does not.
    pub fn new(
        title: impl Into<String>,
        trio: Trio,
        regularizers: Vec<Box<dyn Regularizer>>,
        rule: Rule,
    ) -> Result<Self, GanError> {
        let images = trio.generator.output_shape(name::IMAGES)?;
        let code = trio.encoder.output_shape(name::CODE)?;
        trio.discriminator.output_shape(name::LOGIT)?;
        match trio.generator.takes(&[code])
            && trio.encoder.takes(&[images])
            && trio.discriminator.takes(&[images, code])
        {
            true => {
                let regularizers = Regularizers::new(regularizers, &trio.discriminator)?;
                Ok(Bidirectional { title: title.into(), trio, regularizers, rule })
            }
            false => {
                let problem =
                    format!("the images are {images:?} and the codes {code:?}, but not for all three networks");
                Err(GanError::shape("game", problem))
            }
        }
    }
}

impl System for Bidirectional {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn networks(&self) -> Vec<(&'static str, Graph)> {
        let Trio { generator, encoder, discriminator, .. } = self.trio.clone();
        vec![(GENERATOR, generator), (ENCODER, encoder), (DISCRIMINATOR, discriminator)]
    }

    fn players(&self) -> Vec<PlayerSpec> {
        vec![
            PlayerSpec { name: GENERATOR, networks: vec![GENERATOR, ENCODER], rule: self.rule },
            PlayerSpec { name: DISCRIMINATOR, networks: vec![DISCRIMINATOR], rule: self.rule },
        ]
    }

    fn measures(&self) -> Vec<Measure> {
        let after = |measure: &Measure| measure.name != "fake_score_after";
        columns(Some(["D(x, E(x))", "D(G(z), z)"]), []).into_iter().filter(after).collect()
    }

    fn step(&mut self, step: &mut Step<'_>) -> Result<(), GanError> {
        let real = step.batch()?.images;
        let z = Var::constant(step.latent(&self.trio.generator.inputs()[0].value)?);
        let (makers, judge) = (step.variables(GENERATOR)?, step.variables(DISCRIMINATOR)?);
        let x = Var::constant(real.clone());
        let fake = step.forward(&makers, GENERATOR, &[&z])?.get(name::IMAGES)?.clone();
        let code = step.forward(&makers, ENCODER, &[&x])?.get(name::CODE)?.clone();
        // One pass serves both players: each is differentiated by its own weights only. It holds both kinds of pairs, as in the
        // authors' code: where batch normalisation takes the moments of each kind by itself, the critic wins, and the generator
        // stays at noise.
        let (pictures, codes) = (Var::concat(&[&x, &fake], 0)?, Var::concat(&[&code, &z], 0)?);
        let logits = step.forward(&judge, DISCRIMINATOR, &[&pictures, &codes])?.get(name::LOGIT)?.clone();
        let (reals, pairs) = (real.shape()[0], logits.value().shape()[0]);
        let (of_real, of_fake) = (logits.slice(0, 0..reals)?, logits.slice(0, reals..pairs)?);
        step.record("real_score", mean_score(&of_real, true));
        step.record("fake_score_before", mean_score(&of_fake, true));
        let mut of_judge = told_apart(&of_real, &of_fake)?;
        let mut of_makers = taken_for(false, &of_real).add(&taken_for(true, &of_fake))?;
        let images = fake.value().clone();
        if !self.regularizers.is_empty() {
            let rows = [Trio::rows(&real, code.value())?, Trio::rows(&images, z.value())?];
            let critic = |step: &mut Step<'_>, rows: &Var| self.trio.judge_rows(step, &judge, rows);
            of_judge = self.regularizers.on_critic(of_judge, step, &judge, rows.each_ref(), critic)?;
            of_makers = self.regularizers.on_player(GENERATOR, of_makers, &makers)?;
        }
        drop((of_real, of_fake, logits, pictures, codes, fake, code));
        step.descend(DISCRIMINATOR, judge, of_judge)?;
        // What it was made of still has the critic's weights from before its step.
        step.descend(GENERATOR, makers, of_makers)?;
        for player in [DISCRIMINATOR, GENERATOR] {
            self.regularizers.after_step(step, player)?;
        }
        step.show(&real, &images);
        Ok(())
    }

    fn pixel_range(&self) -> PixelRange {
        self.trio.range
    }

    fn save(&self, state: &mut SavedState) {
        self.regularizers.save(state);
    }

    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        self.regularizers.restore(state)
    }

    fn averaged(&self) -> Vec<&'static str> {
        vec![GENERATOR, ENCODER]
    }

    fn encoder(&self) -> Option<Reader> {
        Some(Reader { network: ENCODER, outputs: &[name::CODE] })
    }

    /// G(E(x)).
    fn reconstruct(&self, networks: &Networks, images: &Tensor, _: &mut Random) -> Result<Tensor, GanError> {
        networks.output(GENERATOR, &[&self.encode(networks, images)?], name::IMAGES)
    }
}
