"""Networks by torchvision's names, timm's (`timm:resnet50`) and gallery.py's; their weights."""

import difflib
import warnings

from commandline import Failure


def build(name):
    """Makes the network in evaluation mode, with the weights its constructor draws.

    Names of torchvision come first, then the definitions of gallery.py, then timm's.
    """
    warnings.filterwarnings("ignore")
    import torchvision.models

    from gallery import DEFINITIONS, EXAMPLES

    here = torchvision.models.list_models(module=torchvision.models)
    if name in here:
        return torchvision.models.get_model(name).eval()
    if name in DEFINITIONS or name in EXAMPLES:
        return {**DEFINITIONS, **EXAMPLES}[name]().eval()
    import timm

    there = timm.list_models()
    if name.removeprefix("timm:") in there:
        return timm.create_model(name.removeprefix("timm:")).eval()
    known = [*here, *DEFINITIONS, *EXAMPLES, *("timm:" + each for each in there)]
    close = difflib.get_close_matches(name, known, 1)
    raise Failure(
        f"model '{name}' is not known" + (f"; did you mean {close[0]}?" if close else ""))


def channels(name):
    """Of its images."""
    from gallery import EXAMPLES

    return EXAMPLES[name].channels if name in EXAMPLES else 3


def load(network, path):
    """Replaces the network's weights by those of a .safetensors, .pth or .pt file."""
    state = read(path)
    missing, unexpected = [], []
    own = network.state_dict()
    for key, value in own.items():
        if key in state:
            if state[key].shape != value.shape:
                given, wanted = list(state[key].shape), list(value.shape)
                raise Failure(f"{path}: {key}: must be {wanted}, got {given}")
        elif not key.endswith("num_batches_tracked"):
            missing.append(key)
    unexpected = [key for key in state if key not in own]
    for what, keys in (("lacks", missing), ("has the unexpected", unexpected)):
        if keys:
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            raise Failure(f"{path}: {what} {', '.join(keys[:3])}{more}")
    network.load_state_dict(state, strict=False)


def read(path):
    """Reads a state dict, also from inside {"state_dict": …} and with `module.` before each key."""
    if path.endswith(".safetensors"):
        import safetensors
        import safetensors.torch

        try:
            state = safetensors.torch.load_file(path)
        except safetensors.SafetensorError as error:
            raise Failure(f"{path}: not a safetensors file: {error}")
    elif path.endswith((".pth", ".pt")):
        import torch

        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except OSError:
            raise
        except Exception as error:  # torch raises many types for a broken file
            raise Failure(f"{path}: not a PyTorch state dict: {str(error).splitlines()[0]}")
    else:
        raise Failure(f"{path}: weights must be .safetensors, .pth or .pt")
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(hasattr(value, "shape") for value in state.values()):
        raise Failure(f"{path}: must hold a state dict: names and tensors")
    return {key.removeprefix("module."): value for key, value in state.items()}
