import Apus
import ApusBench

/// What is known of a network before it has weights; counts are of one image.
struct ModelSummary: Encodable {
  struct Layer: Encodable {
    let path: String
    let ops: [String]
    let shape: [Int]
    let parameters: Int
    let macs: Int
  }

  let name: String
  let parameters: Int
  let macs: Int
  let macsByOp: [String: Int]
  /// Values that convolutions and matrix products write, as timm counts them.
  let activations: Int
  /// Parameters and batch-norm statistics in `float32`.
  let weightBytes: Int
  let imageSize: Int
  let channels: Int
  let interpolation: String
  /// The part of a resized picture's short side that is cropped.
  let cropFraction: Double
  /// Per channel, of pixels in 0...1.
  let mean, std: [Double]
  let classes: Int
  let options: [String]
  let source: String
  let layers: [Layer]?

  enum CodingKeys: String, CodingKey {
    case name, parameters, macs
    case macsByOp = "macs_by_op"
    case activations
    case weightBytes = "weight_bytes"
    case imageSize = "image_size"
    case channels, interpolation
    case cropFraction = "crop_fraction"
    case mean, std, classes, options, source, layers
  }

  /// The shape of one image.
  var input: String { "\(channels)×\(imageSize)×\(imageSize)" }

  /// - Parameter definition: options with the network's own number of classes.
  init(_ model: Model, _ definition: NetworkOptions, layers showsLayers: Bool) throws {
    let graph = try model.graph(batch: 1, definition)
    name = model.name
    parameters = graph.parameterCount
    macs = graph.macs
    var macsByOp: [String: Int] = [:]
    var activations = 0
    for node in graph.nodes {
      let results = node.results.map { graph[$0] }
      let macs = node.op.macs(node.operands.map { graph[$0] }, results)
      guard macs > 0 else { continue }
      macsByOp[node.op.name, default: 0] += macs
      activations += results[0].elementCount
    }
    self.macsByOp = macsByOp
    self.activations = activations
    weightBytes = graph.inputs.reduce(0) { sum, entry in
      entry.input.path == nil ? sum : sum + entry.input.type.sizeInBytes
    }
    imageSize = model.input.size
    channels = model.input.channels
    interpolation = model.input.interpolation.rawValue
    cropFraction = model.input.cropFraction
    mean = model.input.mean
    std = model.input.standardDeviation
    classes = definition.classes
    options = model.options.map(\.rawValue).sorted()
    source = model.source
    layers =
      !showsLayers
      ? nil
      : graph.layers.map { layer in
        Layer(
          path: layer.path, ops: layer.ops, shape: layer.result.shape.extents,
          parameters: layer.parameters, macs: layer.macs)
      }
  }

  func layerTable() -> String {
    var table = Table([
      .words("layer"), .words("ops"), .words("result"), .numbers("parameters"), .numbers("MACs"),
    ])
    for layer in layers ?? [] {
      table.add([
        "\(layer.path)", "\(layer.ops.joined(separator: " "))", "\(Shape(layer.shape))",
        layer.parameters == 0 ? "" : .count(layer.parameters),
        layer.macs == 0 ? "" : "\(HumanNumber.scaled(Double(layer.macs)))",
      ])
    }
    return "\(name)\n" + table.plain()
      + "total: \(HumanNumber.count(parameters)) parameters, "
      + "\(HumanNumber.scaled(Double(macs))) MACs\n"
  }
}
