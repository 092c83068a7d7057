"""Runs and measures a network's forward pass in another framework, by the rules of `apus bench`.

Prints one JSON row with the keys of Apus's own rows. Figures of two programs compare only when
they were taken in one go on one machine.
"""

import datetime
import json
import os
import platform

from commandline import Failure, Parser, at_least, read_array, run, write_array


def available_threads():
    """The processors this process may use: its affinity, and the cgroup's quota."""
    count = len(os.sched_getaffinity(0))
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no limit is set
    return count


def parse():
    from backends import BACKENDS

    parser = Parser(
        description="Run and measure a network's forward pass in another framework.",
        epilog="example: forward.py --backend torch-eager --model resnet50 --batch 4",
    )
    parser.add_argument("--backend", required=True, choices=BACKENDS, help="what runs it")
    parser.add_argument("--model", required=True, help="a name of torchvision, gallery.py or timm")
    parser.add_argument("--weights", metavar="FILE", help=".pth, .pt or .safetensors")
    parser.add_argument("--input", metavar="X.npy", help="float32 NCHW; random without it")
    parser.add_argument("--batch", type=at_least(1), default=1, help="random images")
    parser.add_argument("--image-size", type=at_least(1), default=224, help="their side, pixels")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where it runs")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16", "fp16"), default="fp32",
                        help="of weights and arithmetic; fp32 is exact on a GPU too")
    parser.add_argument("--threads", type=at_least(1), default=available_threads(), help="of the CPU")
    parser.add_argument("--min-time", type=at_least(0, float), default=3.0, help="seconds")
    parser.add_argument("--max-time", type=at_least(0, float), default=60.0, help="seconds")
    parser.add_argument("--exports", metavar="FOLDER", help="keep what OpenVINO and ONNX Runtime "
                        "read there, and use what is there; one folder for one file of weights")
    parser.add_argument("--logits", metavar="Y.npy", help="write the logits there")
    options = parser.parse_args()
    if options.max_time < options.min_time:
        parser.error("--max-time must not be below --min-time")
    return options


def images(options):
    import numpy

    if not options.input:
        from networks import channels

        shape = (options.batch, channels(options.model), options.image_size, options.image_size)
        return numpy.random.default_rng().standard_normal(shape, dtype=numpy.float32)
    batch = read_array(options.input)
    if batch.dtype != numpy.float32 or batch.ndim != 4 or 0 in batch.shape:
        given = f"{batch.dtype}{list(batch.shape)}"
        raise Failure(f"{options.input}: must be float32 [n, c, h, w], got {given}")
    return numpy.ascontiguousarray(batch)


def measure(options):
    from backends import BACKENDS

    from measure import Memory, latency, repeat, time_one, warm_up

    batch = images(options)
    backend = BACKENDS[options.backend](options, batch)
    backend.export()
    memory = Memory()
    _, load_ms = time_one(backend.load)
    memory.end("load")
    _, compile_ms = time_one(backend.compile)
    memory.end("compile")
    first, first_ms = time_one(backend.run)
    logits = backend.array(first).copy()
    memory.end("first")
    warmups = warm_up(backend.run)
    times, seconds, stop_reason = repeat(backend.run, options.min_time, options.max_time)
    memory.end("steady")
    if options.logits:
        write_array(options.logits, logits)
    return {
        "schema": 1,
        "status": "ok",
        "model": options.model,
        "mode": "infer",
        "execution": options.backend,
        "device": options.device,
        "precision": options.precision,
        "batch_size": len(batch),
        "image_size": batch.shape[2],
        "threads": options.threads,
        "n": len(times),
        "warmup_n": warmups,
        "stop_reason": stop_reason,
        "latency_ms": latency(times),
        "samples_per_sec": len(batch) * len(times) / seconds,
        "load_ms": load_ms,
        "compile_ms": compile_ms,
        "first_ms": first_ms,
        "peak_rss_bytes": memory.peaks,
        "memory_method": memory.method,
        "version": backend.version(),
        "host": platform.node(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def main():
    options = parse()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # before any framework is imported
    print(json.dumps(measure(options)), flush=True)


if __name__ == "__main__":
    run(main)
