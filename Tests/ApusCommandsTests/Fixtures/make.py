"""Writes what torchvision's resnet18 with hashed weights says of the pictures in Examples/.

    NAME-224.npy    float32 [1, 1000], torchvision's evaluation preprocessing, 224 pixels
    NAME-96.npy     the same at 96 pixels (110 before the crop)
    versions.txt    what wrote them
"""

import pathlib
import platform
import sys

import numpy
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "Peers"))
import networks  # noqa: E402
import weights  # noqa: E402

PICTURES = ("landscape.jpg", "spheres.png")
SIZES = {224: 256, 96: 110}  # crop: short side before it

network = weights.fill(networks.build("resnet18"))
for name in PICTURES:
    picture = Image.open(folder.parents[2] / "Examples" / "pictures" / name).convert("RGB")
    for crop, short_side in SIZES.items():
        preprocessing = transforms.Compose(
            [
                transforms.Resize(short_side),
                transforms.CenterCrop(crop),
                transforms.ToTensor(),
                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        )
        with torch.inference_mode():
            logits = network(preprocessing(picture)[None]).numpy()
        numpy.save(folder / f"{pathlib.Path(name).stem}-{crop}.npy", logits)

(folder / "versions.txt").write_text(
    f"Python {platform.python_version()}\nnumpy {numpy.__version__}\nPillow {PIL.__version__}\n"
    f"torch {torch.__version__}\ntorchvision {torchvision.__version__}\n"
)
