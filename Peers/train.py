"""Runs and measures training steps in PyTorch, by the rules of `apus bench --mode train`.

A step is what Apus measures: forward, mean cross-entropy, backward and, unless the mode is
forward-backward, SGD with momentum 0.9 and learning rate 0.01, on random images and labels. Prints one
JSON row with the keys of Apus's own rows. Figures of two programs compare only when they were taken
in one go on one machine.
"""

import contextlib
import datetime
import json
import math
import os
import platform
import time

from commandline import Failure, Parser, at_least, run
from forward import available_threads

BACKENDS = ("torch-eager", "torch-eager-nchw", "torch-compile")


def parse():
    parser = Parser(
        description="Run and measure training steps in PyTorch.",
        epilog="example: train.py --backend torch-compile --model resnet50 --batch 16",
    )
    parser.add_argument("--backend", required=True, choices=BACKENDS, help="what runs it")
    parser.add_argument("--model", required=True, help="a name of torchvision, gallery.py or timm")
    parser.add_argument("--mode", choices=("train", "forward-backward"), default="train",
                        help="whole steps, or up to the gradients")
    parser.add_argument("--weights", metavar="FILE", help=".pth, .pt or .safetensors")
    parser.add_argument("--batch", type=at_least(1), default=1, help="random images")
    parser.add_argument("--image-size", type=at_least(1), default=224, help="their side, pixels")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where it runs")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16", "fp16"), default="fp32",
                        help="of the arithmetic; weights stay fp32, narrower ones are autocast")
    parser.add_argument("--threads", type=at_least(1), default=available_threads(), help="of the CPU")
    parser.add_argument("--min-time", type=at_least(0, float), default=3.0, help="seconds")
    parser.add_argument("--max-time", type=at_least(0, float), default=60.0, help="seconds")
    parser.add_argument("--min-iterations", type=at_least(1), default=10, help="steps")
    options = parser.parse_args()
    if options.max_time < options.min_time:
        parser.error("--max-time must not be below --min-time")
    return options


class Training:
    """A network that learns the same images again and again."""

    def __init__(self, options):
        self.options, self.forward_ms = options, []

    def load(self):
        import torch

        import networks

        self.torch, options = torch, self.options
        torch.set_num_threads(options.threads)
        if options.device == "cuda" and not torch.cuda.is_available():
            raise Failure("--device cuda: PyTorch sees no GPU")
        tf32 = options.precision != "fp32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = True
        network = networks.build(options.model)
        if options.weights:
            networks.load(network, options.weights)
        side = options.image_size
        self.images = torch.randn(options.batch, networks.channels(options.model), side, side)
        with torch.inference_mode():
            classes = network(self.images[:1]).shape[-1]
        self.labels = torch.randint(0, classes, (options.batch,)).to(options.device)
        form = (torch.contiguous_format if options.backend == "torch-eager-nchw"
                else torch.channels_last)
        self.network = network.train().to(options.device, memory_format=form)
        self.images = self.images.to(options.device, memory_format=form)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9)
        self.scaler = torch.amp.GradScaler(
            options.device, enabled=options.precision == "fp16" and options.device == "cuda")

    def compile(self):
        if self.options.backend == "torch-compile":
            self.network = self.torch.compile(self.network)
            self.step()  # it compiles at the first call

    def precision(self):
        narrow = {"bf16": self.torch.bfloat16, "fp16": self.torch.float16}.get(
            self.options.precision)
        if narrow is None:
            return contextlib.nullcontext()
        return self.torch.autocast(self.options.device, narrow)

    def now(self):
        if self.options.device == "cuda":
            self.torch.cuda.synchronize()
        return time.perf_counter()

    def step(self):
        start = self.now()
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision():
            logits = self.network(self.images)
            logits = getattr(logits, "logits", logits)  # beside those of auxiliary heads
            loss = self.torch.nn.functional.cross_entropy(logits, self.labels)
        self.forward_ms.append((self.now() - start) * 1e3)
        self.scaler.scale(loss).backward()
        if self.options.mode == "train":
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return loss.item()


def run_means(times, count=10):
    """The mean of all times and the deviation of the means of runs, as the rows of Apus have."""
    import statistics

    runs = min(count, len(times))
    means = [statistics.fmean(times[len(times) * i // runs : len(times) * (i + 1) // runs])
             for i in range(runs)]
    return {"mean": statistics.fmean(times),
            **({"sd": statistics.stdev(means)} if runs > 1 else {})}


def measure(options):
    from measure import Memory, latency, repeat, time_one, warm_up

    training, memory = Training(options), Memory()
    _, load_ms = time_one(training.load)
    memory.end("load")
    _, compile_ms = time_one(training.compile)
    memory.end("compile")
    first_loss, first_ms = time_one(training.step)
    memory.end("first")
    warmups = warm_up(training.step)
    training.forward_ms.clear()
    times, seconds, stop_reason = repeat(
        training.step, options.min_time, options.max_time, options.min_iterations)
    memory.end("steady")
    forward = list(training.forward_ms)
    last_loss = training.step()
    if not math.isfinite(last_loss):
        raise Failure(f"the loss must be finite, got {last_loss}")
    device = {}
    if options.device == "cuda":
        device["device_peak_bytes"] = training.torch.cuda.max_memory_allocated()
    return {
        "schema": 1,
        "status": "ok",
        "model": options.model,
        "mode": options.mode,
        "execution": options.backend,
        "device": options.device,
        "precision": options.precision,
        "batch_size": options.batch,
        "image_size": options.image_size,
        "threads": options.threads,
        "n": len(times),
        "warmup_n": warmups,
        "stop_reason": stop_reason,
        "latency_ms": latency(times),
        "runs": min(10, len(times)),
        "step_ms": run_means(times),
        "forward_ms": run_means(forward),
        "backward_ms": run_means([whole - half for whole, half in zip(times, forward)]),
        "samples_per_sec": options.batch * len(times) / seconds,
        "loss": {"first": first_loss, "last": last_loss},
        "load_ms": load_ms,
        "compile_ms": compile_ms,
        "first_ms": first_ms,
        "peak_rss_bytes": memory.peaks,
        **device,
        "memory_method": memory.method,
        "version": f"torch {training.torch.__version__}",
        "host": platform.node(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def main():
    options = parse()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # before any framework is imported
    print(json.dumps(measure(options)), flush=True)


if __name__ == "__main__":
    run(main)
