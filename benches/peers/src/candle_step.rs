//! The step in candle, on its CPU backend without MKL.
//!
//! Convolutions, batch normalisation (`forward_train`) and all gradients are candle's own. Adam is its `AdamW` without
//! weight decay. Binary cross-entropy is written from its operations: that of candle-nn takes the logarithm of a
//! sigmoid, which is not finite for logits that the training can reach. Nothing is left out: candle always computes
//! both gradients of a convolution, so a step also computes those by the discriminator's weights for the generator's
//! loss (as PyTorch does) and those by the real images and the detached ones (as PyTorch does not). Its steps run in
//! its own pool of threads (`with_context`), which keeps them warm between operations.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::ops::leaky_relu;
use candle_nn::{AdamW, BatchNorm, Optimizer, ParamsAdamW};

use crate::{BETA_1, BETA_2, Case, EPSILON, LATENT, LEARNING_RATE, Layer, Random, SLOPE, Step, dcgan};

const DEVICE: &Device = &Device::Cpu;

/// The layers of a network and all that trains.
struct Network {
    layers: Vec<(Layer, Tensor, Option<BatchNorm>)>,
    variables: Vec<Var>,
}

impl Network {
    fn new(layers: &[Layer], transposed: bool, random: &mut Random) -> Result<Self> {
        let mut network = Self { layers: Vec::new(), variables: Vec::new() };
        for &layer in layers {
            let Layer { inputs, outputs, kernel, .. } = layer;
            let (first, second) = if transposed { (inputs, outputs) } else { (outputs, inputs) };
            let weight = Tensor::from_vec(random.weights(layer), (first, second, kernel, kernel), DEVICE)?;
            let weight = network.variable(weight)?;
            let norm = if layer.norm {
                let ones = Tensor::ones(outputs, DType::F32, DEVICE)?;
                let zeros = Tensor::zeros(outputs, DType::F32, DEVICE)?;
                let (weight, bias) = (network.variable(ones.clone())?, network.variable(zeros.clone())?);
                Some(BatchNorm::new(outputs, zeros, ones, weight, bias, 1e-5)?)
            } else {
                None
            };
            network.layers.push((layer, weight, norm));
        }
        Ok(network)
    }

    fn variable(&mut self, value: Tensor) -> Result<Tensor> {
        let variable = Var::from_tensor(&value)?;
        let tensor = variable.as_tensor().clone();
        self.variables.push(variable);
        Ok(tensor)
    }

    fn adam(&self) -> Result<AdamW> {
        let settings = ParamsAdamW { lr: LEARNING_RATE, beta1: BETA_1, beta2: BETA_2, eps: EPSILON, weight_decay: 0.0 };
        AdamW::new(self.variables.clone(), settings)
    }

    fn generate(&self, noise: &Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(noise.clone(), |x, (layer, weight, norm)| {
            let x = x.conv_transpose2d(weight, layer.padding, 0, layer.stride, 1)?;
            match norm {
                Some(norm) => norm.forward_train(&x)?.relu(),
                None => x.tanh(),
            }
        })
    }

    /// The logits, one for each image.
    fn judge(&self, images: &Tensor) -> Result<Tensor> {
        let last = self.layers.len() - 1;
        let mut x = images.clone();
        for (i, (layer, weight, norm)) in self.layers.iter().enumerate() {
            x = x.conv2d(weight, layer.padding, layer.stride, 1, 1)?;
            if let Some(norm) = norm {
                x = norm.forward_train(&x)?;
            }
            if i < last {
                x = leaky_relu(&x, SLOPE)?;
            }
        }
        x.flatten_all()
    }
}

/// Binary cross-entropy with logits: max(x, 0) - x y + log(1 + exp(-|x|)).
fn loss(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    let rest = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    ((logits.relu()? - (logits * target)?)? + rest)?.mean_all()
}

pub struct CandleStep {
    generator: Network,
    discriminator: Network,
    adam: [AdamW; 2],
    real: Tensor,
    ones: Tensor,
    zeros: Tensor,
}

impl CandleStep {
    pub fn new(case: Case) -> Self {
        Self::try_new(case).expect("candle makes the networks")
    }

    fn try_new(case: Case) -> Result<Self> {
        let Case { size, channels, batch } = case;
        let mut random = Random(1);
        let (generator, discriminator) = dcgan(size, channels);
        let generator = Network::new(&generator, true, &mut random)?;
        let discriminator = Network::new(&discriminator, false, &mut random)?;
        let real = random.uniform(1.0, batch * channels * size * size);
        Ok(Self {
            adam: [generator.adam()?, discriminator.adam()?],
            generator,
            discriminator,
            real: Tensor::from_vec(real, (batch, channels, size, size), DEVICE)?,
            ones: Tensor::ones(batch, DType::F32, DEVICE)?,
            zeros: Tensor::zeros(batch, DType::F32, DEVICE)?,
        })
    }

    #[cfg(test)]
    pub fn noise_from(&self, noise: Vec<f32>) -> Result<Tensor> {
        let batch = noise.len() / LATENT;
        Tensor::from_vec(noise, (batch, LATENT, 1, 1), DEVICE)
    }

    pub fn step_on(&mut self, noise: &Tensor) -> Result<[f32; 3]> {
        let on_real = loss(&self.discriminator.judge(&self.real)?, &self.ones)?;
        let mut gradients = on_real.backward()?;
        let fake = self.generator.generate(noise)?;
        let on_fake = loss(&self.discriminator.judge(&fake.detach())?, &self.zeros)?;
        let others = on_fake.backward()?;
        for variable in &self.discriminator.variables {
            if let (Some(a), Some(b)) = (gradients.get(variable), others.get(variable)) {
                let sum = (a + b)?;
                gradients.insert(variable, sum);
            }
        }
        self.adam[1].step(&gradients)?;
        drop((gradients, others));

        let of_generator = loss(&self.discriminator.judge(&fake)?, &self.ones)?;
        self.adam[0].step(&of_generator.backward()?)?;
        Ok([on_real.to_scalar()?, on_fake.to_scalar()?, of_generator.to_scalar()?])
    }
}

impl Step for CandleStep {
    fn step(&mut self) -> [f32; 3] {
        let noise = Tensor::randn(0f32, 1f32, (self.ones.elem_count(), LATENT, 1, 1), DEVICE);
        noise.and_then(|noise| DEVICE.with_context(|| self.step_on(&noise))).expect("candle takes the step")
    }
}
