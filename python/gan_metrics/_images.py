"""From what people have to what the native module takes: arrays where they lie, encoded bytes, pixels, or a path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Optional, Union

import numpy as np
import numpy.typing as npt

from .errors import InputError

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

Layout = Literal["NCHW", "NHWC"]
Range = tuple[float, float]
#: A folder, an archive, an array file …; an array or a tensor of images; PIL images; encoded bytes; or batches of these.
Images = Union[str, "os.PathLike[str]", bytes, npt.NDArray[Any], Iterable[Any], Any]
#: What the native module takes.
Prepared = tuple[Any, ...]

#: Floats this many times the range away from it belong to another range.
_BEYOND = 0.5


class _OfFloats(tuple):  # type: ignore[type-arg]
    """A range that does not apply to bytes."""


def is_path(images: object) -> TypeGuard[Union[str, "os.PathLike[str]"]]:
    """Whether it names a file or a folder."""
    return isinstance(images, (str, os.PathLike))


def batches(
    images: Images,
    *,
    layout: Optional[Layout] = None,
    range: Optional[Range] = None,
    num: Optional[int] = None,
    seed: int = 0,
    array: Optional[str] = None,
    argument: str = "images",
    of_floats_alone: bool = False,
) -> Iterator[Prepared]:
    """Whatever it is, batch by batch. Nothing is copied that is an array of bytes or of 32-bit floats in the memory of the CPU.

    With ``of_floats_alone`` the range is ignored for bytes; otherwise bytes with a range are refused.
    """
    if range is not None and of_floats_alone:
        range = _OfFloats(range)
    if is_path(images):
        yield of_path(images, range=range, num=num, seed=seed, array=array, layout=layout, argument=argument)
        return
    for name, given in (("num", num), ("array", array)):
        if given is not None:
            raise InputError(f"{name} would have no effect: {argument} is not a path")
    whole = _whole(images, layout, range, argument)
    if whole is not None:
        yield whole
        return
    if not isinstance(images, Iterable):
        raise InputError(_unknown(images, argument))
    empty = True
    for number, batch in enumerate(images):
        empty = False
        if is_path(batch):
            raise InputError(f"{argument} lists paths: give the folder, or a text file with one path a line")
        piece = prepared(batch, layout, range, f"batch {number} of {argument}")
        if piece is None:
            raise InputError(_unknown(batch, f"batch {number} of {argument}"))
        yield piece
    if empty:
        raise InputError(f"{argument} is empty: there is nothing to look at")


def prepared(batch: Any, layout: Optional[Layout], range: Optional[Range], argument: str = "images") -> Optional[Prepared]:
    """A batch of what a data loader gives, or None where that is none."""
    return _whole(_images_of(batch), layout, range, argument)


def of_path(
    path: Union[str, "os.PathLike[str]"],
    *,
    range: Optional[Range],
    num: Optional[int],
    seed: int,
    array: Optional[str],
    layout: Optional[Layout] = None,
    argument: str = "images",
) -> Prepared:
    """A path, and what it does not tell."""
    if layout is not None:
        raise InputError(f"layout would have no effect: {argument} is a path, whose files tell")
    return ("path", os.fspath(path), reading(range=range, num=num, seed=seed, array=array))


def reading(
    *, range: Optional[Range], num: Optional[int], seed: int, array: Optional[str]
) -> tuple[Optional[str], Optional[Range], Optional[tuple[int, int]]]:
    """What the path of a set does not tell."""
    if num is not None and (not isinstance(num, int) or num < 1):
        raise InputError(f"num is {num!r}: it must be a whole number from 1")
    return (array, _checked(range), None if num is None else (num, seed))


def _images_of(batch: Any) -> Any:
    """The images of what a data loader gives: alone, or with labels behind them."""
    if isinstance(batch, (list, tuple)) and batch and getattr(batch[0], "ndim", 0) == 4:
        return batch[0]
    if isinstance(batch, dict):
        found = next((batch[name] for name in ("image", "images", "img", "pixel_values") if name in batch), None)
        return batch if found is None else found
    return batch


def _whole(images: Any, layout: Optional[Layout], range: Optional[Range], argument: str) -> Optional[Prepared]:
    """Images that are there as one, if they are."""
    if isinstance(images, (bytes, bytearray, memoryview)):
        return ("encoded", [bytes(images)])
    if _is_pil(images):
        return ("pixels", [_pixels_of_pil(images)])
    if hasattr(images, "__array__") or hasattr(images, "__dlpack__"):
        return of_array(images, layout=layout, range=range, argument=argument)
    if not isinstance(images, (list, tuple)) or not images:
        return None
    if all(isinstance(image, (bytes, bytearray, memoryview)) for image in images):
        return ("encoded", [bytes(image) for image in images])
    if all(_is_pil(image) for image in images):
        return ("pixels", [_pixels_of_pil(image) for image in images])
    if all(getattr(image, "ndim", 0) == 3 for image in images):
        return _of_arrays([as_numpy(image) for image in images], layout, range, argument)
    return None


def _of_arrays(
    arrays: Sequence[npt.NDArray[Any]], layout: Optional[Layout], range: Optional[Range], argument: str
) -> Prepared:
    """Images that are an array each. Of one shape they are one array; otherwise bytes, with their channels last or first."""
    if len({array.shape for array in arrays}) == 1:
        return of_array(np.stack(arrays), layout=layout, range=range, argument=argument)
    pixels = []
    for number, array in enumerate(arrays):
        name = f"image {number} of {argument}"
        kind, batch, axes, *rest = of_array(array[np.newaxis], layout=layout, range=range, argument=name)
        if kind != "bytes":
            raise InputError(f"{name} is of floats, and the images are of several sizes: convert them to uint8")
        pixels.append(batch[0] if axes == "NHWC" else np.moveaxis(batch[0], 0, -1))
    return ("pixels", pixels)


def of_array(images: Any, *, layout: Optional[Layout], range: Optional[Range], argument: str) -> Prepared:
    """An array or a tensor of images."""
    array = as_numpy(images)
    if array.ndim == 3:
        array = array[np.newaxis]
    if array.ndim != 4:
        raise InputError(
            f"{argument} has the shape {array.shape}: images are N×channels×height×width or N×height×width×channels"
        )
    if array.shape[0] == 0:
        raise InputError(f"{argument} has the shape {array.shape}: it holds no images")
    axes = _axes(array.shape, layout, argument)
    if array.dtype == np.uint8:
        if range is not None and not isinstance(range, _OfFloats):
            raise InputError(f"range would have no effect: {argument} is of uint8, whose levels are from 0 to 255")
        return ("bytes", array, axes)
    if array.dtype.kind != "f":
        raise InputError(
            f"{argument} is of {array.dtype}: give levels from 0 to 255 as uint8, or floats with the range of their values"
        )
    if range is None:
        raise InputError(
            f"{argument} is of {array.dtype}, and nothing tells 0…1 from −1…1: say range=(0, 1), the values of black and white"
        )
    black, white = _checked(range)
    low, high = float(array.min()), float(array.max())
    reach = _BEYOND * abs(white - black)
    if low < min(black, white) - reach or high > max(black, white) + reach:
        raise InputError(f"{argument} has values from {low:g} to {high:g}, which are not of the range {black:g} to {white:g}")
    return ("floats", array.astype(np.float32, copy=False), axes, (black, white))


def as_numpy(images: Any) -> npt.NDArray[Any]:
    """An array of NumPy, without a copy where the memory is the CPU's."""
    if isinstance(images, np.ndarray):
        return images
    if type(images).__module__.partition(".")[0] == "torch":
        tensor = images.detach()
        if tensor.device.type != "cpu":
            tensor = tensor.cpu()
        if str(tensor.dtype) in ("torch.bfloat16", "torch.float16"):
            tensor = tensor.float()
        return np.asarray(tensor.numpy())
    if hasattr(images, "__dlpack__"):
        try:
            return np.from_dlpack(images)
        except (BufferError, RuntimeError, TypeError, ValueError):
            pass
    return np.asarray(images)


