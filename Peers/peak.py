"""Measures how fast a device multiplies matrices: nothing a network reports may be faster.

Prints one JSON row for each precision. Uses JAX; matrices are random, since zeros cost a GPU less
power and run faster.
"""

import json
import os
import time

from commandline import Failure, Parser, at_least, run


def parse():
    parser = Parser(description="Measure a device's matrix products.")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda", help="where it runs")
    parser.add_argument("--size", type=at_least(1), default=8192, help="rows and columns")
    return parser.parse_args()


def measure(jax, dtype, precision, size):
    """The GFLOP/s of the best of ten products, each with its end waited for."""
    keys = jax.random.split(jax.random.key(time.time_ns() & 0xFFFF))
    a, b = (jax.random.normal(key, (size, size), dtype) for key in keys)
    product = jax.jit(lambda a, b: jax.numpy.matmul(a, b, precision=precision))
    product(a, b).block_until_ready()
    times = []
    for _ in range(10):
        start = time.perf_counter()
        product(a, b).block_until_ready()
        times.append(time.perf_counter() - start)
    return 2 * size**3 / min(times) * 1e-9


def main():
    options = parse()
    os.environ["JAX_PLATFORMS"] = options.device
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        raise Failure(f"--device {options.device}: JAX has none; {error}".rstrip("; "))
    row = {"status": "ok"}
    for name, dtype, precision in (("fp32", "float32", "highest"), ("tf32", "float32", "default"),
                                   ("bf16", "bfloat16", "default")):
        row[name] = measure(jax, dtype, precision, options.size)
    print(json.dumps(row))


run(main)
