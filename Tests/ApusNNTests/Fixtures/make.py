"""Asks PyTorch, torchvision and timm what losses, optimisers and schedules compute.

    python make.py

Draws numbers (fixed seed), rounds them to float32, computes in float64, and writes losses.json,
optimizers.json, schedules.json and versions.txt beside this file.
"""

import json
import math
import pathlib
import platform
import warnings

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision
from timm.optim.lars import Lars
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn
from torchvision.ops import sigmoid_focal_loss

HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(20261121)
REDUCTIONS = ["none", "sum", "mean"]


def draw(*shape, scale=1.0):
    values = RANDOM.normal(0, scale, shape).astype(np.float32)
    return torch.tensor(values).double()


def listed(tensor):
    """Values with as many digits as a float32 needs, row-major; what rounds to 0 there is 0."""
    return [float(f"{np.float32(value):.9g}") for value in tensor.reshape(-1).tolist()]


def write(name, content):
    rows = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in content.items()]
    (HERE / name).write_text("{" + ",\n".join(rows) + "}\n")


# Losses


def losses():
    n, k = 6, 5
    logits = draw(n, k, scale=3)
    logits[1] *= 40  # softmax of these rounds to 0 and 1
    labels = torch.tensor(RANDOM.integers(0, k, n))
    soft = torch.tensor(RANDOM.dirichlet(np.ones(k), n).astype(np.float32)).double()
    binary = torch.tensor(RANDOM.integers(0, 2, (n, k))).double()
    cases = {}
    for reduction in REDUCTIONS:
        def add(name, loss):
            cases[f"{name}, {reduction}"] = listed(loss)

        for smoothing in (0.0, 0.1):
            options = {"label_smoothing": smoothing, "reduction": reduction}
            add(f"cross-entropy {smoothing}", F.cross_entropy(logits, labels, **options))
            add(f"soft cross-entropy {smoothing}", F.cross_entropy(logits, soft, **options))
        add("binary cross-entropy",
            F.binary_cross_entropy_with_logits(logits, soft, reduction=reduction))
        add("mean squared error", F.mse_loss(logits, soft, reduction=reduction))
        for alpha, gamma in ((0.25, 2), (-1, 1), (0.6, 2.5), (-1, 0)):
            add(f"sigmoid focal {alpha} {gamma}",
                sigmoid_focal_loss(logits, binary, alpha, gamma, reduction))
        for gamma in (0, 2, 0.7):
            # PyTorch has none: the definition, in float64.
            log_p = F.log_softmax(logits, 1)[torch.arange(n), labels]
            loss = -((-torch.expm1(log_p)) ** gamma) * log_p
            folded = {"none": loss, "sum": loss.sum(), "mean": loss.mean()}[reduction]
            add(f"softmax focal {gamma}", folded)
    write("losses.json", {
        "logits": listed(logits), "labels": labels.tolist(), "soft": listed(soft),
        "binary": listed(binary), "cases": cases})


# Optimisers

SHAPES = {"conv.weight": (3, 2, 2, 2), "conv.bias": (3,), "fc.weight": (2, 4)}
STEPS = 6
RATES = [float(np.float32(rate)) for rate in (0.5, 0.3, 0.25, 0.4, 0.1, 0.2)]
INITIAL = {name: draw(*shape) for name, shape in SHAPES.items()}
GRADIENTS = [{name: draw(*shape) for name, shape in SHAPES.items()} for _ in range(STEPS)]
for gradients in GRADIENTS:
    gradients["fc.weight"][0, 1] = 0  # an element that never moves by its gradient


class PaperLARS(torch.optim.Optimizer):
    """Algorithm 1 of arXiv 1708.03888: the learning rate is inside the momentum."""

    def __init__(self, params, lr, momentum=0.9, weight_decay=0.0, trust=1e-3, adapts=True):
        defaults = dict(lr=lr, momentum=momentum, weight_decay=weight_decay, trust=trust,
                        adapts=adapts)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                decay, rate = group["weight_decay"], group["lr"]
                if group["adapts"]:
                    w, g = p.norm(), p.grad.norm()
                    rate = rate * (group["trust"] * w / (g + decay * w))
                buffer = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(rate * (p.grad + decay * p))
                p.sub_(buffer)


