"""The networks of MXNet's gallery and examples, defined from their descriptions, not from Apus.

Each has the size of its images. Those of the gallery assert the shapes inside that their
descriptions give at that size, and have an odd size and the number of trained values they must have.
"""

import torch
from torch import nn
from torch.nn import functional as F


class FixedScaleNorm(nn.BatchNorm2d):
    """Batch normalisation that ignores its weight."""

    def forward(self, x):
        return F.batch_norm(
            x, self.running_mean, self.running_var, None, self.bias, eps=self.eps
        )


class CaffeNet(nn.Module):
    """BVLC's: pooling with overhanging windows comes before local response normalisation."""

    size, odd, trained = 227, (221, 229), 60_965_224

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = nn.Linear(9216, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 1000)

    def forward(self, x):
        for conv in (self.conv1, self.conv2):
            x = F.max_pool2d(F.relu(conv(x)), 3, 2, ceil_mode=True)
            x = F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)
        for conv in (self.conv3, self.conv4, self.conv5):
            x = F.relu(conv(x))
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        assert x.shape[1:] == (256, 6, 6)
        x = F.relu(self.fc6(torch.flatten(x, 1)))
        return self.fc8(F.relu(self.fc7(x)))


class NIN(nn.Module):
    size, odd, trained = 224, (193, 257), 7_595_176

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.cccp1, self.cccp2 = nn.Conv2d(96, 96, 1), nn.Conv2d(96, 96, 1)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2)
        self.cccp3, self.cccp4 = nn.Conv2d(256, 256, 1), nn.Conv2d(256, 256, 1)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.cccp5, self.cccp6 = nn.Conv2d(384, 384, 1), nn.Conv2d(384, 384, 1)
        self.conv4_1024 = nn.Conv2d(384, 1024, 3, padding=1)
        self.cccp7_1024, self.cccp8_1024 = nn.Conv2d(1024, 1024, 1), nn.Conv2d(1024, 1000, 1)

    def forward(self, x):
        square = x.shape[2] == 224
        for number, module in enumerate(self.children(), 1):
            x = F.relu(module(x))
            if number in (3, 6, 9):
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        assert not square or x.shape[2:] == (6, 6)
        return F.avg_pool2d(x, tuple(x.shape[2:])).flatten(1)


class InceptionBN(nn.Module):
    size, odd, trained = 224, (193, 257), 11_295_240

    # 1×1; 3×3 reduce, 3×3; double reduce, double, double; pooling and its projection
    BLOCKS = {
        "3a": (64, 64, 64, 64, 96, 96, "avg", 32),
        "3b": (64, 64, 96, 64, 96, 96, "avg", 64),
        "3c": (0, 128, 160, 64, 96, 96, "max", 0),
        "4a": (224, 64, 96, 96, 128, 128, "avg", 128),
        "4b": (192, 96, 128, 96, 128, 128, "avg", 128),
        "4c": (160, 128, 160, 128, 160, 160, "avg", 128),
        "4d": (96, 128, 192, 160, 192, 192, "avg", 128),
        "4e": (0, 128, 192, 192, 256, 256, "max", 0),
        "5a": (352, 192, 320, 160, 224, 224, "avg", 128),
        "5b": (352, 192, 320, 192, 224, 224, "max", 128),
    }

    def __init__(self):
        super().__init__()
        self.add("1", 3, 64, 7, 2)
        self.add("2_red", 64, 64, 1)
        self.add("2", 64, 192, 3)
        channels = 192
        for name, (one, r3, c3, rd, d1, d2, _, projection) in self.BLOCKS.items():
            stride = 1 if one else 2
            if one:
                self.add(f"{name}_1x1", channels, one, 1)
            self.add(f"{name}_3x3_reduce", channels, r3, 1)
            self.add(f"{name}_3x3", r3, c3, 3, stride)
            self.add(f"{name}_double_3x3_reduce", channels, rd, 1)
            self.add(f"{name}_double_3x3_0", rd, d1, 3)
            self.add(f"{name}_double_3x3_1", d1, d2, 3, stride)
            if projection:
                self.add(f"{name}_proj", channels, projection, 1)
            channels = one + c3 + d2 + (projection or channels)
        self.fc1 = nn.Linear(channels, 1000)

    def add(self, name, inputs, outputs, kernel, stride=1):
        self.add_module(
            f"conv_{name}", nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)
        )
        self.add_module(f"bn_{name}", nn.BatchNorm2d(outputs, eps=1.00001e-5))

    def unit(self, name, x):
        return F.relu(getattr(self, f"bn_{name}")(getattr(self, f"conv_{name}")(x)))

    def forward(self, x):
        published = x.shape[2:] == (224, 224)
        sides = {"3a": 27, "3b": 27, "3c": 27, "4a": 14, "4e": 14, "5a": 7, "5b": 7}
        x = F.max_pool2d(self.unit("1", x), 3, 2)
        x = F.max_pool2d(self.unit("2", self.unit("2_red", x)), 3, 2)
        for name, (one, *_, pooling, projection) in self.BLOCKS.items():
            if published and name in sides:
                assert x.shape[2:] == (sides[name], sides[name]), name
            branches = [self.unit(f"{name}_1x1", x)] if one else []
            branches.append(self.unit(f"{name}_3x3", self.unit(f"{name}_3x3_reduce", x)))
            double = f"{name}_double_3x3"
            y = self.unit(f"{double}_0", self.unit(f"{double}_reduce", x))
            branches.append(self.unit(f"{double}_1", y))
            pool = F.max_pool2d if pooling == "max" else F.avg_pool2d
            y = pool(x, 3, 1 if one else 2, 1)
            branches.append(self.unit(f"{name}_proj", y) if projection else y)
            x = torch.cat(branches, 1)
        return self.fc1(x.mean((2, 3)))


