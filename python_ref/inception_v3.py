"""The FID Inception-v3 in PyTorch, written from its definition: the truth for the Rust conversion.

The network of the TensorFlow graph "inception-2015-12-05" under the tensor names of the PyTorch checkpoints. Against
Szegedy et al. 2016 as torchvision has it: 1008 classes, batch normalisation with epsilon 0.001, average pools that
leave padding out of the mean, and a maximum in the place of the average in the pool branch of Mixed_7c.
"""

import torch
from torch import nn
from torch.nn import functional

EPSILON = 1e-3
CLASSES = 1008
SFID_CHANNELS = 7


class ConvBn(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=EPSILON)

    def forward(self, x):
        return functional.relu(self.bn(self.conv(x)))


def average(x):
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def maximum(x):
    return functional.max_pool2d(x, 3, stride=1, padding=1)


def halve(x):
    return functional.max_pool2d(x, 3, stride=2)


class MixedA(nn.Module):
    """35×35: Mixed_5b, 5c, 5d."""

    def __init__(self, inputs, pool):
        super().__init__()
        self.branch1x1 = ConvBn(inputs, 64, 1)
        self.branch5x5_1 = ConvBn(inputs, 48, 1)
        self.branch5x5_2 = ConvBn(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = ConvBn(inputs, 64, 1)
        self.branch3x3dbl_2 = ConvBn(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvBn(96, 96, 3, padding=1)
        self.branch_pool = ConvBn(inputs, pool, 1)

    def forward(self, x):
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch5x5_2(self.branch5x5_1(x)),
                self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                self.branch_pool(average(x)),
            ],
            1,
        )


class MixedB(nn.Module):
    """35×35 to 17×17: Mixed_6a."""

    def __init__(self, inputs):
        super().__init__()
        self.branch3x3 = ConvBn(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = ConvBn(inputs, 64, 1)
        self.branch3x3dbl_2 = ConvBn(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvBn(96, 96, 3, stride=2)

    def forward(self, x):
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, halve(x)], 1)


class MixedC(nn.Module):
    """17×17: Mixed_6b to 6e."""

    def __init__(self, inputs, narrow):
        super().__init__()
        row = {"kernel": (1, 7), "padding": (0, 3)}
        column = {"kernel": (7, 1), "padding": (3, 0)}
        self.branch1x1 = ConvBn(inputs, 192, 1)
        self.branch7x7_1 = ConvBn(inputs, narrow, 1)
        self.branch7x7_2 = ConvBn(narrow, narrow, **row)
        self.branch7x7_3 = ConvBn(narrow, 192, **column)
        self.branch7x7dbl_1 = ConvBn(inputs, narrow, 1)
        self.branch7x7dbl_2 = ConvBn(narrow, narrow, **column)
        self.branch7x7dbl_3 = ConvBn(narrow, narrow, **row)
        self.branch7x7dbl_4 = ConvBn(narrow, narrow, **column)
        self.branch7x7dbl_5 = ConvBn(narrow, 192, **row)
        self.branch_pool = ConvBn(inputs, 192, 1)

    def forward(self, x):
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
                self.branch7x7dbl_5(self.branch7x7dbl_4(double)),
                self.branch_pool(average(x)),
            ],
            1,
        )


class MixedD(nn.Module):
    """17×17 to 8×8: Mixed_7a."""

    def __init__(self, inputs):
        super().__init__()
        self.branch3x3_1 = ConvBn(inputs, 192, 1)
        self.branch3x3_2 = ConvBn(192, 320, 3, stride=2)
        self.branch7x7x3_1 = ConvBn(inputs, 192, 1)
        self.branch7x7x3_2 = ConvBn(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = ConvBn(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = ConvBn(192, 192, 3, stride=2)

    def forward(self, x):
        cross = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), self.branch7x7x3_4(cross), halve(x)], 1)


class MixedE(nn.Module):
    """8×8: Mixed_7b with the average in its pool branch, 7c with the maximum."""

    def __init__(self, inputs, pool):
        super().__init__()
        self.pool = pool
        self.branch1x1 = ConvBn(inputs, 320, 1)
        self.branch3x3_1 = ConvBn(inputs, 384, 1)
        self.branch3x3_2a = ConvBn(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = ConvBn(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = ConvBn(inputs, 448, 1)
        self.branch3x3dbl_2 = ConvBn(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = ConvBn(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = ConvBn(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = ConvBn(inputs, 192, 1)

    def forward(self, x):
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(single),
                self.branch3x3_2b(single),
                self.branch3x3dbl_3a(double),
                self.branch3x3dbl_3b(double),
                self.branch_pool(self.pool(x)),
            ],
            1,
        )


class InceptionV3(nn.Module):
    """Takes N×3×299×299 in [−1, 1], gives every output that the Rust graph has, by name."""

    def __init__(self):
        super().__init__()
        self.Conv2d_1a_3x3 = ConvBn(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvBn(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvBn(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = ConvBn(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvBn(80, 192, 3)
        self.Mixed_5b = MixedA(192, 32)
        self.Mixed_5c = MixedA(256, 64)
        self.Mixed_5d = MixedA(288, 64)
        self.Mixed_6a = MixedB(288)
        self.Mixed_6b = MixedC(768, 128)
        self.Mixed_6c = MixedC(768, 160)
        self.Mixed_6d = MixedC(768, 160)
        self.Mixed_6e = MixedC(768, 192)
        self.Mixed_7a = MixedD(768)
        self.Mixed_7b = MixedE(1280, average)
        self.Mixed_7c = MixedE(2048, maximum)
        self.fc = nn.Linear(2048, CLASSES)

    @torch.no_grad()
    def forward(self, x):
        outputs = {}
        x = halve(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        outputs["features_64"] = x.mean((2, 3))
        x = halve(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        outputs["features_192"] = x.mean((2, 3))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x))))
        # The branches are joined in order, so the first channels of the block are those of branch1x1.
        outputs["sfid"] = x[:, :SFID_CHANNELS].permute(0, 2, 3, 1).flatten(1)
        x = self.Mixed_6e(x)
        outputs["features_768"] = x.mean((2, 3))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        outputs["pool3"] = x.mean((2, 3))
        outputs["logits_unbiased"] = outputs["pool3"] @ self.fc.weight.T
        outputs["logits"] = outputs["logits_unbiased"] + self.fc.bias
        return outputs
