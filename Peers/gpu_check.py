"""Checks and measures Apus on an accelerator, with JAX/Flax and PyTorch on the same one in turn.

Every cell is a process of its own and a line of results.jsonl. A run ends before its slice of time
is over and says what is left; the next run goes on from there, and the one that finds nothing left
to do writes report.md. Needs Python with JAX and Flax; cells of a framework that is missing say so.
"""

import json
import os
import subprocess
import sys
import time

from commandline import Failure, Parser, at_least, run

HERE = os.path.dirname(os.path.abspath(__file__))

# Seconds for a forward pass by batch size on an RTX 3060 Ti: Lux + Reactant, Flax, eager Lux
# (Lux.jl's documentation, performance benchmarks).
PUBLISHED = {
    "resnet18": {1: (0.00125634, 0.00233078, 0.00196218), 4: (0.00295247, 0.003750324, 0.0042437),
                 32: (0.0134202, 0.015712499, 0.0253424), 128: (0.047055, 0.05045008, 0.097789)},
    "resnet34": {1: (0.00239355, 0.004539012, 0.00364651), 4: (0.00548421, 0.00700831, 0.00725198),
                 32: (0.0241452, 0.028824806, 0.042178), 128: (0.0845379, 0.08936405, 0.159878)},
    "resnet50": {1: (0.00265636, 0.004221916, 0.00532997), 4: (0.00690339, 0.008177042, 0.0163181),
                 32: (0.0388969, 0.04150199, 0.111284), 128: (0.141286, 0.14333295, 0.436758)},
}


def parse():
    parser = Parser(
        description="Check and measure Apus on an accelerator.",
        epilog="example: gpu_check.py --device xla:cuda --out results",
    )
    parser.add_argument("--apus", default=os.path.join(HERE, "../.build/release/apus"),
                        help="the program")
    parser.add_argument("--device", default="xla:cuda", help="xla:cuda, xla:cuda:N or xla:cpu")
    parser.add_argument("--plugin", help="the device's PJRT plugin, instead of a search")
    parser.add_argument("--out", default="gpu-results", help="folder of results.jsonl, report.md")
    parser.add_argument("--slice", type=at_least(1, float), default=420.0,
                        help="seconds after which no further cell is started")
    parser.add_argument("--timeout", type=at_least(1, float), default=120.0,
                        help="seconds a cell may take")
    parser.add_argument("--dry", action="store_true",
                        help="every kind of cell once, small and short")
    return parser.parse_args()


class Cell:
    """A measurement: what it is called in tables, and the command that prints its JSON rows."""

    def __init__(self, part, key, command):
        self.part, self.key, self.command = part, f"{part} {key}", command


def cells(options):
    """All cells, the most important ones first."""
    bench = Bench(options)
    models = ["resnet18"] if options.dry else list(PUBLISHED)
    batches = [1] if options.dry else [1, 128, 32, 4]
    yield Cell("device", "overhead", [options.apus, "doctor", "--device", options.device,
                                      "--overhead", "--format", "json", *bench.plugin])
    yield Cell("device", "peak", [
        sys.executable, os.path.join(HERE, "peak.py"), "--device", bench.peer_device,
        *(["--size", "512"] if options.dry else [])])
    networks = ["resnet18", "squeezenet1_1"] if options.dry else names(options)
    for model in networks:
        yield bench.apus("zoo", model, 1, "compiled", "fp32", min_time=0, min_iterations=2)
    for batch in batches:
        for model in models:
            for precision in ("fp32", "bf16"):
                yield bench.apus("lux", model, batch, "compiled", precision)
                yield bench.peer("flax", model, batch, precision)
                yield bench.peer("torch-compile", model, batch, precision)
            yield bench.apus("lux", model, batch, "eager", "fp32")
    yield from training(bench, options)
    for batch in batches[:2]:
        yield bench.apus("settings", models[-1], batch, "compiled", "tf32")
        if options.device == "xla:cpu":
            continue
        for name, setting in (("buffers off", "xla_gpu_enable_command_buffer="),
                              ("autotune 0", "xla_gpu_autotune_level=0"),
                              ("autotune 2", "xla_gpu_autotune_level=2")):
            yield bench.apus("settings", models[-1], batch, "compiled", "bf16", setting, name)


