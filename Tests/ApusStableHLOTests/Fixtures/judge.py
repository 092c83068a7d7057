"""Compiles StableHLO with JAX's own compiler and runs it: judge.py FOLDER

FOLDER/cases.json lists the cases: `text` names a file with a module; `inputs` and `outputs` have
`type` (MLIR's name), `shape` and `file` each. Files hold bare elements, row-major and
little-endian. The outputs are written, and errors.json says, by the number of the case, what
could not be compiled or run; donated.json lists the inputs of each case that were given away.
"""

import concurrent.futures
import json
import os
import sys

import jax
import ml_dtypes
import numpy
from jax._src.lib import xla_client

TYPES = {
    "f32": numpy.float32, "f64": numpy.float64, "f16": numpy.float16,
    "bf16": ml_dtypes.bfloat16, "i64": numpy.int64, "i32": numpy.int32, "i16": numpy.int16,
    "i8": numpy.int8, "ui8": numpy.uint8, "i1": numpy.bool_,
}


def read(folder, array):
    values = numpy.fromfile(os.path.join(folder, array["file"]), TYPES[array["type"]])
    return values.reshape(array["shape"])


def judge(folder, case):
    device = jax.devices("cpu")[0]
    options = xla_client.CompileOptions()
    options.num_replicas = options.num_partitions = 1
    options.executable_build_options.num_replicas = 1
    options.executable_build_options.num_partitions = 1
    # Less work for LLVM; what XLA makes of the module stays the same.
    options.env_option_overrides = [("xla_backend_optimization_level", 0)]
    with open(os.path.join(folder, case["text"]), encoding="utf-8") as file:
        text = file.read()
    program = device.client.compile_and_load(
        text, xla_client.DeviceList((device,)), options)
    inputs = [jax.device_put(read(folder, array), device) for array in case["inputs"]]
    results = program.execute_sharded(inputs).disassemble_into_single_device_arrays()
    values = [numpy.asarray(result[0]) for result in results]
    if len(values) != len(case["outputs"]):
        raise ValueError(f"{len(case['outputs'])} outputs expected, got {len(values)}")
    for value, array in zip(values, case["outputs"]):
        if value.dtype != TYPES[array["type"]] or list(value.shape) != array["shape"]:
            raise ValueError(f"expected {array}, got {value.dtype}{list(value.shape)}")
        numpy.ascontiguousarray(value).tofile(os.path.join(folder, array["file"]))
    return [index for index, value in enumerate(inputs) if value.is_deleted()]


def main(folder):
    jax.config.update("jax_enable_x64", True)  # or device_put would narrow 64-bit numbers
    with open(os.path.join(folder, "cases.json"), encoding="utf-8") as file:
        cases = json.load(file)
    errors, donated = {}, {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(judge, folder, case) for case in cases]
        for index, result in enumerate(runs):
            try:
                donated[index] = result.result()
            except Exception as error:  # whatever it is, the test shall show it
                errors[index] = f"{type(error).__name__}: {error}"
    for name, content in (("errors.json", errors), ("donated.json", donated)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)


main(sys.argv[1])
