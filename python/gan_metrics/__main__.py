"""The command line, as `gan-metrics` and as `python -m gan_metrics`."""

from __future__ import annotations

import os
import signal
import sys

from . import _native
from ._network import onnxruntime_of_this_environment, prepare_process


def main() -> None:
    """Runs the program on the arguments of the process, and exits with its code."""
    # Python's handler would only note the signal, and nobody would look: the program has its own.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare_process()
    library = onnxruntime_of_this_environment()
    if library is not None:
        os.environ["ORT_DYLIB_PATH"] = library
    sys.exit(_native.cli(["gan-metrics", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
