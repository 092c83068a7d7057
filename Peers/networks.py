"""Networks of torchvision (`resnet50`) and timm (`timm:resnet50`), and reading their weights."""

import difflib
import warnings

from commandline import Failure


def build(name):
    """Makes the network in evaluation mode, with the weights its constructor draws."""
    warnings.filterwarnings("ignore")
    if name.startswith("timm:"):
        import timm

        if name[5:] not in timm.list_models():
            raise Failure(unknown(name, ["timm:" + each for each in timm.list_models()]))
        return timm.create_model(name[5:]).eval()
    import torchvision.models

    if name not in torchvision.models.list_models(module=torchvision.models):
        names = torchvision.models.list_models(module=torchvision.models)
        raise Failure(unknown(name, names))
    return torchvision.models.get_model(name).eval()


def unknown(name, names):
    close = difflib.get_close_matches(name, names, 1)
    return f"model '{name}' is not known" + (f"; did you mean {close[0]}?" if close else "")


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
