"""Writes tests/fixtures/networks: small networks of the kinds that people export, images, and the Fréchet distances that the
networks' features have, computed here by numpy.

    python make_network_fixtures.py
"""

import json
import os
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as H
from onnx import numpy_helper as NH

FOLDER = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "networks")
IMAGES, SIDE, CHANNELS = 23, 8, 6
random = np.random.RandomState(0)
WEIGHTS = random.randn(CHANNELS, 3, 3, 3).astype("f4")
MEAN = STD = 127.5


def value(name, shape, dtype=T.FLOAT):
    return H.make_tensor_value_info(name, dtype, shape)


def node(operator, inputs, outputs, **attributes):
    return H.make_node(operator, inputs.split(), outputs.split(), **attributes)


def save(name, nodes, inputs, outputs, weights=(), opset=17, metadata=None, **options):
    initializers = [NH.from_array(np.asarray(array), key) for key, array in dict(weights).items()]
    graph = H.make_graph(nodes, "graph", inputs, outputs, initializers)
    model = H.make_model(graph, opset_imports=[H.make_opsetid("", opset)])
    model.ir_version = 9
    H.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    onnx.save(model, path, **options)


CONV = node("Conv", "x w", "c", pads=[1, 1, 1, 1])
POOL = [node("GlobalAveragePool", "c", "p"), node("Flatten", "p", "features")]
X = value("x", ["N", 3, SIDE, SIDE])
FEATURES = value("features", ["N", CHANNELS])
W = {"w": WEIGHTS}


def extractors():
    save("plain.onnx", [CONV, *POOL], [X], [FEATURES], W)
    save("beside/plain.onnx", [CONV, *POOL], [X], [FEATURES], W, save_as_external_data=True,
         location="plain.onnx.data", size_threshold=0)
    # As an export that fixes the batch writes it, down to the shape inside.
    fixed = [CONV, POOL[0], node("Reshape", "p s", "features")]
    save("fixed.onnx", fixed, [value("x", [5, 3, SIDE, SIDE])], [value("features", [5, CHANNELS])],
         {**W, "s": np.array([5, CHANNELS])})
    save("map.onnx", [node("Conv", "x w", "features", pads=[1, 1, 1, 1])], [X],
         [value("features", ["N", CHANNELS, SIDE, SIDE])], W)
    last = [node("Transpose", "images", "x", perm=[0, 3, 1, 2]), CONV, node("Transpose", "c", "features", perm=[0, 2, 3, 1])]
    save("map_last.onnx", last, [value("images", ["N", SIDE, SIDE, 3])], [value("features", ["N", SIDE, SIDE, CHANNELS])], W)
    tokens = [CONV, node("Reshape", "c s", "r"), node("Transpose", "r", "features", perm=[0, 2, 1])]
    save("tokens.onnx", tokens, [X], [value("features", ["N", SIDE * SIDE, CHANNELS])],
         {**W, "s": np.array([0, CHANNELS, -1])})
    save("half.onnx", [CONV, *POOL], [value("x", ["N", 3, SIDE, SIDE], T.FLOAT16)],
         [value("features", ["N", CHANNELS], T.FLOAT16)], {"w": WEIGHTS.astype("f2")})
    flat = [node("Flatten", "x", "f"), node("MatMul", "f w", "features")]
    save("double.onnx", flat, [value("x", ["N", 3, SIDE, SIDE], T.DOUBLE)], [value("features", ["N", CHANNELS], T.DOUBLE)],
         {"w": dense()})
    cast = [node("Cast", "images", "x", to=T.FLOAT), CONV, *POOL]
    save("bytes.onnx", cast, [value("images", ["N", 3, SIDE, SIDE], T.UINT8)], [FEATURES], W)
    save("gray.onnx", [CONV, *POOL], [value("x", ["N", 1, SIDE, SIDE])], [FEATURES], {"w": WEIGHTS[:, :1]})
    save("four.onnx", [CONV, *POOL], [value("x", ["N", 4, SIDE, SIDE])], [FEATURES],
         {"w": np.concatenate([WEIGHTS, WEIGHTS[:, :1]], 1)})
    save("open.onnx", [CONV, *POOL], [value("x", ["N", "c", "h", "w"])], [FEATURES], W)
    one, zero = np.ones(CHANNELS, "f4"), np.zeros(CHANNELS, "f4")
    norm = node("BatchNormalization", "c s b m v", "n rm rv", training_mode=1)
    training = [CONV, norm, node("GlobalMaxPool", "n", "p"), POOL[1]]
    save("training.onnx", training, [X], [FEATURES], {**W, "s": one, "b": zero, "m": zero, "v": one}, 15)
    # What is left when the mean of the batch is taken away.
    save("whole.onnx", [CONV, POOL[0], node("Flatten", "p", "f"), node("ReduceMean", "f", "m", axes=[0], keepdims=1),
                        node("Sub", "f m", "features")], [X], [FEATURES], W)
    classes = [CONV, POOL[0], node("Flatten", "p", "logits")]
    save("logits.onnx", classes, [X], [value("logits", ["N", CHANNELS])], W)
    tiled = [CONV, *POOL[:1], node("Flatten", "p", "f"), node("Tile", "f k", "t"), node("Slice", "t from to axis", "out")]
    save("thousand.onnx", tiled, [X], [value("out", ["N", 1000])],
         {**W, "k": np.array([1, 200]), "from": np.array([0]), "to": np.array([1000]), "axis": np.array([1])})
    # A seventh of six features, which shows when it runs.
    save("beyond.onnx", [CONV, POOL[0], node("Flatten", "p", "f"), node("Gather", "f i", "features", axis=1)], [X],
         [FEATURES], {**W, "i": np.arange(1, CHANNELS + 1)})
    save("probabilities.onnx", [CONV, *POOL, node("Softmax", "features", "logits")], [X],
         [FEATURES, value("logits", ["N", CHANNELS])], W)


