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
  /// Whose names the fixtures' parameters have; their values are hashed from these.
  let naming: WeightMap.Naming
  private(set) var options: NetworkOptions
  let parameterCount: Int
  /// Whether there are logits for images of 193×257 pixels.
  let takesOddSize: Bool
  /// What the hashed weights of normalisations are multiplied by; without shortcuts the image would
  /// fade away behind the biases.
  let normFactor: Float
  /// The side of images that the reference evaluator can afford.
  let reducedSize: Int

  init(
    _ name: String, of model: String? = nil, _ options: NetworkOptions = NetworkOptions(),
    naming: WeightMap.Naming = .torchvision, parameters: Int, odd: Bool = true,
    normFactor: Float = 1, reduced: Int
  ) {
    self.name = name
    self.model = model ?? name
    self.naming = naming
    self.options = options
    parameterCount = parameters
    takesOddSize = odd
    self.normFactor = normFactor
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

  /// Every parameter as the fixtures have it: its path here, name and shape there.
  func parameters() throws -> [(path: String, name: String, shape: Shape)] {
    let parameters = try graph().inputs.compactMap { input, _ in
      input.path.map { ($0, input.type.shape) }
    }
    let map = WeightMap(naming, paths: parameters.map(\.0))
    return parameters.map { path, shape in
      (path, map.name(of: path), map.shape(shape, of: path))
    }
  }

  /// Every parameter, hashed from its name.
  func weights() throws -> ParameterStore {
    let types = try graph().inputs.compactMap { input, _ in input.path == nil ? nil : input.type }
    var store = ParameterStore()
    for (parameter, type) in zip(try parameters(), types) {
      let values = HashedWeights.tensor(path: parameter.name, shape: parameter.shape)
      let isNorm = parameter.name.hasSuffix("weight") && parameter.shape.rank == 1
      let scaled =
        isNorm ? HostTensor(values.shape, values.floats.map { normFactor * $0 }) : values
      store[parameter.path] = scaled.reshaped(to: type.shape)
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
