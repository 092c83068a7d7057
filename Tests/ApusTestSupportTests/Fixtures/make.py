"""Writes hashed-values.txt: values of Peers/weights.py that the Swift twin must reproduce.

Each line: path, shape, sum of all bit patterns, and `index:bits` of some elements.
"""

import pathlib
import platform
import sys

import numpy

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "Peers"))
import weights  # noqa: E402

PARAMETERS = [
    ("conv1.weight", (64, 3, 7, 7)),
    ("layer4.2.conv2.weight", (512, 512, 3, 3)),
    ("features.0.1.block.1.weight", (32, 1, 3, 3)),
    ("fc.weight", (1000, 2048)),
    ("fc.bias", (1000,)),
    ("layer1.0.bn1.weight", (64,)),
    ("layer1.0.bn1.bias", (64,)),
    ("layer1.0.bn1.running_mean", (64,)),
    ("layer1.0.bn1.running_var", (64,)),
    ("größe.weight", (7, 5)),
    ("weight", (3,)),
]


def line(name, array):
    bits = array.reshape(-1).view(numpy.uint32)
    picked = sorted({0, 1, len(bits) // 3, len(bits) // 2, len(bits) - 1})
    samples = " ".join(f"{index}:{bits[index]:08x}" for index in picked)
    shape = "x".join(map(str, array.shape))
    return f"{name} {shape} {int(bits.sum(dtype=numpy.uint64)):016x} {samples}\n"


with open(folder / "hashed-values.txt", "w") as file:
    for path, shape in PARAMETERS:
        file.write(line(path, weights.values(path, shape)))
    for batch, size in ((1, 224), (3, 224), (2, 33)):
        file.write(line("images", weights.images(batch, size)))
with open(folder / "versions.txt", "w") as file:
    file.write(f"Python {platform.python_version()}\nnumpy {numpy.__version__}\n")
