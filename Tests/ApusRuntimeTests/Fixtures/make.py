"""Writes the weight files that the tests read, and the versions that wrote them.

Run with a Python that has torch, safetensors and numpy, in this folder: python make.py
Element i of a tensor's storage is value(i), so that the tests know what to expect.
"""

import argparse
import collections
import io
import pickle
import struct
import sys
import zipfile

import numpy
import safetensors
import safetensors.torch
import torch


def value(i):
    return (i * 37 + 11) % 97 - 48


def ramp(dtype, *shape):
    count = 1
    for extent in shape:
        count *= extent
    values = [value(i) for i in range(count)]
    if dtype == torch.uint8:
        values = [v + 48 for v in values]
    if dtype == torch.bool:
        values = [v % 3 == 0 for v in values]
    return torch.tensor(values, dtype=dtype).reshape(shape)


def save(name, value, **options):
    torch.save(value, f"zip-{name}.bin", **options)
    torch.save(value, f"legacy-{name}.bin", _use_new_zipfile_serialization=False, **options)


def state_dicts():
    names = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"]
    kinds = collections.OrderedDict(
        (name, ramp(getattr(torch, name), 3, 5)) for name in names + ["uint8", "bool"]
    )
    kinds["scalar"] = ramp(torch.float32, 1)[0].clone()
    kinds["empty"] = torch.empty(0, 4)
    save("kinds", kinds)
    save("protocol4", kinds, pickle_protocol=4)
    safetensors.torch.save_file(kinds, "safetensors-kinds.bin", metadata={"made by": 'make.py "é"'})

    base = ramp(torch.float32, 60)
    views = {
        "base": base,
        "transposed": base.view(6, 10).t(),
        "sliced": base.view(6, 10)[1:5, 2:9:3],
        "offset": base[7:],
        "expanded": base[:4].view(4, 1).expand(4, 3),
        "channelsLast": ramp(torch.float32, 2, 3, 4, 5).to(memory_format=torch.channels_last),
        "halves": ramp(torch.float16, 9)[1:],
        "stepped": ramp(torch.int64, 9)[::2],
    }
    save("views", views)

    tiny = {"a": ramp(torch.float32, 2, 3), "b": ramp(torch.int64, 2)}
    save("tiny", tiny)
    safetensors.torch.save_file(tiny, "safetensors-tiny.bin")

    foreign = {"complex": ramp(torch.complex64, 2, 3), "uint16": torch.arange(5).to(torch.uint16),
               "negated": ramp(torch.complex64, 3).conj().imag,
               "fine": ramp(torch.float32, 4)}
    torch.save(foreign, "zip-foreign.bin")
    safetensors.torch.save_file(
        {"uint16": torch.arange(5).to(torch.uint16), "fine": ramp(torch.float32, 4)},
        "safetensors-foreign.bin")


def checkpoints():
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    for tensor in model.state_dict().values():
        tensor.copy_(ramp(tensor.dtype, *tensor.shape))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.randn(2, 2, 5, 5)).sum().backward()
    optimizer.step()
    for tensor in model.state_dict().values():
        tensor.copy_(ramp(tensor.dtype, *tensor.shape))
    parallel = torch.nn.DataParallel(model)
    others = {"epoch": 3, "optimizer": optimizer.state_dict(), "best": numpy.float64(76.1),
              "args": argparse.Namespace(lr=0.1, data="x"), "history": [0.5, None, (1, {2})]}
    save("wrapped", {"state_dict": parallel.state_dict(), **others})
    torch.save({"model": model.state_dict(), **others}, "zip-model.bin")
    torch.save({"model": model.state_dict(), "model_ema": model.state_dict()}, "zip-two.bin")
    torch.save(others, "zip-none.bin")
    torch.save(dict(model.named_parameters()), "zip-parameters.bin")
    save("module", Affine())
    script()


# As text, because torch.save copies the source (and its path) of classes that come from a file.
exec("""
class Affine(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(ramp(torch.float32, 3, 5))
""")


def script():
    """A TorchScript archive without the debugging entries, which have paths in them."""
    stream = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.ReLU(), ramp(torch.float32, 3)), stream)
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile("script.bin", "w") as target:
        for entry in source.infolist():
            if "debug" not in entry.filename:
                target.writestr(entry, source.read(entry))