# Model, batch, mode, precision, flags of Apus, whether PyTorch's twin is measured beside it, and what
# is published: milliseconds of a step (forward + backward) and MB on a GPU without a name
# (pytorch-tools, bonlime).
TRAINING = [
    ("resnet50", 256, "forward-backward", "fp16", [], True, "111.44 + 357.80, 11226 MB"),
    ("resnet50", 256, "train", "bf16", [], True, ""),
    ("resnet50", 64, "forward-backward", "fp32", [], True, "59.65 + 164.39, 5935 MB"),
    ("vgg16_bn", 128, "train", "fp32", ["--norm", "abn"], False, "719.29, 17733 MB"),
    ("vgg16_bn", 128, "train", "fp32", ["--norm", "inplace-abn"], False, "727.05, 11857 MB"),
    ("resnet50", 128, "train", "fp32", ["--norm", "abn"], False, "447.21, 10884 MB"),
    ("resnet50", 128, "train", "fp32", ["--norm", "inplace-abn"], False, "479.64, 8888 MB"),
    ("seresnext50_32x4d", 64, "train", "fp32", ["--norm", "abn"], False, "394.58, 8607 MB"),
    ("seresnext50_32x4d", 64, "train", "fp32", ["--norm", "inplace-abn"], False, "410.02, 5471 MB"),
]


def training(bench, options):
    """Training steps, by the published protocol; dry, each kind once, and small."""
    for model, batch, mode, precision, flags, has_twin, _ in TRAINING:
        if options.dry:
            batch = 2
        yield bench.train(model, batch, mode, precision, flags)
        if has_twin:
            yield bench.train_peer(model, batch, mode, precision)


class Bench:
    """Makes cells of Apus and of its peers."""

    def __init__(self, options):
        self.options = options
        self.plugin = ["--plugin", options.plugin] if options.plugin else []
        self.peer_device = "cpu" if options.device == "xla:cpu" else "cuda"
        self.time = 0.05 if options.dry else 1
        self.size = ["--image-size", "64"] if options.dry else []

    def apus(self, part, model, batch, execution, precision, setting=None, name="",
             min_time=None, min_iterations=10):
        command = [
            self.options.apus, "bench", "-m", model, "-b", str(batch), "--execution", execution,
            "--device", self.options.device, "--precision", precision, "--format", "jsonl",
            "--min-time", str(self.time if min_time is None else min_time), "--max-time", "20",
            "--min-iterations", str(min_iterations), *self.plugin,
            *(self.size if part != "zoo" else [])]
        if setting:
            command += ["--xla-option", setting]
        key = " ".join(filter(None, (model, str(batch), execution, precision, name)))
        return Cell(part, key, command)

    def train(self, model, batch, mode, precision, flags):
        command = [
            self.options.apus, "bench", "-m", model, "-b", str(batch), "--mode", mode, "--device",
            self.options.device, "--precision", precision, "--format", "jsonl", "--runs",
            "2" if self.options.dry else "10", "--iterations", "1" if self.options.dry else "10",
            *flags, *self.plugin, *self.size]
        return Cell("train", " ".join([model, str(batch), mode, precision, *flags]), command)

    def train_peer(self, model, batch, mode, precision):
        command = [
            sys.executable, os.path.join(HERE, "train.py"), "--backend", "torch-compile",
            "--model", model, "--batch", str(batch), "--mode", mode, "--device",
            self.peer_device, "--precision", precision, "--min-time", str(self.time),
            "--max-time", "20", "--min-iterations", "2" if self.options.dry else "10", *self.size]
        return Cell("train", f"{model} {batch} {mode} {precision} torch-compile", command)

    def peer(self, backend, model, batch, precision):
        command = [
            sys.executable, os.path.join(HERE, "forward.py"), "--backend", backend, "--model",
            model, "--batch", str(batch), "--device", self.peer_device, "--precision",
            precision, "--min-time", str(self.time), "--max-time", "20", *self.size]
        return Cell("lux", f"{model} {batch} {backend} {precision}", command)


