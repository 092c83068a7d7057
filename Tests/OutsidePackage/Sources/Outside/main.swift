import Apus
import ApusCommands
import ApusOneDNN
import Foundation

struct Tiny: Layer {
  let conv: Conv2D
  let fc: Linear

  init(_ scope: Scope, classes: Int) {
    conv = Conv2D(scope["conv"], 3, 16, kernel: 3)
    fc = Linear(scope["fc"], 16, classes)
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try fc(globalAveragePool(relu(conv(x))))
  }
}

func graph(batch: Int) throws -> Graph {
  try trace { scope in
    let images = scope.argument("images", .float32, [batch, 3, 32, 32])
    return ["logits": try Tiny(scope, classes: 10)(images)]
  }
}

/// With arguments, the command line for the zoo and this network.
if CommandLine.arguments.count > 1 {
  let tiny = Model("tiny", source: "this file", input: ImageInput(size: 32)) { scope, options in
    Tiny(scope, classes: options.classes)
  }
  ApusCommand.main(Catalogue(Catalogue.zoo.models + [tiny]))
}

let session = Session(
  OneDNNBackend(), ParameterStore(initializing: try graph(batch: 1)), graph: graph)
let images = HostTensor([2, 3, 32, 32], [Float](repeating: 0.5, count: 2 * 3 * 32 * 32))
guard let logits = try session.run(["images": images], batch: 2)["logits"],
  logits.shape == [2, 10], logits.floats.allSatisfy(\.isFinite)
else {
  print("a network of one's own must give finite logits")
  exit(1)
}
print(logits.floats)
