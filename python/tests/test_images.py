"""What may stand for images, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import gan_metrics
from gan_metrics import InputError
from gan_metrics._images import batches
from sets import png


def test_every_form_of_the_same_images_has_the_same_features(extractor, folders, real):
    expected = extractor(real)
    assert expected.shape == (len(real), 1280) and expected.std() > 0
    floats = np.float32(real) / 127.5 - 1
    forms = {
        "channels first": (np.ascontiguousarray(real.transpose(0, 3, 1, 2)), {}),
        "a view": (real.transpose(0, 3, 1, 2), {}),
        "floats": (floats, {"range": (-1, 1)}),
        "doubles": (np.float64(real) / 255, {"range": (0, 1)}),
        "a folder": (folders[0], {}),
        "a path as text": (str(folders[0]), {}),
        "encoded": ([png(image) for image in real], {}),
        "Pillow": ([Image.fromarray(image) for image in real], {}),
        "arrays of an image": (list(real), {}),
        "batches": ((real[start : start + 5] for start in range(0, len(real), 5)), {}),
        "batches with labels": ([(real[:20], [0] * 20), (real[20:], [1] * 4)], {}),
    }
    for name, (form, options) in forms.items():
        assert np.array_equal(extractor(form, **options), expected), name


def test_arrays_are_looked_at_where_they_lie(real):
    """The native module gets the very memory."""
    for array in (real, np.float32(real) / 255):
        options = {} if array.dtype == np.uint8 else {"range": (0, 1)}
        (piece,) = batches(array, **options)
        assert np.shares_memory(piece[1], array)


def test_images_of_several_sizes(extractor, real):
    small, gray = real[0][:10, :12], real[1][:, :, :1]
    both = extractor([small, gray])
    assert np.array_equal(both[0], extractor(small[None])[0])
    assert np.array_equal(both[1], extractor(gray[None], layout="NHWC")[0])


def test_what_cannot_be_images_is_refused_with_the_remedy(extractor, real, tmp_path):
    floats = np.float32(real) / 255
    refused = [
        (real[0, 0], {}, "has the shape (24, 3)"),
        (np.int64(real), {}, "is of int64"),
        (floats, {}, "say range=(0, 1)"),
        (floats * 255, {"range": (0, 1)}, "values from 0 to 255, which are not of the range 0 to 1"),
        (real, {"range": (0, 1)}, "range would have no effect"),
        (floats, {"range": (1, 1)}, "both values have to be finite and to differ"),
        (floats, {"range": 3}, "must be the values of black and white"),
        (np.zeros((2, 3, 8, 3), np.uint8), {}, "may be in either order"),
        (np.zeros((2, 4, 8, 8), np.uint8), {}, "neither 1 nor 3 channels"),
        (np.zeros((0, 8, 8, 3), np.uint8), {}, "it holds no images"),
        (real, {"layout": "CHWN"}, "it must be 'NCHW' or 'NHWC'"),
        (real, {"layout": "NCHW"}, "are the axes in the order"),
        (tmp_path / "missing", {}, "missing"),
        (tmp_path, {}, "holds no image"),
        ([], {}, "is empty"),
        (iter(()), {}, "is empty"),
        (7, {}, "is of type int"),
        ([b"GIF", b"no image"], {}, "`[0]`"),
        ([tmp_path], {}, "lists paths"),
    ]
    for given, options, message in refused:
        with pytest.raises(InputError) as raised:
            extractor(given, **options)
        assert message in str(raised.value), (message, str(raised.value))
    values = floats.copy()
    values[3, 2, 1, 0] = np.nan
    with pytest.raises(InputError, match=r"`\[3\]`: row 2, column 1, channel 0 is NaN"):
        extractor(values, range=(0, 1))


def test_networks_that_are_not_there(tmp_path):
    for options, kind, message in (
        ({}, gan_metrics.ModelError, "gan-metrics model install inception-v3"),
        ({"extractor": "vgg16"}, InputError, "inception-v3 or efficientnet-lite0"),
        ({"extractor": tmp_path / "x.onnx"}, gan_metrics.ModelError, "x.onnx"),
        ({"extractor": tmp_path / "x.pth"}, gan_metrics.Error, "x.pth"),
        ({"extractor": "efficientnet-lite0", "layer": 64}, InputError, "one kind of features only"),
        ({"extractor": "efficientnet-lite0", "mean": 0.5}, InputError, "mean would have no effect"),
        ({"extractor": "efficientnet-lite0", "engine": "cpu"}, InputError, "engine is 'cpu'"),
        ({"extractor": "efficientnet-lite0", "device": "gpu"}, InputError, "`gpu` names no device"),
        ({"extractor": "efficientnet-lite0", "resize": "best"}, InputError, "torch-antialias"),
        ({"extractor": "efficientnet-lite0", "device": "cuda", "engine": "tract"}, gan_metrics.Error, "cuda"),
    ):
        with pytest.raises(kind) as raised:
            gan_metrics.Extractor(**options)
        assert message in str(raised.value), (message, str(raised.value))
    with pytest.raises(TypeError, match="no keyword `weights`"):
        gan_metrics.Extractor("efficientnet-lite0", weights="x")


def test_bad_images_may_be_left_out(real):
    skipping = gan_metrics.Extractor("efficientnet-lite0", on_bad_image="skip")
    part = skipping.partial([png(real[0]), b"nothing", png(real[1])])
    assert part.images == 2 and part.indices == [0, 2]
    assert part.skipped[0][:2] == (1, "[1]")
