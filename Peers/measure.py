"""Timing by the rules Apus itself follows: warm-up, stop, statistics, memory by phase."""

import resource
import statistics
import time


class Memory:
    """The process's peak resident set in bytes, phase by phase."""

    method = "VmHWM of /proc/self/status after writing 5 to /proc/self/clear_refs"

    def __init__(self):
        self.peaks = {}
        self.start()

    def start(self):
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
        except OSError:  # not permitted: peaks then only grow
            self.method = "ru_maxrss, never reset"

    def end(self, phase):
        if self.method.startswith("VmHWM"):
            with open("/proc/self/status") as file:
                kilobytes = next(int(line.split()[1]) for line in file if line[:6] == "VmHWM:")
        else:
            kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.peaks[phase] = kilobytes * 1024
        self.start()


def time_one(work):
    """Runs `work` once; the result and the milliseconds it took."""
    start = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - start) * 1e3


def warm_up(work, least=0.2, most=10):
    """Runs until the medians of the last two fives agree within 2 %; how many runs that took."""
    times, start = [], time.perf_counter()
    while True:
        times.append(time_one(work)[1])
        elapsed = time.perf_counter() - start
        before, last = times[-10:-5], times[-5:]
        settled = before and abs(statistics.median(last) / statistics.median(before) - 1) <= 0.02
        if elapsed >= most or elapsed >= least and settled:
            return len(times)


def repeat(work, min_time, max_time, min_iterations=10):
    """Times `work` until its median is known within 2 %; times in ms, seconds, why it stopped."""
    times, start = [], time.perf_counter()
    while True:
        times.append(time_one(work)[1])
        elapsed = time.perf_counter() - start
        if elapsed >= min_time and len(times) >= min_iterations:
            if median_half_width(times) <= 0.02:
                return times, elapsed, "precision"
        if elapsed >= max_time:
            return times, elapsed, "max_time"


def median_half_width(times):
    """Half the 95 % confidence interval of the median, by ranks, relative to the median."""
    ordered, n = sorted(times), len(times)
    reach = 0.98 * n**0.5
    low, high = max(0, int(n / 2 - reach)), min(n - 1, int(n / 2 + reach))
    return (ordered[high] - ordered[low]) / 2 / statistics.median(ordered)


def latency(times):
    """The row's `latency_ms`; a percentile only where there are enough samples for it."""
    ordered = sorted(times)
    row = {
        "median": statistics.median(times),
        "mean": statistics.fmean(times),
        "sd": statistics.stdev(times) if len(times) > 1 else 0.0,
        "min": ordered[0],
        "max": ordered[-1],
        "p50": statistics.median(times),
    }
    for percentile, needed in ((90, 64), (95, 130), (99, 662)):
        if len(times) >= needed:
            # Linear interpolation, as Apus and NumPy do.
            position = (len(times) - 1) * percentile / 100
            low = int(position)
            high = min(low + 1, len(times) - 1)
            row[f"p{percentile}"] = ordered[low] + (ordered[high] - ordered[low]) * (position - low)
    return row
