"""Writes what torchvision and timm compute in their networks from the hashed weights and images.

    parameters/ROW.txt       path and shape of each parameter, in state dict order
    logits/ROW-b1.npy        float32 [1, classes] for one image of the network's own size
    logits/ROW-193x257.npy   the same for the upper left part of an image of 257 pixels
    versions-zoo.txt         what wrote them

Rows without a twin are defined here (a deep stem, the order "pre") or in gallery.py (`lenet`, `mlp`).
The MobileNets with timm's names and `vgg16-timm` have timm's parameters, hashed from its names. Names
on the command line restrict the work to those rows.
"""

import pathlib
import platform
import sys
import warnings

import numpy
import timm
import torch
import torchvision
import torchvision.models as tv
from torch import nn

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "Peers"))
import weights  # noqa: E402
from gallery import LeNet, MultilayerPerceptron  # noqa: E402

ODD = (193, 257)


def inception_kind(make):
    return make(aux_logits=True, transform_input=False, init_weights=False)


def replace(network, old, make):
    """Puts another module in place of each of one type."""
    for name, child in network.named_children():
        if isinstance(child, old):
            setattr(network, name, make())
        else:
            replace(child, old, make)
    return network


def deep_resnet34(activation):
    """resnet34 with the stem 3×3/2 32, 3×3/2 32, 3×3 64 and no pooling."""
    network = tv.resnet34()
    network.conv1 = nn.Sequential(
        nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, 1, 1, bias=False),
    )
    network.maxpool = nn.Identity()
    return replace(network, nn.ReLU, activation)


class PreactivatedVGG(nn.Module):
    """vgg16_bn whose pooling comes between a convolution and its normalisation."""

    def __init__(self, activation):
        super().__init__()
        twin = tv.vgg16_bn()
        self.features, self.classifier = twin.features, twin.classifier
        replace(self, nn.ReLU, activation)

    def forward(self, x):
        pending = []
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                for each in pending:
                    x = each(x)
                pending = []
                x = layer(x)
            elif isinstance(layer, nn.MaxPool2d):
                x = layer(x)
            else:
                pending.append(layer)
        for each in pending:
            x = each(x)
        return self.classifier(nn.functional.adaptive_avg_pool2d(x, 7).flatten(1))


class CutVGG(nn.Module):
    """vgg16 with one layer in place of its classifier."""

    def __init__(self, classes):
        super().__init__()
        self.features, self.fc = tv.vgg16().features, nn.Linear(512 * 49, classes)

    def forward(self, x):
        return self.fc(nn.functional.adaptive_avg_pool2d(self.features(x), 7).flatten(1))


class CutSqueezeNet(nn.Module):
    """squeezenet1_1 with one layer after its 1000 channels."""

    def __init__(self, classes):
        super().__init__()
        twin = tv.squeezenet1_1()
        self.features, self.classifier = twin.features, twin.classifier
        self.fc = nn.Linear(1000, classes)

    def forward(self, x):
        return self.fc(self.classifier(self.features(x)).flatten(1))


# Without shortcuts the small weights of the hashed normalisations let the image fade away behind
# the biases, layer by layer; in these rows they are multiplied. (Twice as large, the gates of
# mobilenetv3_large_100 would saturate, and float32 itself would be a thousandth off.)
NORM_FACTORS = {
    "vgg16_bn": 2, "vgg16_bn-pre-swish": 2, "googlenet": 2, "inception_v3": 2, "mobilenet_v2": 2,
    "mobilenet_v3_large": 2, "mobilenetv2_100": 2, "mobilenetv3_large_100": 1.5,
    "resnet34-deep-mish": 2,
}