def network():
    """A module whose parameters have the names and initial values."""
    root = torch.nn.Module()
    for name, value in INITIAL.items():
        layer, parameter = name.split(".")
        if not hasattr(root, layer):
            root.add_module(layer, torch.nn.Module())
        getattr(root, layer).register_parameter(parameter, torch.nn.Parameter(value.clone()))
    return root


def train(make, rates=RATES, frozen=(), clip=None, micro_steps=1, decay=None):
    """The parameters after the first and the last step, and their averages."""
    model = network()
    average = AveragedModel(model, avg_fn=get_ema_avg_fn(decay)) if decay else None
    parameters = dict(model.named_parameters())
    for name in frozen:
        parameters[name].requires_grad_(False)
    optimizer = make({n: p for n, p in parameters.items() if p.requires_grad})
    result = {}
    for step in range(STEPS // micro_steps):
        optimizer.zero_grad()
        for gradients in GRADIENTS[step * micro_steps:(step + 1) * micro_steps]:
            for name, p in parameters.items():
                if p.requires_grad:
                    share = gradients[name] / micro_steps
                    p.grad = share.clone() if p.grad is None else p.grad + share
        if clip:
            clip([p for p in parameters.values() if p.requires_grad])
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        optimizer.step()
        if average:
            average.update_parameters(model)
        if step in (0, STEPS // micro_steps - 1):
            moment = "first" if step == 0 else "last"
            result[moment] = {name: listed(p.detach()) for name, p in parameters.items()}
    if average:
        result["averages"] = {
            name: listed(p.detach()) for name, p in average.module.named_parameters()}
    return result


def plain(kind, **options):
    return lambda parameters: kind(parameters.values(), lr=1, **options)


def grouped(kind, undecayed, plain_options, **options):
    """Parameters named in `undecayed` get `plain_options` over `options`."""
    def make(parameters):
        return kind([
            {"params": [p for n, p in parameters.items() if n not in undecayed]},
            {"params": [p for n, p in parameters.items() if n in undecayed], **plain_options},
        ], lr=1, **options)
    return make


def check_lars():
    """The paper's LARS is timm's while the learning rate stays."""
    constant = [0.5] * STEPS
    options = dict(momentum=0.9, weight_decay=0.05)
    ours = train(plain(PaperLARS, trust=0.1, **options), rates=constant)
    theirs = train(plain(Lars, trust_coeff=0.1, **options), rates=constant)
    for name in SHAPES:
        np.testing.assert_allclose(ours["last"][name], theirs["last"][name], rtol=1e-6)


def optimizers():
    check_lars()
    o, norm, value = torch.optim, torch.nn.utils.clip_grad_norm_, torch.nn.utils.clip_grad_value_
    decay = {"weight_decay": 0.05}
    cases = {
        "SGD": train(plain(o.SGD)),
        "SGD momentum": train(plain(o.SGD, momentum=0.9, **decay)),
        "SGD Nesterov": train(plain(o.SGD, momentum=0.8, nesterov=True, **decay)),
        "Adam": train(plain(o.Adam)),
        "Adam options": train(plain(o.Adam, betas=(0.5, 0.99), eps=1e-3, **decay)),
        "Adam without first moment": train(plain(o.Adam, betas=(0.0, 0.9))),
        "AdamW": train(plain(o.AdamW)),
        "AdamW options": train(plain(o.AdamW, betas=(0.7, 0.95), eps=1e-4, weight_decay=0.2)),
        "NAdam": train(plain(o.NAdam)),
        "NAdam options": train(plain(o.NAdam, betas=(0.8, 0.9), eps=1e-3, momentum_decay=0.1, **decay)),
        "Adamax": train(plain(o.Adamax)),
        "Adamax options": train(plain(o.Adamax, betas=(0.6, 0.7), eps=1e-2, **decay)),
        "RMSprop": train(plain(o.RMSprop)),
        "RMSprop options": train(plain(o.RMSprop, alpha=0.8, eps=1e-3, momentum=0.9, **decay)),
        "RMSprop centered": train(plain(o.RMSprop, alpha=0.7, centered=True, eps=1e-2)),
        "AdaGrad": train(plain(o.Adagrad)),
        "AdaGrad options": train(plain(o.Adagrad, lr_decay=0.3, eps=1e-3, **decay)),
        "AdaDelta": train(plain(o.Adadelta)),
        "AdaDelta options": train(plain(o.Adadelta, rho=0.6, eps=1e-2, **decay)),
        "LARS": train(plain(PaperLARS)),
        "LARS undecayed bias": train(grouped(
            PaperLARS, ["conv.bias"], {"weight_decay": 0, "adapts": False},
            momentum=0.7, trust=0.1, **decay)),
        "undecayed SGD": train(grouped(
            o.SGD, ["conv.bias", "fc.weight"], {"weight_decay": 0}, momentum=0.9, **decay)),
        "undecayed AdamW": train(grouped(o.AdamW, ["conv.bias"], {"weight_decay": 0}, **decay)),
        "frozen": train(plain(o.SGD, momentum=0.9, **decay), frozen=["conv.weight", "conv.bias"]),
        "clipped by norm": train(plain(o.SGD), clip=lambda p: norm(p, 2.0)),
        "clipped by a norm that is large": train(plain(o.SGD), clip=lambda p: norm(p, 1e3)),
        "clipped by value": train(plain(o.SGD), clip=lambda p: value(p, 0.5)),
        "accumulated": train(plain(o.Adam, **decay), micro_steps=3),
        "accumulated, clipped, averaged": train(
            plain(o.SGD, momentum=0.9), micro_steps=2, clip=lambda p: norm(p, 1.0), decay=0.75),
        "averaged": train(plain(o.AdamW), decay=0.6),
    }
    write("optimizers.json", {
        "shapes": SHAPES, "rates": RATES,
        "initial": {name: listed(value) for name, value in INITIAL.items()},
        "gradients": [{n: listed(g) for n, g in gradients.items()} for gradients in GRADIENTS],
        "cases": cases,
    })


# Schedules


def schedule(make, steps=40, rate=0.4):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def plateau(metrics, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for metric in metrics:
        scheduler.step(metric)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def warmed(make, steps, **options):
    return lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, total_iters=steps, **options), make(o)], milestones=[steps])


