"""Writes the pictures of this folder, and what Pillow and torchvision make of them.

    python make.py

Versions that wrote the committed files are in versions.txt. Per picture NAME in cases.txt there is
expected/NAME.rgb, the bytes of `Image.open(NAME).convert("RGB")`; per row of preprocessing.txt the
cropped 8-bit picture before normalisation and float32 values after it.
"""

import io
import pathlib
import struct
import sys
import zlib

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image, features
from torchvision import transforms
from torchvision.transforms import InterpolationMode

HERE = pathlib.Path(__file__).parent
EXPECTED = HERE / "expected"
EXAMPLES = HERE.parents[2] / "Examples" / "pictures"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


# Contents: smooth functions, edges and noise, so that they compress and resize like photographs.


def scene(width, height, channels=3, seed=0, noise=6.0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    u, v = x / width, y / height
    planes = []
    for channel in range(channels):
        phase = 1.3 * channel + seed
        plane = 128 + 70 * np.sin(5 * u + phase) * np.cos(4 * v - phase) + 40 * (u - v)
        plane += 60 * ((u - 0.5) ** 2 + (v - 0.4) ** 2 < 0.06 + 0.01 * channel)
        plane -= 50 * (np.abs(u + v - 1.1) < 0.07)
        planes.append(plane + noise * rng.standard_normal((height, width)))
    return np.clip(np.stack(planes, -1).round(), 0, 255).astype(np.uint8)


def landscape(width, height, seed):
    """A sky with a sun over ranges of hills."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    u, v = x / width, y / height
    sky = np.stack([90 + 130 * v, 140 + 80 * v, 220 - 20 * v], -1)
    sun = np.exp(-(((u - 0.7) ** 2 + (v - 0.22) ** 2) / 0.004))[..., None]
    picture = sky * (1 - sun) + sun * np.array([255, 240, 190])
    for layer, color in enumerate([(110, 130, 150), (70, 110, 80), (40, 70, 35)]):
        ridge = 0.45 + 0.17 * layer + 0.05 * np.sin(u * (7 + 5 * layer) + layer)
        ridge += 0.02 * np.sin(u * (31 + 9 * layer) + 2 * layer)
        shade = 1 + 0.25 * np.sin(40 * u + 25 * v + layer)
        picture = np.where((v > ridge)[..., None], np.array(color) * shade[..., None], picture)
    picture += 3 * rng.standard_normal(picture.shape)
    return np.clip(picture.round(), 0, 255).astype(np.uint8)


def spheres(width, height, seed):
    """Three lit spheres on a chequered ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    checks = ((x // 40 + y // 40) % 2)[..., None]
    picture = np.where(checks, [200, 190, 170], [120, 110, 100]).astype(float)
    for cx, cy, radius, color in [
        (0.35, 0.3, 80, (220, 60, 40)),
        (0.62, 0.55, 70, (60, 90, 210)),
        (0.3, 0.75, 60, (70, 180, 80)),
    ]:
        dx, dy = (x - cx * width) / radius, (y - cy * height) / radius
        z = np.sqrt(np.clip(1 - dx * dx - dy * dy, 0, 1))
        light = np.clip(0.25 + 0.75 * (-0.5 * dx - 0.6 * dy + 0.62 * z), 0.1, 1)
        inside = (dx * dx + dy * dy < 1)[..., None]
        picture = np.where(inside, np.array(color) * light[..., None], picture)
    # Noise on a part only: PNG keeps every bit of it.
    picture += 2 * rng.standard_normal(picture.shape) * (x < width / 4)[..., None]
    return np.clip(picture.round(), 0, 255).astype(np.uint8)


# A PNG writer, for what Pillow cannot write: interlacing, every bit depth, stray indices.

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, depth, color_type, extra=b"", interlace=False):
    """samples: [h, w, c] integers of `depth` bits."""
    height, width, _ = samples.shape

    def rows(part):
        lines = b""
        for row in part.reshape(part.shape[0], -1):
            if depth == 16:
                packed = row.astype(">u2").tobytes()
            elif depth == 8:
                packed = row.astype(np.uint8).tobytes()
            else:
                bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
                packed = np.packbits(bits.astype(np.uint8).ravel()).tobytes()
            lines += b"\0" + packed
        return lines

    if interlace:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        data = b"".join(rows(part) for part in parts if part.size)
    else:
        data = rows(samples)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlace))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
        + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    )


def saved(samples, format, mode=None, **options):
    file = io.BytesIO()
    image = Image.fromarray(samples[..., 0] if samples.shape[-1] == 1 else samples, mode)
    image.save(file, format, **options)
    return file.getvalue()