def archive(name, data, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(name, "w", compression) as file:
        file.writestr("archive/data.pkl", data)
        file.writestr("archive/version", "3\n")


class Command:
    def __init__(self, function, arguments, how="reduce"):
        self.function, self.arguments, self.how = function, arguments, how

    def __reduce__(self):
        return self.function, self.arguments


def hostile():
    import os

    call = b"(S'true'\ntR."
    archive("evil-global.bin", b"\x80\x02cos\nsystem\n" + call)
    archive("evil-builtin.bin", b"\x80\x02c__builtin__\neval\n" + call)
    archive("evil-stack-global.bin", pickle.dumps(Command(os.system, ("true",)), 4))
    archive("evil-nested.bin", pickle.dumps({"w": [Command(os.system, ("true",))]}, 2))
    archive("evil-inst.bin", b"(S'true'\nios\nsystem\n.")
    archive("evil-obj.bin", b"(cos\nsystem\nS'true'\no.")
    archive("evil-newobj.bin", b"\x80\x02csubprocess\nPopen\n(S'true'\nt\x81.")
    archive("evil-newobj-ex.bin", b"\x80\x04csubprocess\nPopen\n(S'true'\nt}\x92.")
    archive("evil-build.bin", b"\x80\x02cos\nenviron\n}S'A'\nS'B'\nsb.")
    archive("evil-build-dict.bin", b"\x80\x02ccollections\nOrderedDict\n}S'A'\nS'B'\nsb.")
    archive("evil-unused.bin", b"\x80\x02cos\nsystem\n0}.")
    archive("evil-extension.bin", b"\x80\x02\x82\x01.")
    archive("cycle.bin", b"\x80\x02}q\x00X\x04\x00\x00\x00selfh\x00s]q\x01h\x01ah\x00X\x01\x00\x00"
            b"\x00lh\x01s.")
    archive("compressed.bin", pickle.dumps({}, 2) + b" " * 500, zipfile.ZIP_DEFLATED)
    stream = io.BytesIO()
    pickle.dump({"w": 1}, stream, 2)
    open("pickle.bin", "wb").write(stream.getvalue())


def zip64():
    """The entries of zip-tiny.bin with every size and offset in 64-bit fields."""
    body, directory = b"", b""
    with zipfile.ZipFile("zip-tiny.bin") as source:
        for entry in source.infolist():
            data, name = source.read(entry), entry.filename.encode()
            fixed = struct.pack("<HHHHHI", 45, 0, 0, 0, 33, entry.CRC)
            sizes = struct.pack("<QQ", len(data), len(data))
            extra = struct.pack("<HHQQQ", 1, 24, len(data), len(data), len(body))
            directory += (b"PK\1\2" + struct.pack("<H", 45) + fixed + b"\xff" * 8
                          + struct.pack("<HHHHHI", len(name), len(extra), 0, 0, 0, 0)
                          + b"\xff" * 4 + name + extra)
            body += (b"PK\3\4" + fixed + b"\xff" * 8 + struct.pack("<HH", len(name), 20)
                     + name + struct.pack("<HH", 1, 16) + sizes + data)
        count = len(source.infolist())
    end64 = b"PK\6\6" + struct.pack(
        "<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, len(directory), len(body))
    locator = b"PK\6\7" + struct.pack("<IQI", 0, len(body) + len(directory), 1)
    end = b"PK\5\6" + b"\0" * 4 + b"\xff" * 12 + b"\0" * 2
    open("zip64.bin", "wb").write(body + directory + end64 + locator + end)
    assert torch.load("zip64.bin")["a"].tolist() == torch.load("zip-tiny.bin")["a"].tolist()


def arrays():
    for name in ["f4", "f8", "f2", "i8", "i4", "i2", "i1", "u1"]:
        offset = 48 if name == "u1" else 0
        numpy.save(f"npy-{name}.npy",
                   numpy.array([value(i) + offset for i in range(15)], name).reshape(3, 5))
    numpy.save("npy-b1.npy", numpy.array([value(i) % 3 == 0 for i in range(15)]).reshape(3, 5))
    array = numpy.array([value(i) for i in range(15)], "f4").reshape(3, 5)
    numpy.save("npy-fortran.npy", numpy.asfortranarray(array))
    numpy.save("npy-big.npy", array.astype(">f4"))
    numpy.save("npy-complex.npy", array.astype("c8"))
    numpy.save("npy-object.npy", numpy.array([{}, 1], object), allow_pickle=True)
    numpy.save("npy-scalar.npy", numpy.float32(value(0)))
    for version in [(2, 0), (3, 0)]:
        with open(f"npy-version{version[0]}.npy", "wb") as file:
            numpy.lib.format.write_array(file, array, version)


def main():
    state_dicts()
    checkpoints()
    hostile()
    zip64()
    arrays()
    with open("versions.txt", "w") as file:
        file.write(f"python {sys.version.split()[0]}\ntorch {torch.__version__}\n")
        file.write(f"safetensors {safetensors.__version__}\nnumpy {numpy.__version__}\n")


if __name__ == "__main__":
    main()