def names(options):
    listing = subprocess.run([options.apus, "models", "--format", "json"], capture_output=True,
                             text=True, check=True)
    return [model["name"] for model in json.loads(listing.stdout)]


def measure(cell, timeout):
    """Runs a cell; what comes of it is always a row."""
    try:
        result = subprocess.run(cell.command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"status": "timeout", "reason": f"took more than {timeout:g} s"}
    except OSError as error:
        raise Failure(f"{cell.command[0]}: {error.strerror}")
    try:
        if cell.key == "device overhead":
            row = json.loads(result.stdout)["devices"][0]
            return {"status": "failed" if "reason" in row else "ok", **row}
        lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
        if lines:
            return json.loads(lines[-1])
    except ValueError:
        pass  # killed in the middle of a line
    lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
    error = next((line for line in lines if line.startswith("Error: ")), lines[-1])
    missing = "ModuleNotFoundError" in error
    return {"status": "skipped" if missing else "failed", "reason": error}


def known(path):
    """The rows of earlier runs, by key; a line that was cut off is forgotten."""
    rows = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    row = json.loads(line)
                    rows[row["key"]] = row
                except (ValueError, KeyError):
                    continue
    return rows


def main():
    options = parse()
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "results.jsonl")
    rows = known(path)
    todo = list(cells(options))
    start = time.monotonic()
    with open(path, "a+", encoding="utf-8") as file:
        end_line(file)
        for number, cell in enumerate(todo, 1):
            if cell.key in rows:
                continue
            if time.monotonic() - start > options.slice:
                left = sum(cell.key not in rows for cell in todo)
                print(f"{left} of {len(todo)} cells are left: run it again", flush=True)
                return
            row = {"key": cell.key, **measure(cell, options.timeout)}
            if cell.key == "device overhead" and row["status"] != "ok":
                raise Failure(row["reason"])
            rows[cell.key] = row
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
            print(f"{number}/{len(todo)} {cell.key}: {summary(row)}", flush=True)
    report = os.path.join(options.out, "report.md")
    with open(report + ".new", "w", encoding="utf-8") as file:
        file.write(Report(rows, options).text())
    os.replace(report + ".new", report)
    print(f"all {len(todo)} cells are done: {report}")


def end_line(file):
    """A line that a killed run left unfinished must not swallow the next one."""
    if file.tell() > 0:
        file.seek(file.tell() - 1)
        if file.read(1) != "\n":
            file.write("\n")


def summary(row):
    if row.get("status", "ok") != "ok":
        return f"{row['status']}: {row.get('reason', '')}"
    latency = row.get("latency_ms")
    return f"{latency['median']:.3f} ms" if latency else "ok"