class Unit(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv2d = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.batchnorm = FixedScaleNorm(outputs, eps=1e-3)

    def forward(self, x):
        return F.relu(self.batchnorm(self.conv2d(x)))


def tower(*units):
    """Units named conv, conv_1, conv_2, …"""
    names = [f"conv_{index}" if index else "conv" for index in range(len(units))]
    return nn.ModuleDict(dict(zip(names, units)))


def through(modules, x):
    for module in modules.values():
        x = module(x)
    return x


class Mixed(nn.Module):
    """A module of Inception v3: `kind` is A to E in the order of the paper's figures."""

    def __init__(self, kind, inputs, width=0, pooling="avg"):
        super().__init__()
        self.kind, self.pooling = kind, pooling
        row, column = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
        if kind == "A":
            self.conv = Unit(inputs, 64, 1)
            self.tower = tower(Unit(inputs, 48, 1), Unit(48, 64, 5, 1, 2))
            self.tower_1 = tower(
                Unit(inputs, 64, 1), Unit(64, 96, 3, 1, 1), Unit(96, 96, 3, 1, 1)
            )
            self.tower_2 = tower(Unit(inputs, width, 1))
        elif kind == "B":
            self.conv = Unit(inputs, 384, 3, 2)
            self.tower = tower(Unit(inputs, 64, 1), Unit(64, 96, 3, 1, 1), Unit(96, 96, 3, 2))
        elif kind == "C":
            self.conv = Unit(inputs, 192, 1)
            self.tower = tower(
                Unit(inputs, width, 1), Unit(width, width, *row), Unit(width, 192, *column)
            )
            self.tower_1 = tower(
                Unit(inputs, width, 1),
                Unit(width, width, *column),
                Unit(width, width, *row),
                Unit(width, width, *column),
                Unit(width, 192, *row),
            )
            self.tower_2 = tower(Unit(inputs, 192, 1))
        elif kind == "D":
            self.tower = tower(Unit(inputs, 192, 1), Unit(192, 320, 3, 2))
            self.tower_1 = tower(
                Unit(inputs, 192, 1),
                Unit(192, 192, *row),
                Unit(192, 192, *column),
                Unit(192, 192, 3, 2),
            )
        else:
            self.conv = Unit(inputs, 320, 1)
            self.tower = tower(Unit(inputs, 384, 1))
            self.tower_1 = tower(Unit(inputs, 448, 1), Unit(448, 384, 3, 1, 1))
            for each in (self.tower, self.tower_1):
                each["mixed_conv"] = Unit(384, 384, (1, 3), 1, (0, 1))
                each["mixed_conv_1"] = Unit(384, 384, (3, 1), 1, (1, 0))
            self.tower_2 = tower(Unit(inputs, 192, 1))

    def forward(self, x):
        branches = [self.conv(x)] if self.kind != "D" else []
        for each in (self.tower, getattr(self, "tower_1", None)):
            if each is None:
                continue
            if self.kind == "E":
                y = each["conv"](x)
                y = each["conv_1"](y) if "conv_1" in each else y
                branches += [each["mixed_conv"](y), each["mixed_conv_1"](y)]
            else:
                branches.append(through(each, x))
        if self.kind in "BD":
            branches.append(F.max_pool2d(x, 3, 2))
        else:
            pool = F.max_pool2d if self.pooling == "max" else F.avg_pool2d
            branches.append(through(self.tower_2, pool(x, 3, 1, 1)))
        return torch.cat(branches, 1)


class InceptionV3MX(nn.Module):
    size, odd, trained = 299, (193, 257), 23_834_568

    def __init__(self):
        super().__init__()
        self.conv = Unit(3, 32, 3, 2)
        self.conv_1 = Unit(32, 32, 3)
        self.conv_2 = Unit(32, 64, 3, 1, 1)
        self.conv_3 = Unit(64, 80, 1)
        self.conv_4 = Unit(80, 192, 3)
        self.mixed = Mixed("A", 192, 32)
        self.mixed_1 = Mixed("A", 256, 64)
        self.mixed_2 = Mixed("A", 288, 64)
        self.mixed_3 = Mixed("B", 288)
        for index, width in ((4, 128), (5, 160), (6, 160), (7, 192)):
            self.add_module(f"mixed_{index}", Mixed("C", 768, width))
        self.mixed_8 = Mixed("D", 768)
        self.mixed_9 = Mixed("E", 1280)
        self.mixed_10 = Mixed("E", 2048, pooling="max")
        self.fc1 = nn.Linear(2048, 1000)

    def forward(self, x):
        published = x.shape[2:] == (299, 299)
        x = F.max_pool2d(self.conv_2(self.conv_1(self.conv(x))), 3, 2)
        x = F.max_pool2d(self.conv_4(self.conv_3(x)), 3, 2)
        assert not published or x.shape[1:] == (192, 35, 35)
        for index in range(11):
            x = getattr(self, f"mixed_{index}" if index else "mixed")(x)
            side = 35 if index < 3 else 17 if index < 8 else 8
            assert not published or x.shape[2:] == (side, side), index
        assert x.shape[1] == 2048
        return self.fc1(x.mean((2, 3)))


class PreActivationUnit(nn.Module):
    def __init__(self, inputs, outputs, stride, projects, bottleneck):
        super().__init__()
        if bottleneck:
            widths, kernels = [inputs, outputs // 4, outputs // 4, outputs], [1, 3, 1]
            strides = [1, stride, 1]
        else:
            widths, kernels, strides = [inputs, outputs, outputs], [3, 3], [stride, 1]
        self.count = len(kernels)
        for index in range(self.count):
            self.add_module(f"bn{index + 1}", nn.BatchNorm2d(widths[index], eps=2e-5))
            conv = nn.Conv2d(
                widths[index],
                widths[index + 1],
                kernels[index],
                strides[index],
                kernels[index] // 2,
                bias=False,
            )
            self.add_module(f"conv{index + 1}", conv)
        self.sc = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if projects else None

    def forward(self, x):
        y = F.relu(self.bn1(x))
        shortcut = x if self.sc is None else self.sc(y)
        y = self.conv1(y)
        for index in range(2, self.count + 1):
            y = getattr(self, f"conv{index}")(F.relu(getattr(self, f"bn{index}")(y)))
        return y + shortcut


class PostActivationUnit(nn.Module):
    def __init__(self, inputs, outputs, stride, projects, groups, width):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width, eps=2e-5)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width, eps=2e-5)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs, eps=2e-5)
        self.projects = projects
        if projects:
            self.sc = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.sc_bn = nn.BatchNorm2d(outputs, eps=2e-5)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (self.sc_bn(self.sc(x)) if self.projects else x))


