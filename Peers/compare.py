"""Compares two .npy files of logits, for instance Apus's and PyTorch's."""

from commandline import Failure, Parser, at_least, read_array, run


def main():
    parser = Parser(
        description="Compare logits [n, k]: the largest absolute difference relative to the "
        "largest |logit| of A, and how many rows have the same top class. Exit code 1 when they "
        "differ by more than the tolerance.",
    )
    parser.add_argument("a", metavar="A.npy", help="the reference")
    parser.add_argument("b", metavar="B.npy", help="what is compared with it")
    tolerance = at_least(0, float)
    help_text = "of the largest |logit|"
    parser.add_argument("--tolerance", type=tolerance, default=1e-4, help=help_text)
    options = parser.parse_args()

    import numpy

    a, b = (read_array(path).astype(numpy.float64) for path in (options.a, options.b))
    if a.shape != b.shape or a.ndim != 2 or a.size == 0:
        shapes = f"{list(a.shape)} and {list(b.shape)}"
        raise Failure(f"both files must hold logits [n, k] of one shape, got {shapes}")
    for path, values in ((options.a, a), (options.b, b)):
        if not numpy.isfinite(values).all():
            raise Failure(f"{path}: must hold finite numbers only")
    absolute, largest = numpy.abs(a - b).max(), numpy.abs(a).max()
    relative = absolute / largest if absolute else 0.0
    same = int((a.argmax(1) == b.argmax(1)).sum())
    print(f"largest difference {absolute:.3g}, {relative:.3g} of the largest logit {largest:.4g}")
    print(f"same top class in {same} of {len(a)}")
    if relative > options.tolerance:
        raise Failure(f"differs by more than {options.tolerance:g} of the largest logit")


if __name__ == "__main__":
    run(main)
