"""The peer frameworks: each class loads, compiles and runs a network, and imports only its own.

`load` makes the network, `compile` prepares it for one input, `run` computes the logits. What
OpenVINO and ONNX Runtime execute is exported before, by a child process, so that no PyTorch
threads or memory are there while they are measured.
"""

import contextlib
import multiprocessing
import os
import shutil
import tempfile

from commandline import Failure


class Backend:
    """What the others share: the options and the input, float32 NCHW."""

    devices = ("cpu",)
    precisions = ("fp32",)

    def __init__(self, options, batch):
        self.options, self.batch = options, batch
        if options.device not in self.devices:
            raise Failure(f"{options.backend} runs on {', '.join(self.devices)} here, "
                          f"got '{options.device}'")
        if options.precision not in self.precisions:
            raise Failure(f"{options.backend} computes in {', '.join(self.precisions)} here, "
                          f"got '{options.precision}'")

    def export(self):
        pass

    def array(self, result):
        return result


class Torch(Backend):
    """PyTorch, each op as it comes, channels last."""

    channels_last = True
    devices = ("cpu", "cuda")
    precisions = ("fp32", "tf32", "bf16", "fp16")

    def load(self):
        import torch

        import networks

        self.torch, options = torch, self.options
        torch.set_num_threads(options.threads)
        if options.device == "cuda" and not torch.cuda.is_available():
            raise Failure("--device cuda: PyTorch sees no GPU")
        self.network = networks.build(options.model)
        if options.weights:
            networks.load(self.network, options.weights)
        self.input = torch.from_numpy(self.batch)
        self.move(torch)
        if self.channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
            self.input = self.input.to(memory_format=torch.channels_last)

    def move(self, torch):
        """Network and input to the device, in the precision asked for."""
        tf32 = self.options.precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = True  # it times its algorithms, as XLA does
        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(
            self.options.precision, torch.float32)
        self.network = self.network.to(self.options.device, dtype)
        self.input = self.input.to(self.options.device, dtype)

    def compile(self):
        pass

    def run(self):
        with self.torch.inference_mode():
            result = self.network(self.input)
        if self.options.device == "cuda":
            self.torch.cuda.synchronize()
        return result

    def array(self, result):
        return result.float().cpu().numpy()

    def version(self):
        return f"torch {self.torch.__version__}"


class TorchPlain(Torch):
    """PyTorch, each op as it comes, NCHW."""

    channels_last = False


class TorchScript(TorchPlain):
    """TorchScript, frozen and optimised for inference."""

    def compile(self):
        with self.torch.inference_mode():
            frozen = self.torch.jit.freeze(self.torch.jit.script(self.network))
            self.network = self.torch.jit.optimize_for_inference(frozen)


class TorchCompile(Torch):
    """torch.compile with frozen weights, channels last."""

    def compile(self):
        import torch._inductor.config

        torch._inductor.config.freezing = True
        # On a GPU, one CUDA graph instead of a launch for each kernel.
        mode = "reduce-overhead" if self.options.device == "cuda" else None
        self.network = torch.compile(self.network, mode=mode)
        self.run()  # it compiles at the first call


class Exported(Backend):
    """A network that a child process exports, into a folder that is removed once it is compiled
    or, with `--exports`, stays for the next process of the same network and shape."""

    def export(self):
        options, batch = self.options, self.batch
        self.cleanup = contextlib.ExitStack()
        folder = options.exports or self.cleanup.enter_context(tempfile.TemporaryDirectory())
        shape = "x".join(map(str, batch.shape))
        whole = os.path.join(folder, f"{options.model}-{shape}{self.ending}")
        self.path = os.path.join(whole, "network" + self.ending)
        if os.path.exists(whole):
            return
        # Files that another one names stay together; a folder that is there is complete.
        os.makedirs(folder, exist_ok=True)
        partial = tempfile.mkdtemp(dir=folder)
        context = multiprocessing.get_context("spawn")
        messages = context.SimpleQueue()
        path = os.path.join(partial, "network" + self.ending)
        given = (options.model, options.weights, batch.shape, path, messages)
        child = context.Process(target=export, args=given)
        child.start()
        child.join()
        message = None if messages.empty() else messages.get()
        if message or child.exitcode:
            self.cleanup.close()
            shutil.rmtree(partial, ignore_errors=True)
            raise Failure(message or f"the export of '{options.model}' failed, see above")
        os.rename(partial, whole)


