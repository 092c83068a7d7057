#!/usr/bin/env python3
"""Writes ../ApusBenchTests/ReferenceStatistics.swift: what NumPy and SciPy say of hashed numbers."""

import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

MASK = (1 << 64) - 1


def hashed(index):
    """The same exact float64 as `referenceValues` of StatisticsTests.swift (SplitMix64)."""
    z = (index + 1) * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    unit = ((z ^ (z >> 31)) >> 11) * 2.0**-53
    return 5 + unit * unit * unit * 2 + (10 if index % 37 == 36 else 0)


def row(count, seed):
    x = np.array([hashed(seed + i) for i in range(count)])
    q1, q3 = np.quantile(x, [0.25, 0.75])
    outliers = int(np.sum((x < q1 - 1.5 * (q3 - q1)) | (x > q3 + 1.5 * (q3 - q1))))
    ranks = [k for k in range(1, count // 2 + 1)
             if 1 - 2 * stats.binom.cdf(k - 1, count, 0.5) >= 0.95]
    s = np.sort(x)
    if ranks:
        k = ranks[-1]
        coverage = 1 - 2 * stats.binom.cdf(k - 1, count, 0.5)
        interval = f"({float(s[k - 1])!r}, {float(s[count - k])!r}, {float(coverage)!r})"
    else:
        interval = "nil"
    fields = [
        f"count: {count}", f"seed: {seed}", f"median: {float(np.median(x))!r}",
        f"mean: {float(np.mean(x))!r}", f"sd: {float(np.std(x, ddof=1))!r}",
        f"minimum: {float(x.min())!r}", f"maximum: {float(x.max())!r}",
        f"p25: {float(q1)!r}", f"p90: {float(np.percentile(x, 90))!r}",
        f"p999: {float(np.percentile(x, 99.9))!r}",
        f"outliers: {outliers}", f"interval: {interval}",
    ]
    return "  ReferenceStatistics(\n    " + ",\n    ".join(fields) + "),\n"


def main():
    versions = f"Python {sys.version.split()[0]}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    text = f"// Written by make_reference_statistics.py with {versions}.\n\n"
    text += "let referenceStatistics = [\n"
    for seed, count in enumerate([2, 5, 6, 7, 10, 17, 40, 64, 101, 250, 1000, 6636, 20001]):
        text += row(count, seed * 100_000)
    text += "]\n"
    folder = Path(__file__).resolve().parent.parent / "ApusBenchTests"
    (folder / "ReferenceStatistics.swift").write_text(text)


if __name__ == "__main__":
    main()