class GalleryResNet(nn.Module):
    size, odd = 224, (193, 257)

    def __init__(self, trained, depths, bottleneck=True, groups=None, widths=None):
        super().__init__()
        self.trained, self.depths = trained, depths
        self.is_preactivated = groups is None
        self.bn_data = FixedScaleNorm(3, eps=2e-5)
        self.conv0 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn0 = nn.BatchNorm2d(64, eps=2e-5)
        channels = 64
        self.channels = (256, 512, 1024, 2048) if bottleneck else (64, 128, 256, 512)
        for stage, (depth, outputs) in enumerate(zip(depths, self.channels), 1):
            units = nn.Module()
            for index in range(1, depth + 1):
                stride = 2 if stage > 1 and index == 1 else 1
                if self.is_preactivated:
                    unit = PreActivationUnit(channels, outputs, stride, index == 1, bottleneck)
                else:
                    width = widths[stage - 1]
                    unit = PostActivationUnit(
                        channels, outputs, stride, index == 1, groups, width
                    )
                units.add_module(f"unit{index}", unit)
                channels = outputs
            self.add_module(f"stage{stage}", units)
        if self.is_preactivated:
            self.bn1 = nn.BatchNorm2d(channels, eps=2e-5)
        self.fc1 = nn.Linear(channels, 1000)

    def forward(self, x):
        published = x.shape[2:] == (224, 224)
        x = F.max_pool2d(F.relu(self.bn0(self.conv0(self.bn_data(x)))), 3, 2, 1)
        for stage in range(4):
            for unit in getattr(self, f"stage{stage + 1}").children():
                x = unit(x)
            side = 56 >> stage
            assert not published or x.shape[1:] == (self.channels[stage], side, side)
        if self.is_preactivated:
            x = F.relu(self.bn1(x))
        return self.fc1(x.mean((2, 3)))