class OpenVINO(Exported):
    """OpenVINO, float32, latency mode."""

    ending = ".xml"

    def load(self):
        import openvino

        self.openvino = openvino

    def compile(self):
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.options.threads,
        }
        compiled = self.openvino.Core().compile_model(self.path, "CPU", settings)
        self.request = compiled.create_infer_request()
        self.request.set_input_tensor(self.openvino.Tensor(self.batch, shared_memory=True))
        self.cleanup.close()

    def run(self):
        self.request.infer()
        return self.request.get_output_tensor().data

    def version(self):
        return f"openvino {self.openvino.__version__}"


class ONNXRuntime(Exported):
    """ONNX Runtime, its CPU provider."""

    ending = ".onnx"

    def load(self):
        import onnxruntime

        self.onnxruntime = onnxruntime

    def compile(self):
        settings = self.onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self.options.threads
        self.session = self.onnxruntime.InferenceSession(
            self.path, settings, providers=["CPUExecutionProvider"]
        )
        self.name = self.session.get_inputs()[0].name
        self.cleanup.close()

    def run(self):
        return self.session.run(None, {self.name: self.batch})[0]

    def version(self):
        return f"onnxruntime {self.onnxruntime.__version__}"


class Flax(Backend):
    """Flax on JAX: torchvision's ResNets written again, NHWC, one compiled program."""

    devices = ("cpu", "cuda")
    precisions = ("fp32", "tf32", "bf16", "fp16")

    def load(self):
        if self.options.device == "cpu":
            # XLA makes as many threads as there are processors to run on.
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.options.threads])
        os.environ["JAX_PLATFORMS"] = self.options.device
        import jax

        import flax_resnet

        self.jax = jax
        try:
            jax.devices()
        except (RuntimeError, AssertionError) as error:
            raise Failure(f"--device {self.options.device}: JAX has none; {error}".rstrip("; "))
        if self.options.precision == "fp32":
            jax.config.update("jax_default_matmul_precision", "highest")
        dtype = {"bf16": "bfloat16", "fp16": "float16"}.get(self.options.precision, "float32")
        self.input = jax.numpy.asarray(self.batch.transpose(0, 2, 3, 1), dtype)
        self.network, self.variables = flax_resnet.load(
            self.options.model, self.options.weights, self.input
        )
        self.variables = jax.tree.map(lambda each: each.astype(dtype), self.variables)

    def compile(self):
        forward = self.jax.jit(self.network.apply)
        self.program = forward.lower(self.variables, self.input).compile()

    def run(self):
        return self.program(self.variables, self.input).block_until_ready()

    def array(self, result):
        return self.jax.device_get(result.astype("float32"))

    def version(self):
        import flax

        return f"flax {flax.__version__}, jax {self.jax.__version__}"


def export(model, weights, shape, path, messages):
    """Writes the network as OpenVINO's or ONNX's file; runs in the child process."""
    import torch

    import networks

    try:
        network = networks.build(model)
        if weights:
            networks.load(network, weights)
        example = torch.zeros(shape)
        if path.endswith(".onnx"):
            # The exporter that needs no further package; newer ones write the same ResNet.
            torch.onnx.export(network, example, path, dynamo=False)
        else:
            import openvino

            converted = openvino.convert_model(network, example_input=example)
            converted.reshape(list(shape))
            openvino.save_model(converted, path, compress_to_fp16=False)
    except (Failure, OSError) as error:
        messages.put(str(error))


BACKENDS = {
    "torch-eager": Torch,
    "torch-eager-nchw": TorchPlain,
    "torch-script": TorchScript,
    "torch-compile": TorchCompile,
    "openvino": OpenVINO,
    "onnxruntime": ONNXRuntime,
    "flax": Flax,
}