class Report:
    """The tables, in Markdown."""

    def __init__(self, rows, options):
        self.rows, self.options = rows, options

    def text(self):
        device = self.rows.get("device overhead", {})
        lines = [f"# Apus on {device.get('description') or self.options.device}", ""]
        if self.options.dry:
            lines += ["A dry run: small images, too short for figures that mean anything.", ""]
        for name, value in device.items():
            if name not in ("key", "description", "status", "plugin"):
                lines.append(f"- {name}: {value}")
        peaks = self.rows.get("device peak", {})
        for precision in ("fp32", "tf32", "bf16"):
            if precision in peaks:
                lines.append(f"- matrix products, {precision}: {peaks[precision]:.0f} GFLOP/s")
        lines += ["", *self.impossible(peaks)]
        lines += ["## Forward passes, milliseconds", "", *self.lux()]
        lines += ["", "## Training, milliseconds", "", *self.training()]
        lines += ["", "## Settings", "", *self.settings()]
        lines += ["", "## The zoo at batch 1, against the CPU backend", "", *self.zoo()]
        return "\n".join(lines) + "\n"

    def impossible(self, peaks):
        """Rows that claim to be faster than the device: somebody did not wait for it."""
        for key, row in self.rows.items():
            peak = peaks.get(row.get("precision"))
            if peak and row.get("gflops_per_sec", 0) > peak:
                yield (f"**Impossible:** {key}, {row['gflops_per_sec']:.0f} GFLOP/s, where matrix "
                       f"products reach {peak:.0f}.\n")

    def median(self, key):
        row = self.rows.get(key)
        if row is None:
            return None, "not run"
        if row.get("status", "ok") != "ok":
            return None, f"{row['status']}: {row.get('reason', '')}"[:60]
        return row["latency_ms"]["median"], None

    def cell(self, key):
        value, reason = self.median(key)
        return reason if value is None else f"{value:.3f}"

    def ratio(self, over, under):
        (a, _), (b, _) = self.median(over), self.median(under)
        return f"{a / b:.2f}×" if a and b else "–"

    def lux(self):
        yield ("| network | batch | precision | Apus compiled | Apus eager | Flax | torch.compile "
               "| eager ÷ compiled | Flax ÷ Apus | published: Lux + Reactant, Flax, Lux |")
        yield "|---|---|---|---|---|---|---|---|---|---|"
        for model, batches in PUBLISHED.items():
            for batch, published in batches.items():
                for precision in ("fp32", "bf16"):
                    name = f"lux {model} {batch}"
                    apus, eager = f"{name} compiled {precision}", f"{name} eager {precision}"
                    flax, compiled = f"{name} flax {precision}", f"{name} torch-compile {precision}"
                    if apus not in self.rows:
                        continue
                    seconds = ", ".join(f"{each * 1e3:.2f}" for each in published)
                    yield (f"| {model} | {batch} | {precision} | {self.cell(apus)} "
                           f"| {self.cell(eager) if eager in self.rows else '–'} "
                           f"| {self.cell(flax)} | {self.cell(compiled)} "
                           f"| {self.ratio(eager, apus)} | {self.ratio(flax, apus)} "
                           f"| {seconds if precision == 'fp32' else '–'} |")

    def training(self):
        yield ("| network | batch | mode | precision | flags | Apus: forward + backward | images/s "
               "| device peak (MiB) | torch.compile | torch.compile ÷ Apus | published |")
        yield "|---|---|---|---|---|---|---|---|---|---|---|"
        for model, batch, mode, precision, flags, _, published in TRAINING:
            batch = 2 if self.options.dry else batch
            key = " ".join(["train", model, str(batch), mode, precision])
            ours, theirs = " ".join([key, *flags]), f"{key} torch-compile"
            row = self.rows.get(ours, {})
            peak = row.get("device_peak_bytes")
            cells = [
                model, batch, mode, precision, " ".join(flags) or "–", self.halves(ours),
                f"{row['samples_per_sec']:.0f}" if "samples_per_sec" in row else "–",
                f"{peak / 2**20:.0f}" if peak else "–",
                self.cell(theirs) if theirs in self.rows else "–", self.ratio(theirs, ours),
                published or "–"]
            yield "| " + " | ".join(map(str, cells)) + " |"

    def halves(self, key):
        """Mean and deviation of both halves of a step."""
        row = self.rows.get(key, {})
        if row.get("status") != "ok" or "forward_ms" not in row:
            return self.cell(key)
        return " + ".join(
            f"{row[half]['mean']:.2f} ± {row[half].get('sd', 0):.2f}"
            for half in ("forward_ms", "backward_ms"))

    def settings(self):
        yield "| cell | median (ms) | device peak (MiB) |\n|---|---|---|"
        for key, row in self.rows.items():
            if key.startswith(("settings", "lux resnet50")) and " compiled " in key:
                peak = row.get("device_peak_bytes")
                yield (f"| {key.partition(' ')[2]} | {self.cell(key)} "
                       f"| {peak / 2**20:.0f} |" if peak else
                       f"| {key.partition(' ')[2]} | {self.cell(key)} | – |")

    def zoo(self):
        yield "| network | largest difference of the largest logit | top-1 equal |\n|---|---|---|"
        for key, row in self.rows.items():
            if key.startswith("zoo"):
                if row.get("status") == "ok":
                    yield (f"| {row['model']} | {row.get('max_rel_diff', float('nan')):.2g} "
                           f"| {row.get('top1_agreement')} |")
                else:
                    yield f"| {key.split()[1]} | {row.get('status')}: {row.get('reason')} | – |"


run(main)
