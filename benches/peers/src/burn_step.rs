//! The step in burn, on its pure Rust CPU backend (`flex`) with its automatic differentiation.
//!
//! Everything is burn's own: layers, loss and optimizer. In the step of the generator the discriminator is a copy that
//! shares the weights without tracking them, so their gradients are not computed (PyTorch computes them there); batch
//! normalisation stays in training mode and goes on to update the same running statistics. The gradient by the real
//! images is not computed either.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::loss::{BinaryCrossEntropyLoss, BinaryCrossEntropyLossConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::optim::{AdamConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::{leaky_relu, relu, tanh};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};

use crate::{BETA_1, BETA_2, Case, EPSILON, LATENT, LEARNING_RATE, Layer, Random, SLOPE, Step, dcgan};

fn weights(layer: Layer, shape: [usize; 2], random: &mut Random, device: &Device) -> Param<Tensor<4>> {
    let shape = [shape[0], shape[1], layer.kernel, layer.kernel];
    Param::from_data(TensorData::new(random.weights(layer), shape), device)
}

fn norms(layers: &[Layer], device: &Device) -> Vec<Option<BatchNorm>> {
    layers.iter().map(|layer| layer.norm.then(|| BatchNormConfig::new(layer.outputs).init(device))).collect()
}

#[derive(Module, Debug)]
struct Generator {
    convolutions: Vec<ConvTranspose2d>,
    norms: Vec<Option<BatchNorm>>,
}

impl Generator {
    fn new(layers: &[Layer], random: &mut Random, device: &Device) -> Self {
        let convolution = |layer: &Layer| {
            let &Layer { inputs, outputs, kernel, stride, padding, .. } = layer;
            let config = ConvTranspose2dConfig::new([inputs, outputs], [kernel; 2]).with_bias(false);
            let weight = weights(*layer, [inputs, outputs], random, device);
            ConvTranspose2d { weight, ..config.with_stride([stride; 2]).with_padding([padding; 2]).init(device) }
        };
        Self { convolutions: layers.iter().map(convolution).collect(), norms: norms(layers, device) }
    }

    fn forward(&self, noise: Tensor<4>) -> Tensor<4> {
        self.convolutions.iter().zip(&self.norms).fold(noise, |x, (convolution, norm)| {
            let x = convolution.forward(x);
            match norm {
                Some(norm) => relu(norm.forward(x)),
                None => tanh(x),
            }
        })
    }
}

#[derive(Module, Debug)]
struct Discriminator {
    convolutions: Vec<Conv2d>,
    norms: Vec<Option<BatchNorm>>,
}

impl Discriminator {
    fn new(layers: &[Layer], random: &mut Random, device: &Device) -> Self {
        let convolution = |layer: &Layer| {
            let &Layer { inputs, outputs, kernel, stride, padding, .. } = layer;
            let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
            let config = Conv2dConfig::new([inputs, outputs], [kernel; 2]).with_bias(false);
            let weight = weights(*layer, [outputs, inputs], random, device);
            Conv2d { weight, ..config.with_stride([stride; 2]).with_padding(padding).init(device) }
        };
        Self { convolutions: layers.iter().map(convolution).collect(), norms: norms(layers, device) }
    }

    /// The logits, one for each image.
    fn forward(&self, images: Tensor<4>) -> Tensor<1> {
        let last = self.convolutions.len() - 1;
        let layers = self.convolutions.iter().zip(&self.norms).enumerate();
        let logits = layers.fold(images, |x, (i, (convolution, norm))| {
            let mut x = convolution.forward(x);
            if let Some(norm) = norm {
                x = norm.forward(x);
            }
            if i < last { leaky_relu(x, SLOPE) } else { x }
        });
        logits.flatten(0, 3)
    }
}

pub struct BurnStep {
    /// Both are always there, except while their optimizer has them.
    generator: Option<Generator>,
    discriminator: Option<Discriminator>,
    adam: [ModuleOptimizer; 2],
    loss: BinaryCrossEntropyLoss,
    real: Tensor<4>,
    ones: Tensor<1, Int>,
    zeros: Tensor<1, Int>,
    device: Device,
}

impl BurnStep {
    pub fn new(case: Case) -> Self {
        let Case { size, channels, batch } = case;
        let device = Device::flex().autodiff();
        let mut random = Random(1);
        let (generator, discriminator) = dcgan(size, channels);
        let adam = AdamConfig::new().with_beta_1(BETA_1 as f32).with_beta_2(BETA_2 as f32).with_epsilon(EPSILON as f32);
        let generator = Generator::new(&generator, &mut random, &device);
        let discriminator = Discriminator::new(&discriminator, &mut random, &device);
        let real = random.uniform(1.0, batch * channels * size * size);
        Self {
            generator: Some(generator),
            discriminator: Some(discriminator),
            adam: [adam.init(), adam.init()],
            loss: BinaryCrossEntropyLossConfig::new().with_logits(true).init(&device),
            real: Tensor::from_data(TensorData::new(real, [batch, channels, size, size]), &device),
            ones: Tensor::ones([batch], &device),
            zeros: Tensor::zeros([batch], &device),
            device,
        }
    }

    #[cfg(test)]
    pub fn noise_from(&self, noise: Vec<f32>) -> Tensor<4> {
        let shape = [noise.len() / LATENT, LATENT, 1, 1];
        Tensor::from_data(TensorData::new(noise, shape), &self.device)
    }

    pub fn step_on(&mut self, noise: Tensor<4>) -> [f32; 3] {
        let generator = self.generator.take().expect("the last step put it back");
        let discriminator = self.discriminator.take().expect("the last step put it back");
        let mut gradients = GradientsAccumulator::new();

        let on_real = self.loss.forward(discriminator.forward(self.real.clone()), self.ones.clone());
        gradients.accumulate(&discriminator, GradientsParams::from_grads(on_real.backward(), &discriminator));
        let fake = generator.forward(noise);
        let on_fake = self.loss.forward(discriminator.forward(fake.clone().detach()), self.zeros.clone());
        gradients.accumulate(&discriminator, GradientsParams::from_grads(on_fake.backward(), &discriminator));
        let discriminator = self.adam[1].step(LEARNING_RATE, discriminator, gradients.grads());

        let untracked = discriminator.clone().no_grad();
        let of_generator = self.loss.forward(untracked.forward(fake), self.ones.clone());
        drop(untracked);
        let gradients = GradientsParams::from_grads(of_generator.backward(), &generator);
        self.generator = Some(self.adam[0].step(LEARNING_RATE, generator, gradients));
        self.discriminator = Some(discriminator);
        [on_real, on_fake, of_generator].map(|loss| loss.into_scalar())
    }
}

impl Step for BurnStep {
    fn step(&mut self) -> [f32; 3] {
        let shape = [self.ones.dims()[0], LATENT, 1, 1];
        self.step_on(Tensor::random(shape, Distribution::Normal(0.0, 1.0), &self.device))
    }
}
