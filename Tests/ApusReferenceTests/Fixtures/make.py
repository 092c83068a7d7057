"""Asks PyTorch what the rows of cases.txt compute.

    python make.py

Draws operands (fixed seed), computes in float64 from their rounded values, and writes torch.json
(types and offsets by row), torch.bin (little-endian values) and versions.txt beside this file.
cases.txt is written by the tests: APUS_RECORD=1 swift test -c release --filter TorchTests
"""

import ast
import json
import pathlib
import platform
import re

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
TYPE = re.compile(r"(\w+)\[([\d, ]*)\]")


def parse_type(text):
    dtype, extents = TYPE.match(text).groups()
    return dtype, [int(extent) for extent in extents.split(",") if extent.strip()]


def read_cases():
    cases = []
    for line in (HERE / "cases.txt").read_text().splitlines():
        key, rest = line.split(maxsplit=1)
        if key == "case":
            cases.append({"name": rest, "operands": [], "results": []})
        elif key == "operand":
            cases[-1]["operands"].append(rest)
        elif key == "op":
            name, attributes = rest.split(" ", 1)
            cases[-1]["op"], cases[-1]["attributes"] = name, attributes[1:-1]
        elif key == "result":
            cases[-1]["results"].append(parse_type(rest))
    return cases


def draw(spec, random):
    """A tensor for an operand's line: type, kind of values, their range or list."""
    dtype, shape = parse_type(spec)
    kind, numbers = TYPE.sub("", spec, count=1).split(maxsplit=1)
    numbers, count = ast.literal_eval(numbers), int(np.prod(shape))
    if kind == "uniform":
        values = random.uniform(*numbers, count)
    elif kind == "integers":
        values = random.integers(numbers[0], numbers[1], count, endpoint=True)
    elif kind == "distinct":
        values = random.permutation(np.linspace(*numbers, count))
    elif kind == "listed":
        values = np.resize(numbers, count)
    else:
        raise ValueError(spec)
    return torch.tensor(values).reshape(shape).to(getattr(torch, dtype))


# Attributes, as graphs print them


def lists(text):
    """`low [1, 2], high [0, 0], value 3.0` as a dictionary."""
    return {
        key: ast.literal_eval(value)
        for key, value in re.findall(r"(\w+) (\[[^\]]*\]|[-\w.]+)(?:, |$)", text)
    }


def size(text, key, default=(1, 1)):
    found = re.search(key + r" (\d+)×(\d+)", text)
    return tuple(int(side) for side in found.groups()) if found else default


def sides(text):
    """Padding as (left, right, top, bottom), the order of F.pad."""
    all_sides = re.search(r"padding (\d+)", text)
    if all_sides:
        return (int(all_sides[1]),) * 4
    return tuple(
        int(re.search(rf"\b{side} (\d+)", text)[1]) for side in ("left", "right", "top", "bottom")
    )


# Ops


def unary(function):
    return lambda operands, attributes, result: function(operands[0])


def binary(function):
    return lambda operands, attributes, result: function(*operands)


def divide(a, b):
    return a / b if a.dtype.is_floating_point else torch.div(a, b, rounding_mode="trunc")


COMPARISONS = {
    "equal": torch.eq, "notEqual": torch.ne, "less": torch.lt, "lessOrEqual": torch.le,
    "greater": torch.gt, "greaterOrEqual": torch.ge,
}


def constant(operands, attributes, result):
    dtype, shape = result
    values = np.array(ast.literal_eval(attributes))
    return torch.tensor(np.broadcast_to(values.reshape(shape if values.size > 1 else ()), shape))


def iota(operands, attributes, result):
    axis, shape = int(attributes.split()[1]), result[1]
    view = [extent if index == axis else 1 for index, extent in enumerate(shape)]
    return torch.arange(shape[axis]).reshape(view).expand(shape)


def broadcast(operands, attributes, result):
    axes, shape = ast.literal_eval(attributes.split("axes ")[1]), result[1]
    view = [1] * len(shape)
    for axis, extent in zip(axes, operands[0].shape):
        view[axis] = extent
    return operands[0].reshape(view).expand(shape)