def png_cases():
    width, height = 37, 29
    wide = np.random.default_rng(5).integers(0, 65536, (height, width, 4))
    wide[: height // 2] //= 200  # levels around 255, where 16-bit grey saturates
    eight = scene(width, height, 4, seed=1)
    palette = lambda n: chunk(b"PLTE", scene(n, 1, seed=2, noise=60).tobytes())
    for depth in (1, 2, 4, 8):
        levels = (eight[..., :1] >> (8 - depth)).astype(int)
        yield f"gray{depth}.png", png(levels, depth, 0)
        yield f"gray{depth}-interlaced.png", png(levels, depth, 0, interlace=True)
        yield f"gray{depth}-trns.png", png(levels, depth, 0, chunk(b"tRNS", b"\0\1"))
        table = palette(2**depth)
        yield f"palette{depth}.png", png(levels, depth, 3, table)
        yield f"palette{depth}-trns.png", png(
            levels, depth, 3, table + chunk(b"tRNS", bytes(range(0, 2 ** min(depth, 7)))),
            interlace=True)
    yield "palette8-stray-index.png", png(eight[..., :1].astype(int), 8, 3, palette(100))
    yield "gray16.png", png(wide[..., :1], 16, 0)
    yield "gray16-interlaced.png", png(wide[..., :1], 16, 0, interlace=True)
    yield "gray16-trns.png", png(wide[..., :1], 16, 0, chunk(b"tRNS", struct.pack(">H", wide[3, 4, 0])))
    yield "gray-alpha8.png", png(eight[..., :2], 8, 4)
    yield "gray-alpha16.png", png(wide[..., :2], 16, 4)
    yield "rgb8.png", saved(eight[..., :3], "PNG")
    yield "rgb8-trns.png", png(eight[..., :3], 8, 2, chunk(b"tRNS", struct.pack(">3H", *map(int, eight[3, 4, :3]))))
    yield "rgb16.png", png(wide[..., :3], 16, 2, interlace=True)
    yield "rgba8.png", saved(eight, "PNG")
    yield "rgba16.png", png(wide, 16, 6)
    gamma = chunk(b"gAMA", struct.pack(">I", 30000)) + chunk(b"sBIT", b"\3\3\3")
    yield "gamma.png", png(eight[..., :3], 8, 2, gamma)
    # A profile that is none, and unknown chunks.
    junk = chunk(b"iCCP", b"p\0\0" + zlib.compress(b"no profile")) + chunk(b"juNk", b"?")
    yield "bad-profile.png", png(eight[..., :3], 8, 2, junk, interlace=True)
    frames = [Image.fromarray(scene(20, 15, seed=s)) for s in (3, 4)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    yield "animated.png", file.getvalue()
    yield "tall.png", saved(scene(23, 61, seed=16, noise=30), "PNG")
    yield "one-pixel.png", saved(eight[:1, :1, :3], "PNG")


def patched(data, old, new):
    assert data.count(old) == 1, (old, data.count(old))
    return data.replace(old, new)


def without_segment(data, marker):
    at = data.index(marker)
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def jpeg_cases():
    color = scene(45, 35, seed=6)
    for name, subsampling in ("444", 0), ("422", 1), ("420", 2):
        yield f"color{name}.jpg", saved(color, "JPEG", quality=85, subsampling=subsampling)
        yield f"progressive{name}.jpg", saved(
            color, "JPEG", quality=80, subsampling=subsampling, progressive=True)
    yield "low-quality.jpg", saved(scene(64, 48, seed=7, noise=25), "JPEG", quality=8)
    yield "best-quality.jpg", saved(scene(41, 33, seed=8), "JPEG", quality=100)
    yield "restarts.jpg", saved(color, "JPEG", quality=90, restart_marker_blocks=2, optimize=True)
    yield "gray.jpg", saved(color[..., :1], "JPEG", quality=85)
    yield "gray-progressive.jpg", saved(color[..., :1], "JPEG", progressive=True)
    yield "rgb.jpg", saved(color, "JPEG", quality=85, keep_rgb=True)
    # The same blocks under another sampling: of 32 × 32 pixels there are equally many.
    square = scene(32, 32, seed=9)
    h2v1 = saved(square, "JPEG", quality=85, subsampling=1)
    yield "color440.jpg", patched(h2v1, b"\1\x21\0\2\x11\1\3\x11\1", b"\1\x12\0\2\x11\1\3\x11\1")
    h2v2 = saved(square, "JPEG", quality=85, subsampling=2)
    for name, factors in ("411", 0x41), ("441", 0x14):
        yield f"color{name}.jpg", patched(
            h2v2, b"\1\x22\0\2\x11\1\3\x11\1", bytes([1, factors, 0, 2, 0x11, 1, 3, 0x11, 1]))
    inks = scene(39, 31, 4, seed=10)
    cmyk = saved(inks, "JPEG", "CMYK", quality=85)
    yield "cmyk.jpg", cmyk
    yield "cmyk-progressive.jpg", saved(inks, "JPEG", "CMYK", quality=85, progressive=True)
    yield "cmyk-without-adobe.jpg", without_segment(cmyk, b"\xff\xee")
    at = cmyk.index(b"Adobe") + 11
    assert cmyk[at] == 0
    yield "ycck.jpg", cmyk[:at] + b"\2" + cmyk[at + 1 :]
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    plain = saved(color, "JPEG", quality=85, exif=exif)
    yield "turned.jpg", plain
    yield "stray-bytes.jpg", plain[:-2] + b"\0\1\2stray\xff\xd9more"
    yield "stray-before-table.jpg", plain.replace(b"\xff\xdb", b"\0\0stray\xff\xdb", 1)
    # A damaged block in the middle: libjpeg warns and goes on.
    middle = plain.index(b"\xff\xda") + 300
    yield "damaged-block.jpg", plain[:middle] + b"\xff\xd3" + plain[middle + 2 :]
    yield "one-pixel.jpg", saved(color[:1, :1], "JPEG")


def webp_cases():
    color, alpha = scene(43, 31, seed=11), scene(43, 31, 4, seed=12)
    yield "lossy.webp", saved(color, "WEBP", quality=80)
    yield "lossy-low.webp", saved(scene(64, 48, seed=13, noise=20), "WEBP", quality=10)
    yield "lossy-alpha.webp", saved(alpha, "WEBP", quality=80)
    yield "lossless.webp", saved(color, "WEBP", lossless=True)
    alpha[5:15, 5:25, 3] = 0
    yield "lossless-alpha.webp", saved(alpha, "WEBP", lossless=True, exact=True)
    yield "profile.webp", saved(color, "WEBP", quality=60, icc_profile=b"no profile")
    frames = [Image.fromarray(scene(30, 20, 4, seed=s)) for s in (14, 15)]
    for name, lossless in ("animated.webp", False), ("animated-lossless.webp", True):
        file = io.BytesIO()
        frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=lossless)
        yield name, file.getvalue()


def write_decoding_cases():
    lines = []
    for cases in png_cases(), jpeg_cases(), webp_cases():
        for name, data in cases:
            (HERE / name).write_bytes(data)
            pixels = np.array(Image.open(HERE / name).convert("RGB"))
            (EXPECTED / (name + ".rgb")).write_bytes(pixels.tobytes())
            lines.append(f"{name} {pixels.shape[1]} {pixels.shape[0]}")
    (HERE / "cases.txt").write_text("\n".join(lines) + "\n")


def write_preprocessing_cases():
    photos = {
        "landscape.jpg": saved(landscape(500, 375, 21), "JPEG", quality=88),
        "spheres.png": saved(spheres(300, 400, 22), "PNG", optimize=True),
    }
    EXAMPLES.mkdir(parents=True, exist_ok=True)
    for name, data in photos.items():
        (HERE / name).write_bytes(data)
        (EXAMPLES / name).write_bytes(data)
    lines = []
    for file, short, crop, interpolation in [
        ("landscape.jpg", 256, 224, "bilinear"),
        ("spheres.png", 256, 224, "bilinear"),
        ("landscape.jpg", 37, 32, "bilinear"),
        ("spheres.png", 41, 36, "bicubic"),
        ("landscape.jpg", 20, 29, "bicubic"),  # wider than the crop, and lower
        ("spheres.png", 16, 31, "bilinear"),  # padded on all sides
        ("rgb8.png", 48, 39, "bilinear"),  # enlarged
        ("rgb8.png", 45, 38, "bicubic"),
        ("rgb8.png", 29, 30, "bilinear"),  # not resized
        ("color420.jpg", 35, 34, "bicubic"),
        ("tall.png", 17, 15, "bilinear"),  # the height is resized first
        ("tall.png", 19, 18, "bicubic"),
        ("tall.png", 27, 26, "bicubic"),  # enlarged: the width is first
        ("one-pixel.png", 5, 4, "bicubic"),
    ]:
        resize_and_crop = transforms.Compose([
            transforms.Resize(short, InterpolationMode(interpolation)),
            transforms.CenterCrop(crop),
        ])
        normalize = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
        cropped = resize_and_crop(Image.open(HERE / file).convert("RGB"))
        values = normalize(cropped).numpy().ravel()
        step = 7 if crop < 100 else 331
        name = f"{pathlib.Path(file).stem}-{short}-{crop}-{interpolation}"
        cropped.save(EXPECTED / (name + ".png"), optimize=True)
        (EXPECTED / (name + ".f32")).write_bytes(values[::step].astype("<f4").tobytes())
        lines.append(f"{file} {short} {crop} {interpolation} {step}")
    (HERE / "preprocessing.txt").write_text("\n".join(lines) + "\n")


def main():
    EXPECTED.mkdir(exist_ok=True)
    write_decoding_cases()
    write_preprocessing_cases()
    libraries = ", ".join(f"{f} {features.version(f)}" for f in ("libjpeg_turbo", "zlib", "webp"))
    (HERE / "versions.txt").write_text(
        f"Python {sys.version.split()[0]}, NumPy {np.__version__}, Pillow {PIL.__version__} "
        f"({libraries}),\nPyTorch {torch.__version__.split('+')[0]}, "
        f"torchvision {torchvision.__version__.split('+')[0]}\n")


main()
