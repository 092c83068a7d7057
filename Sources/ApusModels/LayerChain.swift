/// The layers of VGG, AlexNet and SqueezeNet, which torchvision, timm, Caffe and Gluon number each
/// in a way of their own.
///
/// Sources: BVLC's and the SqueezeNet authors' prototxt files, whose names MXNet's converter keeps
/// but for `-` and `/`, which become `_`; MXNet's `symbols/vgg.py`; `gluon/model_zoo/vision`.
struct LayerChain {
  private enum Kind: String { case conv, batchnorm, dense }

  private struct Layer {
    let kind: Kind
    let path: String
    let caffe: String
    /// The place among a Gluon network's blocks.
    let block: String

    init(_ kind: Kind, _ path: String, caffe: String, block: String? = nil) {
      self.kind = kind
      self.path = path
      self.caffe = caffe
      self.block = block ?? path
    }
  }

  private var layers: [Layer] = []

  /// `nil` for other networks.
  init?(_ paths: Set<String>) {
    let positions = paths.compactMap { path -> Int? in
      let parts = path.split(separator: ".")
      return parts.count == 3 && parts[0] == "features" && parts[2] == "weight"
        ? Int(parts[1]) : nil
    }.sorted()
    if paths.contains("features.3.squeeze.weight") {
      squeezeNet(paths)
    } else if positions == [0, 3, 6, 8, 10] {
      alexNet(positions)
    } else if !vgg(positions, paths) {
      return nil
    }
    // A cut head has none of these.
    layers.removeAll { !paths.contains("\($0.path).weight") }
  }

  /// Caffe's names, and the normalisations' that MXNet gives to VGG's.
  var caffe: Spelling {
    Spelling(layers: Dictionary(uniqueKeysWithValues: layers.map { ($0.path, $0.caffe) }))
  }

  /// The names in a file that `save_parameters` of a Gluon network writes.
  var gluonBlocks: Spelling {
    Spelling(layers: Dictionary(uniqueKeysWithValues: layers.map { ($0.path, $0.block) }))
  }

  /// The names in a file that `export` and the older `save_params` write: each kind is numbered.
  func gluonNumbers(prefix: String) -> Spelling {
    var (spelling, counts) = (Spelling(), [Kind: Int]())
    for layer in layers {
      spelling.layers[layer.path] =
        "\(prefix)\(layer.kind.rawValue)\(counts[layer.kind, default: 0])"
      counts[layer.kind, default: 0] += 1
    }
    return spelling
  }

  private mutating func squeezeNet(_ paths: Set<String>) {
    layers = [Layer(.conv, "features.0", caffe: "conv1")]
    let positions = (1..<20).filter { paths.contains("features.\($0).squeeze.weight") }
    for (number, position) in positions.enumerated() {
      let (place, fire) = ("features.\(position)", "fire\(number + 2)")
      for (part, name, block) in [
        ("squeeze", "squeeze1x1", "0.0"), ("expand1x1", "expand1x1", "1.0.0"),
        ("expand3x3", "expand3x3", "1.1.0"),
      ] {
        layers.append(
          Layer(
            .conv, "\(place).\(part)", caffe: "\(fire)_\(name)", block: "\(place).\(block)"))
      }
    }
    layers.append(Layer(.conv, "classifier.1", caffe: "conv10", block: "output.0"))
  }

  private mutating func alexNet(_ positions: [Int]) {
    // Gluon's convolutions contain their activation.
    for (index, (position, block)) in zip(positions, [0, 2, 4, 5, 6]).enumerated() {
      layers.append(
        Layer(
          .conv, "features.\(position)", caffe: "conv\(index + 1)", block: "features.\(block)"))
    }
    classifier([1, 4, 6], after: 9)
  }

  /// False where the positions of the chain's layers with weights are not VGG's.
  private mutating func vgg(_ positions: [Int], _ paths: Set<String>) -> Bool {
    guard positions.first == 0 else { return false }
    let normalizes = paths.contains("features.1.running_mean")
    let unit = normalizes ? 3 : 2  // a convolution, its normalisation and its activation
    var (stage, number, expected) = (1, 0, 0)
    for position in positions where !paths.contains("features.\(position).running_mean") {
      switch position - expected {
      case 0: number += 1
      case 1: (stage, number) = (stage + 1, 1)  // after a pooling
      default: return false
      }
      layers.append(Layer(.conv, "features.\(position)", caffe: "conv\(stage)_\(number)"))
      if normalizes {
        layers.append(Layer(.batchnorm, "features.\(position + 1)", caffe: "bn\(stage)_\(number)"))
      }
      expected = position + unit
    }
    classifier([0, 3, 6], after: expected + 1)
    return true
  }

  /// Three fully connected layers; a dropout follows each of the first two.
  private mutating func classifier(_ positions: [Int], after block: Int) {
    let blocks = ["features.\(block)", "features.\(block + 2)", "output"]
    for (index, (position, block)) in zip(positions, blocks).enumerated() {
      layers.append(
        Layer(.dense, "classifier.\(position)", caffe: "fc\(index + 6)", block: block))
    }
  }
}

extension Spelling {
  /// timm's names of VGG, whose first two fully connected layers are convolutions there; `nil` for
  /// other networks.
  static func vggOfTimm(_ paths: Set<String>) -> Spelling? {
    let layers = ["features.0", "classifier.0", "classifier.3", "classifier.6"]
    guard layers.allSatisfy({ paths.contains("\($0).weight") }) else { return nil }
    return Spelling(
      layers: [
        "classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2",
        "classifier.6": "head.fc",
      ], kernels: ["classifier.0": 7, "classifier.3": 1])
  }
}
