"""Writes what PyTorch finds for the gradients of whole networks, in a few numbers for each parameter.

    gradients/ROW.txt        the loss, then for each parameter its path, the norm of its gradient and
                             four products of the gradient with hashed numbers in [-1, 1)
    gradients/steps.txt      the losses of 20 steps of SGD on the row resnet18-swish at 33 pixels, and
                             the sums of each running statistic after them
    versions-gradients.txt   what wrote them

Two hashed images, hashed weights, 10 classes, dropout off, statistics of the batch, mean cross-entropy
with the classes 3 and 8, all in float64: in float32 a few rectifiers turn on or off with the order of
sums, by which PyTorch misses its own float64 gradients by a percent. Rows with Swish have no kinks but
those of pooling, for comparisons in float32. Names on the command line restrict the work to those rows.
"""

import pathlib
import platform
import sys
import warnings

import timm
import torch
import torchvision
import torchvision.models as tv
from torch import nn
from torchvision.ops import StochasticDepth

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "Peers"))
import weights  # noqa: E402

PROJECTIONS = 4


class CutVGG(nn.Module):
    """vgg16_bn with one fully connected layer."""

    def __init__(self):
        super().__init__()
        whole = tv.vgg16_bn()
        self.features, self.avgpool = whole.features, whole.avgpool
        self.fc = nn.Linear(512 * 7 * 7, 10)

    def forward(self, x):
        return self.fc(self.avgpool(self.features(x)).flatten(1))


def swish_resnet18():
    network = tv.resnet18(num_classes=10)
    for module in network.modules():
        if hasattr(module, "relu"):
            module.relu = nn.SiLU()
    return network


def inception():
    network = tv.inception_v3(
        num_classes=10, aux_logits=True, transform_input=False, init_weights=False)
    network.aux_logits, network.AuxLogits = False, None
    return network


# How each network is made, and the side of its images.
ROWS = {
    "resnet18": (lambda: tv.resnet18(num_classes=10), 33),
    "resnet18-swish": (swish_resnet18, 64),
    "vgg16_bn-cut": (CutVGG, 32),
    "efficientnet_b0": (lambda: timm.create_model("efficientnet_b0", num_classes=10), 64),
    "seresnext50_32x4d": (lambda: timm.create_model("seresnext50_32x4d", num_classes=10), 33),
    "densenet121": (lambda: tv.densenet121(num_classes=10), 64),
    "inception_v3": (inception, 107),
}


def summaries(network, size):
    """The loss, and of each parameter the path, the norm and the projections of its gradient."""
    weights.fill(network)
    network.double().train()
    for module in network.modules():
        if isinstance(module, (nn.Dropout, StochasticDepth)):
            module.p = 0.0
    logits = network(torch.from_numpy(weights.images(2, size)).double())
    loss = nn.functional.cross_entropy(logits, torch.tensor([3, 8]))
    loss.backward()
    rows = []
    for path, parameter in network.named_parameters():
        gradient = parameter.grad.flatten().numpy()
        products = [
            float(gradient @ (2 * weights.uniform(f"projection {index} {path}", gradient.size) - 1))
            for index in range(PROJECTIONS)
        ]
        rows.append((path, float(parameter.grad.norm()), *products))
    return loss.item(), rows


def steps():
    """The losses of a training, learning rate 0.01, momentum 0.9, and its running statistics."""
    network = weights.fill(swish_resnet18()).double().train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    images, losses = torch.from_numpy(weights.images(2, 33)).double(), []
    for _ in range(20):
        loss = nn.functional.cross_entropy(network(images), torch.tensor([3, 8]))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, {
        path: float(value.sum()) for path, value in network.named_buffers() if "running" in path
    }


warnings.filterwarnings("ignore")
losses, statistics = steps()
with open(folder / "gradients" / "steps.txt", "w") as file:
    file.write(" ".join(f"{loss:.9e}" for loss in losses) + "\n")
    file.writelines(f"{path} {value:.9e}\n" for path, value in statistics.items())
for name in sys.argv[1:] or ROWS:
    make, size = ROWS[name]
    loss, rows = summaries(make(), size)
    with open(folder / "gradients" / f"{name}.txt", "w") as file:
        file.write(f"loss {loss:.9e}\n")
        for path, *numbers in rows:
            file.write(f"{path} {' '.join(f'{number:.9e}' for number in numbers)}\n")
    print(name, loss, len(rows))

with open(folder / "versions-gradients.txt", "w") as file:
    file.write(
        f"Python {platform.python_version()}\ntorch {torch.__version__}\n"
        f"torchvision {torchvision.__version__}\ntimm {timm.__version__}\n"
    )