# How each is made, its own image size and whether it takes an odd one.
ROWS = {
    "alexnet": (tv.alexnet, 224, True),
    "vgg11": (tv.vgg11, 224, True),
    "vgg13": (tv.vgg13, 224, True),
    "vgg16": (tv.vgg16, 224, True),
    "vgg16_bn": (tv.vgg16_bn, 224, True),
    "vgg19": (tv.vgg19, 224, True),
    "vgg16_bn-pre-swish": (lambda: PreactivatedVGG(nn.SiLU), 224, False),
    "vgg16-cut": (lambda: CutVGG(10), 224, True),
    "squeezenet1_1": (tv.squeezenet1_1, 227, True),
    "squeezenet1_1-cut": (lambda: CutSqueezeNet(10), 227, False),
    "googlenet": (lambda: inception_kind(tv.googlenet), 224, True),
    "inception_v3": (lambda: inception_kind(tv.inception_v3), 299, True),
    "densenet121": (tv.densenet121, 224, True),
    "densenet169": (tv.densenet169, 224, True),
    "mobilenet_v2": (tv.mobilenet_v2, 224, True),
    "mobilenet_v3_large": (tv.mobilenet_v3_large, 224, True),
    "mobilenetv2_100": (lambda: timm.create_model("mobilenetv2_100"), 224, True),
    "mobilenetv3_large_100": (lambda: timm.create_model("mobilenetv3_large_100"), 224, True),
    # Its classifier slides over larger images and averages after, so only its own size is ours.
    "vgg16-timm": (lambda: timm.create_model("vgg16"), 224, False),
    "lenet": (LeNet, 28, False),
    "mlp": (MultilayerPerceptron, 28, False),
    "resnext50_32x4d": (tv.resnext50_32x4d, 224, True),
    "resnext101_32x8d": (tv.resnext101_32x8d, 224, True),
    "resnext101_64x4d": (tv.resnext101_64x4d, 224, True),
    "seresnext50_32x4d": (lambda: timm.create_model("seresnext50_32x4d"), 224, True),
    "resnet34-deep": (lambda: deep_resnet34(nn.ReLU), 224, True),
    "resnet34-deep-leaky-relu": (lambda: deep_resnet34(lambda: nn.LeakyReLU(0.01)), 224, False),
    "resnet34-deep-mish": (lambda: deep_resnet34(nn.Mish), 224, False),
}


def images(row, batch, size):
    values = torch.from_numpy(weights.images(batch, size))
    return values[:, :1] if row in ("lenet", "mlp") else values


def make(row):
    build, size, takes_odd = ROWS[row]
    network = weights.fill(build().eval())
    for path, value in network.state_dict().items():
        if path.endswith("weight") and value.dim() == 1:
            value *= NORM_FACTORS.get(row, 1)
    with open(folder / "parameters" / f"{row}.txt", "w") as file:
        for path, value in network.state_dict().items():
            # Auxiliary classifiers serve training and are not built.
            if not path.endswith("num_batches_tracked") and not path.startswith(("aux", "Aux")):
                file.write(f"{path} {'x'.join(map(str, value.shape))}\n")
    with torch.inference_mode():
        a, b = network(images(row, 2, size)).numpy()
        largest = max(abs(a).max(), abs(b).max())
        difference = abs(a - b).max() / largest
        print(f"{row}: largest logit {largest:.3g}, images differ by {difference:.3f}", flush=True)
        assert difference > 0.01 and 1e-3 < largest < 1e6
        numpy.save(folder / "logits" / f"{row}-b1.npy", network(images(row, 1, size)).numpy())
        if takes_odd:
            odd = images(row, 1, ODD[1])[:, :, : ODD[0], : ODD[1]]
            numpy.save(
                folder / "logits" / f"{row}-{ODD[0]}x{ODD[1]}.npy",
                network(odd.contiguous()).numpy(),
            )


warnings.filterwarnings("ignore")
for row in sys.argv[1:] or ROWS:
    make(row)

with open(folder / "versions-zoo.txt", "w") as file:
    file.write(
        f"Python {platform.python_version()}\nnumpy {numpy.__version__}\n"
        f"torch {torch.__version__}\ntorchvision {torchvision.__version__}\n"
        f"timm {timm.__version__}\n"
    )
