"""torchvision's ResNets in Flax, its parameter paths as module names.

He et al., "Deep residual learning for image recognition", CVPR 2016; torchvision strides in a
bottleneck's 3x3 convolution.
"""

import flax.linen as nn
import jax

from commandline import Failure

DEPTHS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}


class ResNet(nn.Module):
    """Images [n, h, w, 3] to logits [n, 1000], for inference."""

    name_of_variant: str

    @nn.compact
    def __call__(self, x):
        def conv(path, x, channels, kernel, stride=1):
            padding = [(kernel // 2, kernel // 2)] * 2
            square = (kernel, kernel), (stride, stride), padding
            return nn.Conv(channels, *square, use_bias=False, name=path)(x)

        def norm(path, x):
            return nn.BatchNorm(use_running_average=True, epsilon=1e-5, name=path)(x)

        def block(path, x, width, stride):
            kernels = (3, 3) if expansion == 1 else (1, 3, 1)
            y = x
            for index, kernel in enumerate(kernels, 1):
                channels = width * (expansion if index == len(kernels) else 1)
                # The first 3x3 convolution is the one that strides.
                here = stride if index == kernels.index(3) + 1 else 1
                y = conv(f"{path}.conv{index}", y, channels, kernel, here)
                y = norm(f"{path}.bn{index}", y)
                y = y if index == len(kernels) else nn.relu(y)
            if x.shape != y.shape:
                x = conv(f"{path}.downsample.0", x, width * expansion, 1, stride)
                x = norm(f"{path}.downsample.1", x)
            return nn.relu(x + y)

        expansion = 1 if self.name_of_variant in ("resnet18", "resnet34") else 4
        x = nn.relu(norm("bn1", conv("conv1", x, 64, 7, 2)))
        x = nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
        for stage, depth in enumerate(DEPTHS[self.name_of_variant]):
            for index in range(depth):
                stride = 2 if stage > 0 and index == 0 else 1
                x = block(f"layer{stage + 1}.{index}", x, 64 << stage, stride)
        return nn.Dense(1000, name="fc")(x.mean((1, 2)))


def load(model, weights, example):
    """The network and its variables, random or read from a .safetensors file."""
    if model not in DEPTHS:
        raise Failure(f"flax runs {', '.join(DEPTHS)} only, got '{model}'")
    network = ResNet(model)
    if weights is None:
        return network, network.init(jax.random.key(0), example)
    if not weights.endswith(".safetensors"):  # a .pth would need PyTorch in this process
        raise Failure(f"{weights}: flax reads .safetensors only")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        state = load_file(weights)
    except SafetensorError as error:
        raise Failure(f"{weights}: not a safetensors file: {error}")
    variables = convert(state)
    wanted = jax.eval_shape(network.init, jax.random.key(0), example)
    if shapes(variables) != shapes(wanted):
        raise Failure(f"{weights}: must hold the parameters of '{model}', names or shapes differ")
    return network, variables


def shapes(variables):
    return jax.tree.map(lambda each: each.shape, variables)


def convert(state):
    """Flax variables from torchvision's names: kernels OIHW to HWIO, matrices transposed."""
    variables = {"params": {}, "batch_stats": {}}
    for key, value in state.items():
        path, _, word = key.rpartition(".")
        if word == "num_batches_tracked":
            continue
        collection = "batch_stats" if word.startswith("running_") else "params"
        if word == "weight":
            word = "scale" if value.ndim == 1 else "kernel"
            if value.ndim == 4:
                value = value.transpose(2, 3, 1, 0)
            elif value.ndim == 2:
                value = value.T
        word = word.removeprefix("running_")
        variables[collection].setdefault(path, {})[word] = jax.numpy.asarray(value)
    return variables
