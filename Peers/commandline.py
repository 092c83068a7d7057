"""What the programs of this folder share: usage errors, one-line failures, whole-file writes."""

import argparse
import contextlib
import os
import sys
import tempfile


class Failure(Exception):
    """A failure that one line explains; the program ends with exit code 1."""


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults that say something."""

    def _get_help_string(self, action):
        silent = action.default is None or action.default is False
        return action.help if silent else super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """Ends with exit code 64 (EX_USAGE) where the command line alone shows the mistake."""

    def __init__(self, **settings):
        super().__init__(formatter_class=Help, **settings)

    def error(self, message):
        print(f"{self.prog}: {message}\n  hint: {self.prog} --help", file=sys.stderr)
        raise SystemExit(64)


def at_least(lowest, number=int):
    """An argument type: a finite number that is not below `lowest`."""

    def parse(text):
        try:
            value = number(text)
        except ValueError:
            value = None
        if value is None or not lowest <= value < float("inf"):
            kind = "a whole number" if number is int else "a number"
            raise argparse.ArgumentTypeError(f"must be {kind} of at least {lowest}, got '{text}'")
        return value

    return parse


def run(main):
    """Calls `main` and turns what a user can get wrong into one line and exit code 1."""
    try:
        main()
    except (Failure, OSError) as error:
        line = " ".join(str(error).split())
        print(f"{os.path.basename(sys.argv[0])}: {line}", file=sys.stderr)
        raise SystemExit(1)
    except KeyboardInterrupt:
        raise SystemExit(130)


@contextlib.contextmanager
def whole_file(path):
    """Gives the name of a temporary file beside `path` that takes its place when all went well."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        raise Failure(f"{path}: must be a file, is a folder")
    if not os.path.isdir(folder):
        raise Failure(f"{path}: the folder to write into must exist")
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=os.path.splitext(path)[1])
    os.close(handle)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_array(path):
    """Reads a .npy array of numbers; nothing in it is executed."""
    import numpy

    try:
        array = numpy.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Failure(f"{path}: must be a .npy file of numbers: {error}")
    if not isinstance(array, numpy.ndarray) or array.dtype.kind not in "fiu":
        raise Failure(f"{path}: must be one .npy array of numbers")
    return array


def write_array(path, array):
    """Writes a .npy file, whole or not at all."""
    import numpy

    if not path.endswith(".npy"):
        raise Failure(f"{path}: the name must end in .npy")
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        numpy.save(file, array)