def schedules():
    s = lr_scheduler
    metrics = [float(f"{2 / math.sqrt(1 + i) + RANDOM.normal(0, 0.3):.9g}") for i in range(60)]
    cycle = {"cycle_momentum": False}
    write("schedules.json", {
        "metrics": metrics,
        "step": schedule(lambda o: s.StepLR(o, 7)),
        "step options": schedule(lambda o: s.StepLR(o, 3, gamma=0.7)),
        "multi-step": schedule(lambda o: s.MultiStepLR(o, [5, 20, 9, 9], gamma=0.3)),
        "cosine": schedule(lambda o: s.CosineAnnealingLR(o, 13)),
        "cosine options": schedule(lambda o: s.CosineAnnealingLR(o, 30, eta_min=0.05)),
        "polynomial": schedule(lambda o: s.PolynomialLR(o, 21)),
        "polynomial options": schedule(lambda o: s.PolynomialLR(o, 35, power=1.8)),
        "one-cycle": schedule(lambda o: s.OneCycleLR(o, 0.4, 40, **cycle)),
        "one-cycle options": schedule(lambda o: s.OneCycleLR(
            o, 0.4, 41, pct_start=0.55, div_factor=10, final_div_factor=50, **cycle)),
        "one-cycle falling": schedule(lambda o: s.OneCycleLR(o, 0.4, 40, pct_start=0.0, **cycle)),
        "warm-up cosine": schedule(warmed(lambda o: s.CosineAnnealingLR(o, 30), 10)),
        "warm-up step": schedule(warmed(lambda o: s.StepLR(o, 4), 5, start_factor=0.01)),
        "plateau": plateau(metrics),
        "plateau options": plateau(
            metrics, factor=0.5, patience=2, threshold=0.05, cooldown=3, min_lr=0.03),
        "plateau highest": plateau(
            [-x for x in metrics], mode="max", factor=0.3, patience=1, cooldown=1),
    })


warnings.simplefilter("ignore")  # about the order of steps, which here is of no account
losses()
optimizers()
schedules()
versions = {
    "Python": platform.python_version(), "PyTorch": torch.__version__,
    "torchvision": torchvision.__version__, "timm": timm.__version__, "NumPy": np.__version__}
(HERE / "versions.txt").write_text("".join(f"{k} {v}\n" for k, v in versions.items()))
