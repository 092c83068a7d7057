"""Writes the .npz and .params files that the tests read, and the versions that wrote them.

Run with a Python that has numpy, in this folder: python make_archives.py
Element i of an array is value(i), as in make.py.

The .npz files are NumPy's own. MXNet can no longer be installed: the .params files are written here
from the description of the format in its source (src/ndarray/ndarray.cc, NDArray::Save and Load).
"""

import struct
import sys

import numpy

VERSIONS = {1: 0xF993FAC8, 2: 0xF993FAC9, 3: 0xF993FACA}
CODES = {"f4": 0, "f8": 1, "f2": 2, "u1": 3, "i4": 4, "i1": 5, "i8": 6, "b1": 7, "i2": 8, "u2": 9}


def value(i):
    return (i * 37 + 11) % 97 - 48


def ramp(name, *shape):
    offset = 48 if name[0] == "u" else 0
    values = [value(i) + offset for i in range(int(numpy.prod(shape)))]
    if name == "b1":
        values = [v % 3 == 0 for v in values]
    return numpy.array(values, name).reshape(shape)


def array(values, version, device=1, number=0):
    name = values.dtype.str[1:]
    if version == 0:
        head = struct.pack(f"<I{values.ndim}I", values.ndim, *values.shape)
    else:
        head = struct.pack("<I", VERSIONS[version])
        head += struct.pack("<i", 0) if version > 1 else b""
        head += struct.pack(f"<I{values.ndim}q", values.ndim, *values.shape)
    return head + struct.pack("<iii", device, number, CODES[name]) + values.tobytes()


def listing(arrays, names):
    text = struct.pack("<QQQ", 0x112, 0, len(arrays)) + b"".join(arrays)
    text += struct.pack("<Q", len(names))
    for name in names:
        text += struct.pack("<Q", len(name.encode())) + name.encode()
    return text


def write(name, content):
    with open(name, "wb") as file:
        file.write(content)


def params():
    kinds = {name: ramp(name, 3, 5) for name in CODES}
    write("params-kinds.bin", listing([array(a, 2) for a in kinds.values()], list(kinds)))
    for version in range(4):
        arrays = [array(ramp("f4", 2, 3), version), array(ramp("f2", 7), version, device=2)]
        write(f"params-v{version}.bin", listing(arrays, ["arg:fc1_weight", "aux:bn_moving_mean"]))
    write("params-unnamed.bin", listing([array(ramp("f4", 2), 1), array(ramp("i8", 3), 0)], []))
    write("params-scalar.bin", listing([array(ramp("f4"), 3)], ["s"]))
    sparse = struct.pack("<Iii", VERSIONS[2], 1, 2) + bytes(40)
    write("params-sparse.bin", listing([sparse], ["w"]))


def archives():
    kinds = {name: ramp(name, 3, 5) for name in CODES}
    kinds.update(scalar=ramp("f4"), empty=ramp("f4", 0, 4), complex=ramp("f4", 6).astype("c8"))
    kinds["layer1.0/weight"] = ramp("f4", 2, 3)
    with open("npz-kinds.bin", "wb") as file:
        numpy.savez(file, **kinds)
    with open("npz-tiny.bin", "wb") as file:
        numpy.savez(file, a=ramp("f4", 2, 3), b=ramp("i8", 2))
    with open("npz-compressed.bin", "wb") as file:
        numpy.savez_compressed(file, a=numpy.tile(ramp("f4", 2, 3), 50))
    with open("npz-big.bin", "wb") as file:
        numpy.savez(file, a=ramp("f4", 2, 3).astype(">f4"))
    with open("npz-none.bin", "wb") as file:
        numpy.savez(file)


if __name__ == "__main__":
    params()
    archives()
    with open("versions-archives.txt", "w") as file:
        file.write(f"python {sys.version.split()[0]}\nnumpy {numpy.__version__}\n")
