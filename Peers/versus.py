"""Measures Apus and other frameworks in turn, round after round, and prints a Markdown table.

Each figure is a process of its own, on the same hashed weights. Ratios are of the medians over the
rounds, so that a machine whose speed drifts does not favour whoever ran first; behind them, in
parentheses, of the shortest runs, which a busy machine disturbs less.
"""

import collections
import fnmatch
import json
import os
import statistics
import subprocess
import sys
import tempfile

import train
from backends import BACKENDS
from commandline import Failure, Parser, at_least, run

HERE = os.path.dirname(os.path.abspath(__file__))


def listing(text):
    return [each.strip() for each in text.split(",") if each.strip()]


def parse():
    parser = Parser(
        description="Measure Apus and other frameworks in turn.",
        epilog="examples: versus.py --model 'resnet*,vgg16' --batch 1,16 --backends openvino · "
        "versus.py --mode train --model resnet50 --batch 16 --backends torch-compile",
    )
    parser.add_argument("--model", type=listing, required=True,
                        help="networks of Apus, patterns too, separated by commas")
    parser.add_argument("--mode", default="infer", choices=("infer", "train", "forward-backward"),
                        help="forward passes, training steps, or those up to the gradients")
    parser.add_argument("--batch", default="1", help="images that run together, a list too")
    parser.add_argument("--image-size", type=at_least(1), help="each network's own without it")
    parser.add_argument("--backends", type=listing, default=["torch-eager"],
                        help="separated by commas")
    parser.add_argument("--execution", type=listing, default=["compiled"],
                        help="of Apus; ratios are to the last")
    parser.add_argument("--option", action="append", default=[], metavar="FLAG",
                        help="of `apus bench`, for instance --option=--exact")
    parser.add_argument("--threads", type=at_least(1), default=2, help="of the CPU")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="times through all of them")
    parser.add_argument("--min-time", type=at_least(0, float), default=3.0, help="seconds each")
    parser.add_argument("--max-time", type=at_least(0, float), default=60.0, help="seconds each")
    parser.add_argument("--output", metavar="FILE", help="append each process's row and the ratios there, "
                        "JSON lines")
    parser.add_argument("--apus", default=os.path.join(HERE, "../.build/release/apus"),
                        help="the program")
    options = parser.parse_args()
    try:
        options.batch = [at_least(1)(each) for each in listing(options.batch)]
    except Exception as error:
        parser.error(f"--batch: {error}")
    known = BACKENDS if options.mode == "infer" else train.BACKENDS
    for backend in options.backends:
        if backend not in known:
            parser.error(f"--backends: must be of {', '.join(known)}, got '{backend}'")
    return options


def output_of(command):
    """What a program prints; its complaint is the failure."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        complaint = next((line for line in lines if "rror" in line), lines[-1])
        raise Failure(f"{' '.join(command)}: {complaint}")
    return result.stdout


def networks(options):
    """Name and image size of the networks that are asked for."""
    sizes = {each["name"]: each["image_size"]
             for each in json.loads(output_of([options.apus, "models", "--format", "json"]))}
    wanted = {}
    for pattern in options.model:
        names = fnmatch.filter(sizes, pattern)
        if not names:
            raise Failure(f"--model: Apus has no network '{pattern}'")
        wanted.update((name, options.image_size or sizes[name]) for name in names)
    return wanted.items()


def commands(options, model, size, batch, weights):
    """What is measured, by name: Apus's executions, then the peers."""
    common = ["--image-size", str(size), "--weights", weights, "--threads", str(options.threads),
              "--min-time", f"{options.min_time}", "--max-time", f"{options.max_time}"]
    sides = {}
    for execution in options.execution:
        sides[f"apus {execution}"] = [
            options.apus, "bench", "-m", model, "-b", str(batch), "--format", "jsonl",
            "--mode", options.mode, "--execution", execution, *options.option, *common]
    for backend in options.backends:
        if options.mode == "infer":
            program = ["forward.py", "--exports", os.path.dirname(weights)]
        else:
            program = ["train.py", "--mode", options.mode]
        sides[backend] = [
            sys.executable, os.path.join(HERE, program[0]), *program[1:], "--backend", backend,
            "--model", model, "--batch", str(batch), *common]
    return sides


def measure(options, sides):
    """Over the rounds, the median of each side's medians and its shortest run, in milliseconds."""
    latencies = collections.defaultdict(list)
    failed = set()
    for _ in range(options.rounds):
        for name, command in sides.items():
            if name in failed:
                continue
            try:
                text = output_of(command)
            except Failure as failure:
                print(f"versus.py: {failure}", file=sys.stderr)
                failed.add(name)
                continue
            if options.output:
                with open(options.output, "a") as file:
                    file.write(text)
            latencies[name].append(json.loads(text)["latency_ms"])
    return {
        name: (statistics.median(each["median"] for each in rounds),
               min(each["min"] for each in rounds))
        for name, rounds in latencies.items() if name not in failed}


def compare(options, times, ours, cell):
    """The best peer's time over ours, of medians and of shortest runs; `None` without both."""
    peers = [times[name] for name in options.backends if name in times]
    if not peers or ours not in times:
        return None
    ratios = tuple(min(peer[i] for peer in peers) / times[ours][i] for i in (0, 1))
    if options.output:
        row = {"comparison": {
            **cell, "mode": options.mode, "threads": options.threads, "rounds": options.rounds,
            "median_ms": {name: each[0] for name, each in times.items()},
            "min_ms": {name: each[1] for name, each in times.items()},
            "best_peer_over_apus": {"median": ratios[0], "min": ratios[1]}}}
        with open(options.output, "a") as file:
            file.write(json.dumps(row) + "\n")
    return ratios


def main():
    options = parse()
    ours = f"apus {options.execution[-1]}"
    sides = [f"apus {each}" for each in options.execution] + options.backends
    ratios = collections.defaultdict(list)
    print(f"Medians of {options.rounds} rounds in ms (shortest run), {options.threads} threads\n")
    print(f"| network | pixels | batch | {' | '.join(sides)} | best peer ÷ {ours} |")
    print("|---" * (len(sides) + 4) + "|", flush=True)
    for model, size in networks(options):
        with tempfile.TemporaryDirectory() as folder:
            weights = os.path.join(folder, f"{model}.safetensors")
            output_of([sys.executable, os.path.join(HERE, "weights.py"), model, weights])
            for batch in options.batch:
                times = measure(
                    options, commands(options, model, size, batch, weights))
                ratio = compare(options, times, ours, {"model": model, "batch_size": batch})
                if ratio:
                    ratios[batch].append(ratio)
                cells = [
                    "{:.2f} ({:.2f})".format(*times[name]) if name in times else "failed"
                    for name in sides]
                print(f"| {model} | {size} | {batch} | {' | '.join(cells)} "
                      f"| {'{:.2f} ({:.2f})'.format(*ratio) if ratio else ''} |", flush=True)
    print()
    for batch, each in ratios.items():
        print(f"Geometric mean of {len(each)} networks at batch {batch}: "
              "{:.2f} ({:.2f})".format(*map(statistics.geometric_mean, zip(*each))))


run(main)
