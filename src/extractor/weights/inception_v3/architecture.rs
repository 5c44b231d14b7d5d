//! The network, described once: what walks it decides whether a graph or a list of shapes comes out.

use crate::extractor::weights::onnx::Window;

/// What the description is made of.
pub(super) trait Operators {
    /// A feature map.
    type Value: Clone;

    /// Convolution without bias, batch normalisation and ReLU.
    fn conv(&mut self, name: &str, input: &Self::Value, outputs: usize, window: Window) -> Self::Value;

    fn max_pool(&mut self, name: &str, input: &Self::Value, window: Window) -> Self::Value;

    /// The mean of what lies inside the image.
    fn average_pool(&mut self, name: &str, input: &Self::Value, window: Window) -> Self::Value;

    fn concat(&mut self, name: &str, branches: &[Self::Value]) -> Self::Value;
}

/// The feature maps that outputs are taken from; sides for an input of 299.
pub(super) struct Taps<V> {
    /// After the first max pool: 64 channels, 73×73.
    pub(super) first_pool: V,
    /// After the second max pool: 192 channels, 35×35.
    pub(super) second_pool: V,
    /// `Mixed_6d.branch1x1`, which is `mixed_6/conv` in the TensorFlow graph: 192 channels, 17×17.
    pub(super) spatial: V,
    /// `Mixed_6e`, before the auxiliary classifier of the training graph: 768 channels, 17×17.
    pub(super) mixed_6e: V,
    /// `Mixed_7c`: 2048 channels, 8×8.
    pub(super) mixed_7c: V,
}

/// Walks the network from images to taps.
pub(super) fn forward<O: Operators>(operators: &mut O, images: &O::Value) -> Taps<O::Value> {
    let square = |side| Window::new(side, side);
    let x = operators.conv("Conv2d_1a_3x3", images, 32, square(3).stride(2));
    let x = operators.conv("Conv2d_2a_3x3", &x, 32, square(3));
    let x = operators.conv("Conv2d_2b_3x3", &x, 64, square(3).pad_centred());
    let first_pool = operators.max_pool("MaxPool_1", &x, square(3).stride(2));
    let x = operators.conv("Conv2d_3b_1x1", &first_pool, 80, square(1));
    let x = operators.conv("Conv2d_4a_3x3", &x, 192, square(3));
    let second_pool = operators.max_pool("MaxPool_2", &x, square(3).stride(2));

    let x = Block::new(operators, "Mixed_5b", &second_pool).a(32);
    let x = Block::new(operators, "Mixed_5c", &x).a(64);
    let x = Block::new(operators, "Mixed_5d", &x).a(64);
    let x = Block::new(operators, "Mixed_6a", &x).b();
    let (x, _) = Block::new(operators, "Mixed_6b", &x).c(128);
    let (x, _) = Block::new(operators, "Mixed_6c", &x).c(160);
    let (x, spatial) = Block::new(operators, "Mixed_6d", &x).c(160);
    let (mixed_6e, _) = Block::new(operators, "Mixed_6e", &x).c(192);
    let x = Block::new(operators, "Mixed_7a", &mixed_6e).d();
    let x = Block::new(operators, "Mixed_7b", &x).e(Pool::Average);
    let mixed_7c = Block::new(operators, "Mixed_7c", &x).e(Pool::Maximum);
    Taps { first_pool, second_pool, spatial, mixed_6e, mixed_7c }
}

/// The pool of a block's pool branch.
enum Pool {
    Average,
    Maximum,
}

/// A step of a branch: name of the convolution, channels out, window.
type Step = (&'static str, usize, Window);

/// A convolution that keeps the size.
fn keep(name: &'static str, outputs: usize, height: usize, width: usize) -> Step {
    (name, outputs, Window::new(height, width).pad_centred())
}

/// A 3×3 convolution that halves the size.
fn halve(name: &'static str, outputs: usize) -> Step {
    (name, outputs, Window::new(3, 3).stride(2))
}

/// A *Mixed* block on its input.
struct Block<'a, O: Operators> {
    operators: &'a mut O,
    name: &'static str,
    input: &'a O::Value,
}

impl<'a, O: Operators> Block<'a, O> {
    fn new(operators: &'a mut O, name: &'static str, input: &'a O::Value) -> Self {
        Self { operators, name, input }
    }

