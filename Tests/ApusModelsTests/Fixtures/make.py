"""Writes what torchvision computes in its ResNets from the hashed weights and images.

    parameters/NAME.txt     path and shape of each parameter, in state dict order
    logits/NAME-bN.npy      float32 [N, 1000] for HashedWeights.images(batch: N, size: 224)
    logits/NAME-193x257.npy the same for the upper left part of an image of 257 pixels
    versions.txt            what wrote them
"""

import pathlib
import platform
import sys

import numpy
import torch
import torchvision

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "Peers"))
import networks  # noqa: E402
import weights  # noqa: E402

BATCHES = {
    "resnet18": (1, 3),
    "resnet34": (1, 3),
    "resnet50": (1, 3),
    "resnet101": (1,),
    "resnet152": (1,),
}


def smallest_difference(network):
    """How much the logits of any two of four images differ, relative to the largest logit."""
    logits = network(torch.from_numpy(weights.images(4, 224)))
    return min(
        float((a - b).abs().max() / max(a.abs().max(), b.abs().max()))
        for index, a in enumerate(logits)
        for b in logits[:index]
    )


for name, batches in BATCHES.items():
    network = weights.fill(networks.build(name))
    with open(folder / "parameters" / f"{name}.txt", "w") as file:
        for path, value in network.state_dict().items():
            if not path.endswith("num_batches_tracked"):
                file.write(f"{path} {'x'.join(map(str, value.shape))}\n")
    with torch.inference_mode():
        difference = smallest_difference(network)
        assert difference > 0.1, f"{name}: logits of different images differ by {difference} only"
        for batch in batches:
            logits = network(torch.from_numpy(weights.images(batch, 224))).numpy()
            numpy.save(folder / "logits" / f"{name}-b{batch}.npy", logits)
        odd = torch.from_numpy(weights.images(1, 257))[:, :, :193].contiguous()
        numpy.save(folder / "logits" / f"{name}-193x257.npy", network(odd).numpy())

with open(folder / "versions.txt", "w") as file:
    file.write(
        f"Python {platform.python_version()}\nnumpy {numpy.__version__}\n"
        f"torch {torch.__version__}\ntorchvision {torchvision.__version__}\n"
    )