LATENT = 4


def generators():
    weights = np.random.RandomState(1).randn(LATENT, 3 * SIDE * SIDE).astype("f4")
    z, product = value("z", ["N", LATENT]), node("MatMul", "z w", "a")
    images = value("images", ["N", 3, SIDE, SIDE])
    planes = {"w": weights, "s": np.array([-1, 3, SIDE, SIDE])}
    levels = [product, node("Sigmoid", "a", "b"), node("Mul", "b k", "c"), node("Floor", "c", "d")]
    levels_weights = {**planes, "k": np.float32(256)}
    save("gen_levels.onnx", [*levels, node("Reshape", "d s", "images")], [z], [images], levels_weights)
    as_bytes = [*levels, node("Cast", "d", "e", to=T.UINT8), node("Reshape", "e s", "images")]
    save("gen_bytes.onnx", as_bytes, [z], [value("images", ["N", 3, SIDE, SIDE], T.UINT8)], levels_weights)
    save("gen_sigmoid.onnx", [product, node("Sigmoid", "a", "b"), node("Reshape", "b s", "images")], [z], [images], planes)
    tanh = [product, node("Tanh", "a", "b"), node("Reshape", "b s", "images")]
    save("gen_tanh.onnx", tanh, [z], [images], planes)
    save("gen_range.onnx", tanh, [z], [images], planes, metadata={"pixel_range": "0,1,2"})
    # What is left when the mean of the batch is taken away.
    mixed = [product, node("ReduceMean", "a", "m", axes=[0], keepdims=1), node("Sub", "a m", "d"), node("Tanh", "d", "b"), tanh[2]]
    save("gen_mixed.onnx", mixed, [z], [images], planes)
    save("gen_open.onnx", tanh, [z], [value("images", ["N", 3, "h", "w"])], planes)
    last = [*tanh[:2], node("Reshape", "b s", "c"), node("Transpose", "c", "images", perm=[0, 2, 3, 1])]
    save("gen_last.onnx", last, [z], [value("images", ["N", SIDE, SIDE, 3])], planes)
    half = {**planes, "w": weights.astype("f2")}
    save("gen_half.onnx", tanh, [value("z", ["N", LATENT], T.FLOAT16)], [value("images", ["N", 3, SIDE, SIDE], T.FLOAT16)], half)
    # The level of every pixel is the label, of three: black, the middle, white.
    level = [node("Sub", "l one", "m"), node("ReduceMean", "z", "r", axes=[1], keepdims=1), node("Mul", "r zero", "n"),
             node("Add", "m n", "o"), node("Unsqueeze", "o back", "p"), node("Expand", "p s", "images")]
    constants = {"one": np.float32(1), "zero": np.float32(0), "back": np.array([2, 3]), "s": np.array([1, 3, SIDE, SIDE])}
    number = [node("Unsqueeze", "y last", "u"), node("Cast", "u", "l", to=T.FLOAT), *level]
    save("gen_labels.onnx", number, [z, value("y", ["N"], T.INT64)], [images], {**constants, "last": np.array([1])})
    one_hot = [node("MatMul", "y scale", "l"), *level]
    save("gen_one_hot.onnx", one_hot, [z, value("y", ["N", 3])], [images],
         {**constants, "scale": np.arange(3, dtype="f4")[:, None]})


