"""Weights and images computed from an integer hash, so that nothing large is ever committed.

`Sources/ApusTestSupport/HashedWeights.swift` computes the same numbers, bit for bit:

    state  = FNV-1a-64(UTF-8 of the path)
    z      = splitmix64 output number i (from 0) of a generator that starts at `state`
    u      = (z >> 40) / 2^24                                      in [0, 1), exact
    value  = float32(offset + scale * (2 u - 1))                   computed in float64

Offset and scale follow from the path's last word and the shape alone. They are chosen so that the
logits of two different images differ by more than a tenth in every torchvision ResNet: residual
branches stay weaker than the shortcuts (batch-norm weights below 1) and offsets stay small.

Sources: Fowler, Noll, Vo, "FNV hash"; Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014; He et al., "Delving deep into rectifiers", ICCV 2015, section 2.2.
"""

import numpy

from commandline import Parser, at_least, run, whole_file, write_array

# Amplitudes of the colour cells an image is made of, by the cells along one side (0: pixels).
# The first makes whole images differ, without which global average pooling makes them alike.
IMAGE_LEVELS = ((1, 2.0), (4, 0.5), (14, 0.25), (0, 0.125))


def uniform(path, count):
    """The first `count` numbers in [0, 1) that belong to a path, as float64."""
    state = 0xCBF29CE484222325
    for byte in path.encode():
        state = (state ^ byte) * 0x100000001B3 % 2**64
    z = numpy.arange(1, count + 1, dtype=numpy.uint64)
    z *= numpy.uint64(0x9E3779B97F4A7C15)  # arrays of uint64 wrap around silently
    z += numpy.uint64(state)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z ^= z >> numpy.uint64(31)
    return (z >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-24


def distribution(path, shape):
    """Offset and scale of a parameter's values."""
    if len(shape) >= 2:  # convolution [o, c, h, w] or linear [o, c]: He's uniform bound
        return 0.0, float(numpy.sqrt(6.0 / numpy.prod(shape[1:])))
    return {"weight": (0.5, 0.3), "running_var": (1.0, 0.3)}.get(
        path.rpartition(".")[2], (0.0, 0.02)
    )


def values(path, shape):
    """A parameter's values, float32."""
    offset, scale = distribution(path, shape)
    signed = 2.0 * uniform(path, int(numpy.prod(shape))) - 1.0
    return (offset + scale * signed).astype(numpy.float32).reshape(shape)


def images(batch, size):
    """Images [batch, 3, size, size], float32, as if normalised: colour cells, finer and finer."""
    pixels = numpy.zeros((batch, 3, size, size))
    for cells, amplitude in IMAGE_LEVELS:
        side = -(-size // cells) if cells else 1
        count = -(-size // side)
        colours = 2.0 * uniform(f"images.{cells}", batch * 3 * count * count) - 1.0
        grid = colours.reshape(batch, 3, count, count).repeat(side, 2).repeat(side, 3)
        pixels += amplitude * grid[:, :, :size, :size]
    return pixels.astype(numpy.float32)


def fill(network):
    """Replaces all weights of a PyTorch network by hashed ones."""
    import torch

    state = network.state_dict()
    for key, value in state.items():
        if value.is_floating_point():
            state[key] = torch.from_numpy(values(key, tuple(value.shape)))
    network.load_state_dict(state)
    return network


def write(path, state, legacy, wrap):
    """Writes a state dict as the name's ending says."""
    with whole_file(path) as temporary:
        if path.endswith(".safetensors"):
            import safetensors.torch

            safetensors.torch.save_file(state, temporary)
        else:
            import torch

            content = {"epoch": 1, "state_dict": state} if wrap else state
            torch.save(content, temporary, _use_new_zipfile_serialization=not legacy)


def main():
    parser = Parser(
        description="Write hashed weights of a network, or hashed images.",
        epilog="examples: weights.py resnet50 resnet50.safetensors · "
        "weights.py --input x.npy --batch 3 --size 224",
    )
    parser.add_argument("model", nargs="?", help="of torchvision, gallery.py or timm")
    parser.add_argument("output", nargs="?", help="the file to write: .pth, .pt or .safetensors")
    parser.add_argument("--legacy", action="store_true", help="the .pth format before PyTorch 1.6")
    parser.add_argument("--wrap", action="store_true", help='inside {"state_dict": …} (.pth only)')
    parser.add_argument("--module-prefix", action="store_true", help="'module.' before each name")
    parser.add_argument("--input", metavar="X.npy", help="write images instead: float32 NCHW")
    parser.add_argument("--batch", type=at_least(1), default=1, help="images to write")
    parser.add_argument("--size", type=at_least(1), default=224, help="their side in pixels")
    options = parser.parse_args()
    if options.input:
        if options.model or options.legacy or options.wrap or options.module_prefix:
            parser.error("--input writes images only; give --batch and --size, no model")
        return write_array(options.input, images(options.batch, options.size))
    if not options.output:
        parser.error("a model and the file to write are needed, or --input X.npy")
    if not options.output.endswith((".pth", ".pt", ".safetensors")):
        parser.error(f"the file must end in .pth, .pt or .safetensors, got '{options.output}'")
    if options.output.endswith(".safetensors") and (options.legacy or options.wrap):
        parser.error("--legacy and --wrap are of the .pth format")

    import networks

    state = fill(networks.build(options.model)).state_dict()
    prefix = "module." if options.module_prefix else ""
    state = {prefix + key: value for key, value in state.items()}
    write(options.output, state, options.legacy, options.wrap)


if __name__ == "__main__":
    run(main)