    /// 35×35: `Mixed_5b`, `5c`, `5d`.
    fn a(mut self, pool: usize) -> O::Value {
        let branches = [
            self.branch(&[keep("branch1x1", 64, 1, 1)]),
            self.branch(&[keep("branch5x5_1", 48, 1, 1), keep("branch5x5_2", 64, 5, 5)]),
            self.branch(&[
                keep("branch3x3dbl_1", 64, 1, 1),
                keep("branch3x3dbl_2", 96, 3, 3),
                keep("branch3x3dbl_3", 96, 3, 3),
            ]),
            self.pool_branch(Pool::Average, pool),
        ];
        self.concat(&branches)
    }

    /// 35×35 to 17×17: `Mixed_6a`.
    fn b(mut self) -> O::Value {
        let branches = [
            self.branch(&[halve("branch3x3", 384)]),
            self.branch(&[
                keep("branch3x3dbl_1", 64, 1, 1),
                keep("branch3x3dbl_2", 96, 3, 3),
                halve("branch3x3dbl_3", 96),
            ]),
            self.halved_input(),
        ];
        self.concat(&branches)
    }

    /// 17×17: `Mixed_6b` to `6e`. Also gives the first branch alone.
    fn c(mut self, narrow: usize) -> (O::Value, O::Value) {
        let branches = [
            self.branch(&[keep("branch1x1", 192, 1, 1)]),
            self.branch(&[
                keep("branch7x7_1", narrow, 1, 1),
                keep("branch7x7_2", narrow, 1, 7),
                keep("branch7x7_3", 192, 7, 1),
            ]),
            self.branch(&[
                keep("branch7x7dbl_1", narrow, 1, 1),
                keep("branch7x7dbl_2", narrow, 7, 1),
                keep("branch7x7dbl_3", narrow, 1, 7),
                keep("branch7x7dbl_4", narrow, 7, 1),
                keep("branch7x7dbl_5", 192, 1, 7),
            ]),
            self.pool_branch(Pool::Average, 192),
        ];
        (self.concat(&branches), branches[0].clone())
    }

    /// 17×17 to 8×8: `Mixed_7a`.
    fn d(mut self) -> O::Value {
        let branches = [
            self.branch(&[keep("branch3x3_1", 192, 1, 1), halve("branch3x3_2", 320)]),
            self.branch(&[
                keep("branch7x7x3_1", 192, 1, 1),
                keep("branch7x7x3_2", 192, 1, 7),
                keep("branch7x7x3_3", 192, 7, 1),
                halve("branch7x7x3_4", 192),
            ]),
            self.halved_input(),
        ];
        self.concat(&branches)
    }

    /// 8×8: `Mixed_7b`, `7c`.
    fn e(mut self, pool: Pool) -> O::Value {
        let branch1x1 = self.branch(&[keep("branch1x1", 320, 1, 1)]);
        let single = self.branch(&[keep("branch3x3_1", 384, 1, 1)]);
        let wide = self.steps(&single, &[keep("branch3x3_2a", 384, 1, 3)]);
        let high = self.steps(&single, &[keep("branch3x3_2b", 384, 3, 1)]);
        let double = self.branch(&[keep("branch3x3dbl_1", 448, 1, 1), keep("branch3x3dbl_2", 384, 3, 3)]);
        let double_wide = self.steps(&double, &[keep("branch3x3dbl_3a", 384, 1, 3)]);
        let double_high = self.steps(&double, &[keep("branch3x3dbl_3b", 384, 3, 1)]);
        let branches = [branch1x1, wide, high, double_wide, double_high, self.pool_branch(pool, 192)];
        self.concat(&branches)
    }

    /// Convolutions one after the other, from the block's input.
    fn branch(&mut self, steps: &[Step]) -> O::Value {
        self.steps(self.input, steps)
    }

    fn steps(&mut self, from: &O::Value, steps: &[Step]) -> O::Value {
        steps.iter().fold(from.clone(), |x, (name, outputs, window)| {
            self.operators.conv(&format!("{}.{name}", self.name), &x, *outputs, *window)
        })
    }

    fn pool_branch(&mut self, pool: Pool, outputs: usize) -> O::Value {
        let (name, window) = (format!("{}.pool", self.name), Window::new(3, 3).pad_centred());
        let pooled = match pool {
            Pool::Average => self.operators.average_pool(&name, self.input, window),
            Pool::Maximum => self.operators.max_pool(&name, self.input, window),
        };
        self.steps(&pooled, &[keep("branch_pool", outputs, 1, 1)])
    }

    fn halved_input(&mut self) -> O::Value {
        self.operators.max_pool(&format!("{}.pool", self.name), self.input, Window::new(3, 3).stride(2))
    }

    fn concat(&mut self, branches: &[O::Value]) -> O::Value {
        self.operators.concat(self.name, branches)
    }
}
