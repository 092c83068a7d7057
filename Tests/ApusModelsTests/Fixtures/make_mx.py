"""Writes what independent definitions compute from the hashed weights and images.

The networks of MXNet's gallery are those of gallery.py; EfficientNet and the legacy SE-ResNeXt are
timm's. Hashed normalisation weights are about a half, which fades an image in networks without
shortcuts: `NORM_FACTORS` says where they are multiplied. `IMAGE_FACTORS` makes images bright enough
for local response normalisation to matter.

    mx/NAME.npy                  float32 [1, 1000] for HashedWeights.images(1, the network's size)
    mx/NAME-HEIGHTxWIDTH.npy     the same for the upper left part of those images
    mx/NAME-parameters.txt       path and shape of each parameter, in timm's order
    mx/versions.txt              what wrote them
"""

import pathlib
import platform
import sys

import numpy
import timm
import torch

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "Peers"))
import weights  # noqa: E402
from gallery import DEFINITIONS  # noqa: E402

TIMM = {
    "legacy_seresnext50_32x4d": (224, 27_559_896),
    "efficientnet_b0": (224, 5_288_548),
    "efficientnet_b1": (240, 7_794_184),
    "efficientnet_b2": (256, 9_109_994),
    "efficientnet_b3": (288, 12_233_232),
    "tf_efficientnet_b0": (224, 5_288_548),
    "tf_efficientnet_b1": (240, 7_794_184),
    "tf_efficientnet_b2": (260, 9_109_994),
    "tf_efficientnet_b3": (300, 12_233_232),
}
NORM_FACTORS = {name: 2.0 for name in [*TIMM, "inception_bn"] if "resnext" not in name}
IMAGE_FACTORS = {"caffenet": 32.0}


def build(name):
    """The network, its own size, an odd size, and how many trained values it must have."""
    if name in TIMM:
        size, trained = TIMM[name]
        return timm.create_model(name, pretrained=False).eval(), size, (193, 257), trained
    network = DEFINITIONS[name]().eval()
    return network, network.size, network.odd, network.trained


def distance(a, b):
    return float((a - b).abs().max() / max(a.abs().max(), b.abs().max()))


def write(name):
    network, size, odd, trained = build(name)
    weights.fill(network)
    for path, value in network.named_parameters():
        if path.endswith("weight") and value.dim() == 1:
            value.data *= NORM_FACTORS.get(name, 1.0)
    count = sum(value.numel() for value in network.parameters())
    assert count == trained, f"{name}: {count} values, {trained} expected"
    if name in TIMM and not name.startswith("tf_"):  # the two flavours have the same parameters
        with open(folder / "mx" / f"{name}-parameters.txt", "w") as file:
            for path, value in network.state_dict().items():
                if not path.endswith("num_batches_tracked"):
                    file.write(f"{path} {'x'.join(map(str, value.shape))}\n")
    with torch.inference_mode():
        factor = IMAGE_FACTORS.get(name, 1.0)
        images = factor * torch.from_numpy(weights.images(2, size))
        both = network(images)
        side = max(odd)
        cut = torch.from_numpy(weights.images(1, side))[:, :, : odd[0], : odd[1]]
        logits = network(factor * cut)
    assert torch.isfinite(both).all() and torch.isfinite(logits).all(), name
    difference = distance(both[0], both[1])
    print(f"{name}: largest {both.abs().max():.3g}, images differ by {difference:.3f}")
    numpy.save(folder / "mx" / f"{name}.npy", both[:1].numpy())
    numpy.save(folder / "mx" / f"{name}-{odd[0]}x{odd[1]}.npy", logits.numpy())
    return difference


if __name__ == "__main__":
    (folder / "mx").mkdir(exist_ok=True)
    for each in sys.argv[1:] or [*DEFINITIONS, *TIMM]:
        difference = write(each)
        assert difference > 0.02, f"{each}: logits of two images differ by {difference} only"
    with open(folder / "mx" / "versions.txt", "w") as file:
        file.write(
            f"Python {platform.python_version()}\nnumpy {numpy.__version__}\n"
            f"torch {torch.__version__}\ntimm {timm.__version__}\n"
        )