def dense():
    """Weights of a product, small enough for sums of some hundred terms."""
    return np.random.RandomState(2).randn(3 * SIDE * SIDE, CHANNELS) / 10


def convolved(images, weights):
    """N×C×H×W by a kernel of 3×3 with a border of zeros, in f64."""
    padded = np.pad(images.astype("f8"), [(0, 0), (0, 0), (1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weights.astype("f8"))


def distance(features):
    """The Fréchet distance of two feature matrices, by the eigenvalues of the product of their covariances."""
    (mean_a, mean_b), (a, b) = [f.mean(0) for f in features], [np.cov(f, rowvar=False) for f in features]
    roots = np.sqrt(np.abs(np.linalg.eigvals(a @ b)))
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * roots.sum())


def main():
    # Weights beside a file would be appended to those that are there.
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    extractors()
    generators()
    sets = [random.randint(0, top, (IMAGES, SIDE, SIDE, 3)).astype("u1") for top in (256, 200)]
    for name, images in zip("ab", sets):
        np.save(os.path.join(FOLDER, f"{name}.npy"), images)
        np.save(os.path.join(FOLDER, f"gray_{name}.npy"), images[..., :1])
    levels = [images.transpose(0, 3, 1, 2).astype("f8") for images in sets]
    fed = [((images - MEAN) / STD).astype("f4") for images in levels]
    maps = [convolved(images, WEIGHTS) for images in fed]
    luma = [((images.astype("u4") @ [19595, 38470, 7471] + 32768) >> 16)[:, None].astype("f8") for images in sets]
    gray = [((images - MEAN) / STD).astype("f4") for images in luma]
    red = [images[:, :1] for images in fed]
    half = [convolved(images.astype("f2"), WEIGHTS.astype("f2")) for images in fed]
    mean = lambda maps: [m.mean((2, 3)) for m in maps]
    expected = {
        "plain": distance(mean(maps)),
        "first-token": distance([m[:, :, 0, 0] for m in maps]),
        "half": distance(mean(half)),
        "double": distance([images.reshape(IMAGES, -1).astype("f8") @ dense() for images in fed]),
        "bytes": distance(mean([convolved(images, WEIGHTS) for images in levels])),
        "gray of colours": distance(mean([convolved(images, WEIGHTS[:, :1]) for images in gray])),
        "gray of gray": distance(mean([convolved(images, WEIGHTS[:, :1]) for images in red])),
    }
    with open(os.path.join(FOLDER, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")
    print(expected, "numpy", np.__version__, "onnx", onnx.__version__, file=sys.stderr)


main()
