"""Measures Apus and other frameworks in turn, round after round, and prints a Markdown table.

Each figure is a process of its own, on the same hashed weights; the ratio is of the medians over
the rounds, so that a machine whose speed drifts does not favour whoever ran first.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile

from backends import BACKENDS
from commandline import Failure, Parser, at_least, run

HERE = os.path.dirname(os.path.abspath(__file__))


def parse():
    parser = Parser(
        description="Measure Apus and other frameworks in turn.",
        epilog="example: versus.py --model resnet50 --batch 1 --backends torch-eager,openvino",
    )
    parser.add_argument("--model", required=True, help="a network of both")
    parser.add_argument("--batch", type=at_least(1), default=1, help="images that run together")
    parser.add_argument("--backends", default="torch-eager", help="separated by commas")
    parser.add_argument("--execution", default="eager,compiled", help="of Apus")
    parser.add_argument("--threads", type=at_least(1), default=2, help="of the CPU")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="times through all of them")
    parser.add_argument("--min-time", type=at_least(0, float), default=3.0, help="seconds each")
    parser.add_argument("--apus", default=os.path.join(HERE, "../.build/release/apus"),
                        help="the program")
    options = parser.parse_args()
    options.backends = options.backends.split(",")
    for backend in options.backends:
        if backend not in BACKENDS:
            parser.error(f"--backends: must be of {', '.join(BACKENDS)}, got '{backend}'")
    options.execution = options.execution.split(",")
    return options


def row(command):
    """Runs a program that prints one JSON row."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)}: {result.stderr.strip().splitlines()[-1:]}")
    return json.loads(result.stdout)


def commands(options, weights):
    """What is measured, by name: Apus's executions, then the peers."""
    common = ["--threads", str(options.threads), "--min-time", f"{options.min_time}"]
    sides = {}
    for execution in options.execution:
        sides[f"apus {execution}"] = [
            options.apus, "bench", "-m", options.model, "-b", str(options.batch), "--format",
            "jsonl", "--execution", execution, "--weights", weights, *common]
    for backend in options.backends:
        sides[backend] = [
            sys.executable, os.path.join(HERE, "forward.py"), "--backend", backend, "--model",
            options.model, "--batch", str(options.batch), "--weights", weights, *common]
    return sides


def main():
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        weights = os.path.join(folder, "weights.safetensors")
        subprocess.run(
            [sys.executable, os.path.join(HERE, "weights.py"), options.model, weights], check=True)
        sides = commands(options, weights)
        latencies = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, command in sides.items():
                latencies[name].append(row(command)["latency_ms"])
    medians = {
        name: statistics.median(one["median"] for one in rounds)
        for name, rounds in latencies.items()}
    ours = medians[f"apus {options.execution[-1]}"]
    print(f"{options.model}, batch {options.batch}, {options.threads} threads, "
          f"{options.rounds} rounds\n")
    print(f"| | median (ms) | min (ms) | ÷ apus {options.execution[-1]} |\n|---|---|---|---|")
    for name, median in medians.items():
        least = min(one["min"] for one in latencies[name])
        print(f"| {name} | {median:.2f} | {least:.2f} | {median / ours:.2f} |")


run(main)