def box(operands, attributes, result):
    bounds = re.match(r"(.*) \.\.< (.*) by (.*)", attributes).groups()
    slices = tuple(slice(*axis) for axis in zip(*map(ast.literal_eval, bounds)))
    return operands[0][slices]


def pad(operands, attributes, result):
    given, shape = lists(attributes), operands[0].shape
    padded = torch.full(result[1], given["value"], dtype=operands[0].dtype)
    slices = tuple(
        slice(low, low + (extent - 1) * (between + 1) + 1, between + 1)
        for low, extent, between in zip(given["low"], shape, given["interior"])
    )
    padded[slices] = operands[0]
    return padded


def reduction(function, fold):
    """`fold` takes one axis at a time where PyTorch's function takes no list of axes."""

    def compute(operands, attributes, result):
        axes, x = ast.literal_eval(attributes.split(" ", 1)[1]), operands[0]
        if not axes:
            return x
        if fold:
            for axis in reversed(axes):
                x = function(x, dim=axis)
            return x
        return function(x, dim=axes)

    return compute


def dot(operands, attributes, result):
    left, right = operands
    left = left.mT if "left transposed" in attributes else left
    right = right.mT if "right transposed" in attributes else right
    return left @ right


def convolution(operands, attributes, result):
    groups = re.search(r"groups (\d+)", attributes)
    return F.conv2d(
        F.pad(operands[0], sides(attributes)), *operands[1:], stride=size(attributes, "stride"),
        dilation=size(attributes, "dilation"), groups=int(groups[1]) if groups else 1)


def pool(average):
    def compute(operands, attributes, result):
        x, (left, right, top, bottom) = operands[0], sides(attributes)
        kernel, stride = size(attributes, "kernel"), size(attributes, "stride")
        ceil, counts = "ceil" in attributes, "counts padding" in attributes
        common = {"kernel_size": kernel, "stride": stride, "ceil_mode": ceil}
        own = left == right <= kernel[1] // 2 and top == bottom <= kernel[0] // 2
        if own and average:
            return F.avg_pool2d(x, **common, padding=(top, left), count_include_pad=counts)
        if own:
            return F.max_pool2d(x, **common, padding=(top, left))
        # PyTorch pads alike on both sides only: pad first. In ceil mode that would not be the same.
        assert not ceil
        around = (left, right, top, bottom)
        if not average:
            return F.max_pool2d(F.pad(x, around, value=-torch.inf), **common)
        mean = F.avg_pool2d(F.pad(x, around), **common)
        return mean if counts else mean / F.avg_pool2d(F.pad(torch.ones_like(x), around), **common)

    return compute


def batch_norm(operands, attributes, result):
    x, scale, offset, mean, variance = operands
    return F.batch_norm(x, mean, variance, scale, offset, eps=lists(attributes)["epsilon"])


def local_response_norm(operands, attributes, result):
    return F.local_response_norm(operands[0], **lists(attributes))


# Gradients


def differentiated(forward, *given):
    """The gradients of a function's operands; the last of `given` is that of its result."""
    *operands, gradient = given
    operands = [x.detach().requires_grad_() for x in operands]
    return torch.autograd.grad(forward(operands), operands, gradient)


def convolution_input_gradient(operands, attributes, result):
    gradient, filters = operands
    images = torch.zeros(result[1], dtype=gradient.dtype)
    return differentiated(lambda x: convolution([x[0], filters], attributes, None), images, gradient)


def convolution_filter_gradient(operands, attributes, result):
    images, gradient = operands
    filters = torch.zeros(result[1], dtype=gradient.dtype)
    return differentiated(
        lambda w: convolution([images, w[0]], attributes, None), filters, gradient)


def pool_gradient(average):
    def compute(operands, attributes, result):
        x = torch.zeros(result[1], dtype=operands[0].dtype) if average else operands[0]
        return differentiated(lambda x: pool(average)(x, attributes, None), x, operands[-1])

    return compute


