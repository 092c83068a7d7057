#!/usr/bin/env python3
"""Writes ../ApusBenchTests/ReferenceRatios.swift: what SciPy says of quantiles, of the interval of a
ratio and of the variance of a typical value, all on the numbers of make_reference_statistics.py."""

import sys
from pathlib import Path

import numpy as np
import scipy
from make_reference_statistics import hashed
from scipy import stats

CENTERS = {"median": np.median, "mean": np.mean}


def numbers(count, seed):
    return np.array([hashed(seed + i) for i in range(count)])


def quantile(confidence, freedom):
    value = float(stats.t.ppf((1 + confidence) / 2, freedom))
    return f"  ReferenceQuantile(confidence: {confidence}, degreesOfFreedom: {freedom}, quantile: {value!r}),\n"


def ratio(count_a, count_b, seed):
    """Welch's interval of the difference of logarithms of processes that gave one number each."""
    a, b = numbers(count_a, seed), 1.25 * numbers(count_b, seed + 5000)
    test = stats.ttest_ind(np.log(b), np.log(a), equal_var=False)
    lower, upper = np.exp(test.confidence_interval(0.95))
    center = float(np.exp(np.log(b).mean() - np.log(a).mean()))
    return (f"  ReferenceRatio(\n    countA: {count_a}, countB: {count_b}, seed: {seed}, ratio: {center!r},\n"
            f"    lower: {float(lower)!r}, upper: {float(upper)!r}),\n")


def one_process(count, center, seed):
    x = numbers(count, seed)
    result = stats.bootstrap(
        (x,), lambda v, axis: np.log(CENTERS[center](v, axis=axis)), n_resamples=50_000, batch=500,
        method="percentile", rng=np.random.default_rng(seed))
    return float(result.standard_error) ** 2 * count / (count - 1)


def processes(count, iterations, center, seed):
    """Two levels: SciPy has one only, so the second is written out."""
    rng = np.random.default_rng(seed)
    x = np.stack([numbers(iterations, seed + 1000 * i) * (1 + 0.02 * i) for i in range(count)])
    draws = []
    for _ in range(20_000):
        drawn = x[rng.integers(count, size=count)]
        inner = np.take_along_axis(drawn, rng.integers(iterations, size=drawn.shape), axis=1)
        draws.append(np.log(CENTERS[center](inner, axis=1)).mean())
    return float(np.var(draws, ddof=1)) * count / (count - 1)


def variance(count, iterations, center, seed):
    value = (one_process(iterations, center, seed) if count == 1
             else processes(count, iterations, center, seed))
    return (f"  ReferenceVariance(\n    processes: {count}, iterations: {iterations}, "
            f"center: .{center}, seed: {seed}, variance: {value!r}),\n")


def table(name, kind, rows):
    return f"\nlet {name}: [{kind}] = [\n" + "".join(rows) + "]\n"


def main():
    versions = f"Python {sys.version.split()[0]}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    text = f"// Written by make_reference_ratios.py with {versions}.\n"
    text += table("referenceQuantiles", "ReferenceQuantile", [
        quantile(confidence, freedom) for confidence in (0.5, 0.9, 0.95, 0.999)
        for freedom in (1, 1.3, 2, 3.7, 4, 9, 30, 1000, 100_000)])
    text += table("referenceRatios", "ReferenceRatio", [
        ratio(*counts, 10_000 * seed)
        for seed, counts in enumerate([(2, 2), (3, 3), (3, 5), (5, 5), (2, 12), (30, 30)])])
    text += table("referenceVariances", "ReferenceVariance", [
        variance(count, iterations, center, 100_000 + 20_000 * seed)
        for seed, (count, iterations) in enumerate([(1, 10), (1, 101), (1, 250), (3, 20), (5, 41)])
        for center in CENTERS])
    folder = Path(__file__).resolve().parent.parent / "ApusBenchTests"
    (folder / "ReferenceRatios.swift").write_text(text)


if __name__ == "__main__":
    main()
