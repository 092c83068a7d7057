"""Writes the accuracy that PyTorch reaches on generated digits, `fit.json`, over several seeds.

`GlyphDigits.swift` draws the same pictures, from the same hash, and `FitTests.swift` trains the same
network by the same recipe: digits of seven strokes, rotated, sheared, scaled and shifted, crossed by a
random stroke, under noise. Only the order of the pictures and the first weights are each side's own.
"""

import json
import math
import pathlib
import platform
import sys

import numpy
import torch
from torch import nn

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "Peers"))
from weights import uniform  # noqa: E402

SIDE = 20
SHAPES = 12  # random numbers that shape a picture
TRAINING, TEST = 3008, 1024
BATCH, EPOCHS, RATE, MOMENTUM, DECAY = 64, 8, 0.1, 0.9, 5e-4
SEEDS = 8

# Where strokes lie in a glyph that is 2 wide and 4 high: (x0, y0), (x1, y1).
STROKES = {
    "a": ((-1, -2), (1, -2)), "b": ((1, -2), (1, 0)), "c": ((1, 0), (1, 2)), "d": ((-1, 2), (1, 2)),
    "e": ((-1, 0), (-1, 2)), "f": ((-1, -2), (-1, 0)), "g": ((-1, 0), (1, 0)),
}
DIGITS = ["abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg"]
UNIT = 3.0  # pixels


def distance(x, y, start, end):
    """Of each pixel from a stroke."""
    (x0, y0), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    along = numpy.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    return numpy.hypot(x - x0 - along * dx, y - y0 - along * dy)


def pictures(name, count):
    """Pictures [count, 1, SIDE, SIDE] and their labels."""
    shapes = 2 * uniform(f"glyphs.{name}.shapes", count * SHAPES).reshape(count, SHAPES) - 1
    noise = 2 * uniform(f"glyphs.{name}.noise", count * SIDE * SIDE) - 1
    images = 0.25 * noise.reshape(count, 1, SIDE, SIDE) - 0.25
    labels = numpy.minimum((shapes[:, 0] + 1) * 5, 9).astype(numpy.int64)
    grid_y, grid_x = numpy.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    for index, (label, shape) in enumerate(zip(labels, shapes)):
        angle, scale, shear = 0.45 * shape[1], UNIT * (1 + 0.25 * shape[2]), 0.3 * shape[3]
        x, y = grid_x - 2.5 * shape[4], grid_y - 2.5 * shape[5]
        v = (math.cos(angle) * y - math.sin(angle) * x) / scale
        u = (math.cos(angle) * x + math.sin(angle) * y) / scale - shear * v
        nearest = scale * numpy.minimum.reduce(
            [distance(u, v, *STROKES[stroke]) for stroke in DIGITS[label]])
        line = distance(grid_x, grid_y, 5 * shape[8:10], 5 * shape[10:12])
        ink = numpy.clip(1.4 + 0.4 * shape[6] - numpy.minimum(nearest, line), 0, 1)
        images[index, 0] += (1 + 0.4 * shape[7]) * ink
    return torch.from_numpy(images.astype(numpy.float32)), torch.from_numpy(labels)


def network():
    layers = []
    for inputs, outputs in ((1, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
                   nn.ReLU(), nn.MaxPool2d(2)]
    made = nn.Sequential(*layers[:-1], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    for layer in made:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
    return made


def accuracy(seed, training, test):
    torch.manual_seed(seed)
    made = network()
    optimizer = torch.optim.SGD(made.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    steps = EPOCHS * (TRAINING // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(TRAINING).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(made(training[0][batch]), training[1][batch]).backward()
            optimizer.step()
            schedule.step()
    made.eval()
    with torch.inference_mode():
        return (made(test[0]).argmax(1) == test[1]).double().mean().item()


def main():
    torch.set_num_threads(2)
    training, test = pictures("training", TRAINING), pictures("test", TEST)
    found = [accuracy(seed, training, test) for seed in range(SEEDS)]
    result = {
        "mean": sum(found) / SEEDS, "lowest": min(found), "highest": max(found), "seeds": SEEDS,
        "first": [round(float(value), 6) for value in training[0][0, 0, :2].flatten()],
        "labels": training[1][:20].tolist(),
        "versions": f"torch {torch.__version__}, Python {platform.python_version()}",
    }
    (folder / "fit.json").write_text(json.dumps(result, indent=1) + "\n")
    print(found)


main()