def _axes(shape: tuple[int, ...], layout: Optional[Layout], argument: str) -> Layout:
    if layout is not None:
        if layout not in ("NCHW", "NHWC"):
            raise InputError(f"layout is {layout!r}: it must be 'NCHW' or 'NHWC'")
        return layout
    first, last = shape[1] in (1, 3), shape[3] in (1, 3)
    if first == last:
        problem = "may be in either order" if first else "has neither 1 nor 3 channels in either order"
        raise InputError(f"{argument} of the shape {shape} {problem}: say layout='NCHW' or layout='NHWC'")
    return "NCHW" if first else "NHWC"


def _checked(range: Optional[Range]) -> Any:
    if range is None:
        return None
    try:
        black, white = (float(value) for value in range)
    except (TypeError, ValueError):
        raise InputError(f"range is {range!r}: it must be the values of black and white, such as (-1, 1)") from None
    if not (np.isfinite(black) and np.isfinite(white)) or black == white:
        raise InputError(f"range is {range!r}: both values have to be finite and to differ")
    return (black, white)


def _is_pil(image: object) -> bool:
    return type(image).__module__.partition(".")[0] == "PIL" and hasattr(image, "convert")


def _pixels_of_pil(image: Any) -> npt.NDArray[np.uint8]:
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _unknown(images: object, argument: str) -> str:
    if isinstance(images, (list, tuple)) and not images:
        return f"{argument} is empty: there is nothing to look at"
    return (
        f"{argument} is of type {type(images).__name__}: give a path, an array or a tensor of images, PIL images, encoded bytes, "
        "or batches of these"
    )