class LeNet(nn.Module):
    size, channels = 28, 1

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.max_pool2d(torch.tanh(self.conv2(x)), 2)
        return self.fc2(torch.tanh(self.fc1(x.flatten(1))))


class MultilayerPerceptron(nn.Module):
    size, channels = 28, 1

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)

    def forward(self, x):
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x.flatten(1))))))


NARROW, WIDE = (128, 256, 512, 1024), (256, 512, 1024, 2048)
DEFINITIONS = {
    "caffenet": CaffeNet,
    "nin": NIN,
    "inception_bn": InceptionBN,
    "inception_v3_mx": InceptionV3MX,
    "resnet18_v2": lambda: GalleryResNet(11_691_950, (2, 2, 2, 2), False),
    "resnet34_v2": lambda: GalleryResNet(21_800_110, (3, 4, 6, 3), False),
    "resnet50_v2": lambda: GalleryResNet(25_549_486, (3, 4, 6, 3)),
    "resnet101_v2": lambda: GalleryResNet(44_541_614, (3, 4, 23, 3)),
    "resnet152_v2": lambda: GalleryResNet(60_185_262, (3, 8, 36, 3)),
    "resnet200_v2": lambda: GalleryResNet(64_666_286, (3, 24, 36, 3)),
    "resnext50_mx": lambda: GalleryResNet(
        25_028_910, (3, 4, 6, 3), groups=32, widths=NARROW
    ),
    "resnext101_mx": lambda: GalleryResNet(
        44_177_710, (3, 4, 23, 3), groups=32, widths=NARROW
    ),
    "resnext101_64x4d_mx": lambda: GalleryResNet(
        83_455_278, (3, 4, 23, 3), groups=64, widths=WIDE
    ),
}
EXAMPLES = {"lenet": LeNet, "mlp": MultilayerPerceptron}
