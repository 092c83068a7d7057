import ApusIR
import ApusModels
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

/// A network with its options, and what an independent definition of it says
/// (`Fixtures/make_zoo.py`).
struct NetworkRow: Sendable, CustomTestStringConvertible {
  /// The start of the fixtures' names.
  let name: String
  let model: String
  private(set) var options: NetworkOptions
  let parameterCount: Int
  /// Whether there are logits for images of 193×257 pixels.
  let takesOddSize: Bool
  /// Whether the weights of normalisations are twice the hashed ones; without shortcuts the image
  /// would fade away behind the biases.
  let doublesNorms: Bool
  /// The side of images that the reference evaluator can afford.
  let reducedSize: Int

  init(
    _ name: String, of model: String? = nil, _ options: NetworkOptions = NetworkOptions(),
    parameters: Int, odd: Bool = true, doublesNorms: Bool = false, reduced: Int
  ) {
    self.name = name
    self.model = model ?? name
    self.options = options
    parameterCount = parameters
    takesOddSize = odd
    self.doublesNorms = doublesNorms
    reducedSize = reduced
  }

  var testDescription: String { name }

  var definition: Model {
    get throws { try #require(Catalogue.zoo[model]) }
  }

  func withCutHead() -> NetworkRow {
    var row = self
    row.options.head = .cut
    return row
  }

  func graph(images: Shape) throws -> Graph { try definition.graph(images: images, options) }

  func graph() throws -> Graph { try definition.graph(batch: 1, options) }

  /// Every parameter, hashed from its path.
  func weights() throws -> ParameterStore {
    var store = ParameterStore()
    for (input, _) in try graph().inputs {
      if let path = input.path {
        let values = HashedWeights.tensor(path: path, shape: input.type.shape)
        let doubles = doublesNorms && path.hasSuffix("weight") && values.shape.rank == 1
        store[path] = doubles ? HostTensor(values.shape, values.floats.map { 2 * $0 }) : values
      }
    }
    return store
  }

  /// The upper left part of hashed images, with the network's number of channels.
  func images(batch: Int, height: Int, width: Int) throws -> HostTensor {
    let channels = try definition.input.channels
    let size = max(height, width)
    let values = HashedWeights.images(batch: batch, size: size).floats
    var pixels: [Float] = []
    for image in 0..<batch {
      for channel in 0..<channels {
        for row in 0..<height {
          let start = ((image * 3 + channel) * size + row) * size
          pixels += values[start..<start + width]
        }
      }
    }
    return HostTensor([batch, channels, height, width], pixels)
  }

  /// The logits of one image, `suffix` being `b1` or a size.
  func expectedLogits(_ suffix: String) throws -> HostTensor {
    try NumPyFile.read(fixture("logits/\(name)-\(suffix).npy"))
  }

  func expectedParameters() throws -> [String] {
    try String(contentsOfFile: fixture("parameters/\(name).txt"), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  private func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: nil))
  }
}

/// Runs a graph once.
func logits(
  _ graph: Graph, _ images: HostTensor, _ parameters: PreparedParameters, on backend: any Backend
) throws -> HostTensor {
  try backend.compile(graph, parameters).makeExecution().run([images])[0]
}

/// The first image's logits.
func firstRow(_ logits: HostTensor) -> HostTensor {
  HostTensor([1, logits.shape[1]], Array(logits.floats.prefix(logits.shape[1])))
}