# The functions whose derivative PyTorch takes from the output, as a function of it.
INVERSES = {
    "relu": lambda y, _: y, "relu6": lambda y, _: y,
    "leakyRelu": lambda y, slope: torch.where(y > 0, y, y / slope),
    "elu": lambda y, alpha: torch.where(y > 0, y, torch.log1p(y / alpha)),
    "sigmoid": lambda y, _: torch.logit(y), "tanh": lambda y, _: torch.atanh(y),
    "hardSigmoid": lambda y, _: y * 6 - 3,
}


def activation_gradient(name):
    def compute(operands, attributes, result):
        value, gradient = operands
        factor = next(iter(lists(attributes).values()), None)
        if name in INVERSES and (factor is None or factor >= 0):
            value = INVERSES[name](value, factor)
        forward = lambda x: OPS[name](x, attributes, None)
        return differentiated(forward, value, gradient)

    return compute


def epsilon_of(attributes):
    return float(re.search(r"epsilon ([-\w.]+)", attributes)[1])


def batch_norm_training(operands, attributes, result):
    x, scale, offset = operands
    axes = [axis for axis in range(x.ndim) if axis != 1]
    variance, mean = torch.var_mean(x, axes, correction=0)
    epsilon = epsilon_of(attributes)
    return F.batch_norm(x, mean, variance, scale, offset, eps=epsilon), mean, variance


def batch_norm_gradient(operands, attributes, result):
    x, scale, mean, variance, gradient = operands
    epsilon = epsilon_of(attributes)
    mask = (True, True, True)
    rstd = torch.rsqrt(variance + epsilon)
    return torch.ops.aten.native_batch_norm_backward(
        gradient, x, scale, None, None, mean, rstd, True, epsilon, mask)


def activated(x, attributes):
    """The activation of an in-place batch norm, as `activation leakyRelu slope 0.2` says."""
    name, *factor = attributes.split("activation ")[1].split(" ", 1)
    return x if name == "identity" else OPS[name]([x], factor[0], None)


def activated_batch_norm(operands, attributes, result):
    x, scale, offset = operands
    factor = scale.abs() + epsilon_of(attributes)
    y, mean, variance = batch_norm_training([x, factor, offset], attributes, result)
    return activated(y, attributes), mean, variance


def activated_batch_norm_gradient(operands, attributes, result):
    """Undoes y by autograd's own means: the gradients at the x that gives it."""
    y, scale, offset, variance, gradient = operands
    epsilon = epsilon_of(attributes)
    view = [1, -1] + [1] * (y.ndim - 2)
    name, *rest = attributes.split("activation ")[1].split(" ")
    z = y if name == "identity" else INVERSES[name](y, float(rest[-1]))
    factor = scale.abs() + epsilon
    standardized = (z - offset.view(view)) / factor.view(view)
    (inner,) = differentiated(lambda x: activated(x[0], attributes), z, gradient)
    # Any mean will do: x is put where it gives this x̂.
    x = standardized * torch.sqrt(variance + epsilon).view(view)
    dx, dfactor, doffset = batch_norm_gradient(
        [x, factor, torch.zeros_like(variance), variance, inner], attributes, result)
    return dx, torch.where(scale < 0, -dfactor, dfactor), doffset


def local_response_norm_gradient(operands, attributes, result):
    x, gradient = operands
    return differentiated(lambda x: local_response_norm(x, attributes, None), x, gradient)


