"""Writes the names and shapes of EfficientNet's weights in torchvision and in timm.

    names/NETWORK-SOURCE.txt    a line each: name, then the shape
    names/versions.txt          what wrote them
"""

import pathlib

import timm
import torchvision

folder = pathlib.Path(__file__).resolve().parent / "names"
folder.mkdir(exist_ok=True)
for name in ("efficientnet_b0", "efficientnet_b3"):
    networks = {
        "torchvision": torchvision.models.get_model(name, weights=None),
        "timm": timm.create_model(name),
    }
    for source, network in networks.items():
        lines = [
            f"{name} {'x'.join(map(str, tensor.shape))}\n"
            for name, tensor in network.state_dict().items()
        ]
        (folder / f"{name}-{source}.txt").write_text("".join(lines))
(folder / "versions.txt").write_text(
    f"timm {timm.__version__}\ntorchvision {torchvision.__version__}\n"
)
