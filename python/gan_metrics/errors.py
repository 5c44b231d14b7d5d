"""What goes wrong, by whom is to blame. The messages say what was wrong, the value seen, and what to do."""

from __future__ import annotations

__all__ = ["Error", "InputError", "InternalError", "MachineError", "MissingScore", "ModelError"]


class Error(Exception):
    """Any error of this package."""


class InputError(Error, ValueError):
    """The data or the arguments: a missing folder, a corrupt image, an array of the wrong shape."""


class ModelError(Error):
    """A model file: weights that are not installed, a truncated checkpoint, an output name that does not exist."""


class MachineError(Error, RuntimeError):
    """The machine: a library that is not installed, a device that is not there, a full disk."""


class InternalError(Error, RuntimeError):
    """A defect of this package, worth a report."""


class MissingScore(InputError, KeyError):
    """A number of a report that was not computed, or could not be: the message says why."""

    def __str__(self) -> str:
        # That of KeyError would show the message in quotes.
        return str(self.args[0])