OPS = {
    "constant": constant, "iota": iota, "negate": unary(torch.neg), "abs": unary(torch.abs),
    "sign": unary(torch.sign), "exp": unary(torch.exp), "log": unary(torch.log),
    "log1p": unary(torch.log1p), "sqrt": unary(torch.sqrt), "rsqrt": unary(torch.rsqrt),
    "tanh": unary(torch.tanh), "logistic": unary(torch.sigmoid), "floor": unary(torch.floor),
    "ceil": unary(torch.ceil), "add": binary(torch.add), "subtract": binary(torch.sub),
    "multiply": binary(torch.mul), "divide": binary(divide), "maximum": binary(torch.maximum),
    "minimum": binary(torch.minimum), "power": binary(torch.pow),
    "and": binary(torch.logical_and), "or": binary(torch.logical_or),
    "compare": lambda operands, attributes, result: COMPARISONS[attributes](*operands),
    "select": binary(torch.where), "convert": unary(lambda x: x),
    "relu": unary(F.relu), "relu6": unary(F.relu6), "sigmoid": unary(torch.sigmoid),
    "leakyRelu": lambda operands, attributes, _: F.leaky_relu(
        operands[0], lists(attributes)["slope"]),
    "elu": lambda operands, attributes, _: F.elu(operands[0], lists(attributes)["alpha"]),
    "hardSigmoid": unary(F.hardsigmoid), "swish": unary(F.silu), "hardSwish": unary(F.hardswish),
    "mish": unary(F.mish),
    "reshape": lambda operands, _, result: operands[0].reshape(result[1]),
    "transpose": lambda operands, attributes, _: operands[0].permute(ast.literal_eval(attributes)),
    "broadcast": broadcast, "slice": box, "pad": pad,
    "concatenate": lambda operands, attributes, _: torch.cat(operands, int(attributes.split()[1])),
    "sum": reduction(torch.sum, False), "mean": reduction(torch.mean, False),
    "product": reduction(torch.prod, True), "max": reduction(torch.amax, False),
    "min": reduction(torch.amin, False),
    "argMax": lambda operands, attributes, _: torch.argmax(
        operands[0], int(attributes.split()[1])),
    "dot": dot, "convolution": convolution, "maxPool": pool(False), "averagePool": pool(True),
    "batchNorm": batch_norm, "localResponseNorm": local_response_norm,
    "convolutionInputGradient": convolution_input_gradient,
    "convolutionFilterGradient": convolution_filter_gradient,
    "maxPoolGradient": pool_gradient(False), "averagePoolGradient": pool_gradient(True),
    "batchNormTraining": batch_norm_training, "batchNormGradient": batch_norm_gradient,
    "activatedBatchNorm": activated_batch_norm,
    "activatedBatchNormGradient": activated_batch_norm_gradient,
    "localResponseNormGradient": local_response_norm_gradient,
}
ACTIVATIONS = [
    "relu", "relu6", "leakyRelu", "elu", "sigmoid", "tanh", "hardSigmoid", "swish", "hardSwish",
    "mish",
]
OPS |= {name + "Gradient": activation_gradient(name) for name in ACTIVATIONS}


def main():
    random, data, header = np.random.default_rng(20261121), bytearray(), {}

    def store(tensor):
        name = str(tensor.dtype).removeprefix("torch.")
        data.extend(bytes(-len(data) % 8))
        entry = {"dtype": name, "shape": list(tensor.shape), "offset": len(data)}
        data.extend(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        return entry

    for case in read_cases():
        operands = [draw(spec, random) for spec in case["operands"]]
        exact = [x.double() if x.dtype.is_floating_point else x for x in operands]
        # A conversion is PyTorch's own, from the type of the operand.
        given = operands if case["op"] == "convert" else exact
        results = OPS[case["op"]](given, case["attributes"], case["results"][0])
        results = results if isinstance(results, tuple) else (results,)
        shapes = [list(result.shape) for result in results]
        assert shapes == [shape for _, shape in case["results"]], (case["name"], shapes)
        header[case["name"]] = {
            "operands": [store(x) for x in operands],
            "results": [
                store(result.detach().to(getattr(torch, dtype)))
                for result, (dtype, _) in zip(results, case["results"])
            ],
        }
    rows = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in header.items()]
    (HERE / "torch.json").write_text("{" + ",\n".join(rows) + "}\n")
    (HERE / "torch.bin").write_bytes(data)
    versions = {
        "Python": platform.python_version(), "PyTorch": torch.__version__, "NumPy": np.__version__}
    (HERE / "versions.txt").write_text("".join(f"{k} {v}\n" for k, v in versions.items()))


main()
