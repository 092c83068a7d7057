/// DenseNet's keys before torchvision 0.2.1: `denselayer1.norm.1` is now `denselayer1.norm1`.
enum DenseNetSpelling {
  static func current(_ name: String) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let layer = parts.firstIndex(where: { $0.hasPrefix("denselayer") }),
      layer + 2 < parts.count, ["norm", "conv"].contains(parts[layer + 1]),
      ["1", "2"].contains(parts[layer + 2])
    else { return name }
    parts[layer + 1] += parts.remove(at: layer + 2)
    return parts.joined(separator: ".")
  }
}

/// MXNet's names: underscores for dots, four names of its own for batch normalisation, and in files
/// of symbols a prefix that tells parameters from states.
enum MXNetSpelling {
  private static let ofNormalization = [
    "weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_var",
  ]

  /// The name in a file of a symbol.
  ///
  /// - Parameter known: the network's paths, which tell normalisations from other layers.
  static func name(_ path: String, hasStatistics known: Set<String>) -> String {
    guard let dot = path.lastIndex(of: ".") else { return "arg:" + path }
    let (layer, last) = (path[..<dot], String(path[path.index(after: dot)...]))
    let isNormalization = known.contains(layer + ".running_mean")
    let own = isNormalization ? ofNormalization[last] ?? last : last
    let prefix = last.hasPrefix("running_") ? "aux:" : "arg:"
    return prefix + layer.replacing(".", with: "_") + "_" + own
  }

  /// The same for a path, a name in a file of a symbol and one in a file of a Gluon block.
  static func key(_ name: String) -> String {
    var key = name.replacing(".", with: "_")
    for prefix in ["arg:", "aux:"] where key.hasPrefix(prefix) {
      key.removeFirst(prefix.count)
    }
    for (ours, theirs) in ofNormalization where key.hasSuffix("_" + theirs) {
      return key.dropLast(theirs.count) + ours
    }
    return key
  }
}

/// EfficientNet, whose paths are timm's.
struct EfficientNetSpelling {
  private let stages: Int
  private let known: Set<String>

  /// `nil` for other networks.
  init?(_ paths: Set<String>) {
    guard paths.contains("conv_stem.weight"), paths.contains("blocks.0.0.se.conv_reduce.weight")
    else { return nil }
    known = paths
    stages = paths.count { $0.hasSuffix(".0.conv_dw.weight") }
  }

  /// torchvision's name.
  func torchvision(_ path: String) -> String {
    let parts = path.split(separator: ".").map(String.init)
    guard let last = parts.last else { return path }
    let layer =
      switch parts[0] {
      case "conv_stem": "features.0.0"
      case "bn1": "features.0.1"
      case "conv_head": "features.\(stages + 1).0"
      case "bn2": "features.\(stages + 1).1"
      case "classifier": "classifier.1"
      default: block(parts.dropLast()) ?? parts.dropLast().joined(separator: ".")
      }
    return "\(layer).\(last)"
  }

  /// `blocks.s.b.layer`: torchvision numbers the layers of a block and counts the stem as a stage.
  private func block(_ parts: ArraySlice<String>) -> String? {
    guard parts.count > 3, parts[0] == "blocks", let stage = Int(parts[1]) else { return nil }
    // Blocks of the first stage do not expand: their 1×1 convolution is the projection.
    let expands = known.contains("blocks.\(stage).\(parts[2]).conv_pwl.weight")
    let order =
      expands
      ? ["conv_pw", "bn1", "conv_dw", "bn2", "se", "", "conv_pwl", "bn3"]
      : ["conv_dw", "bn1", "se", "", "conv_pw", "bn2"]
    guard let index = order.firstIndex(of: parts[3]) else { return nil }
    let inner: String
    if parts[3] == "se" {
      guard parts.count == 5 else { return nil }
      inner = parts[4] == "conv_reduce" ? "fc1" : "fc2"
    } else {
      inner = "\(index % 2)"
    }
    return "features.\(stage + 1).\(parts[2]).block.\(index / 2).\(inner)"
  }
}

/// VGG, whose paths are torchvision's: the positions in a chain of layers.
struct VGGSpelling {
  private var layers: [String: String] = [:]

  /// `nil` for other networks and for the variant with batch normalisation, which Caffe has not.
  init?(_ paths: Set<String>) {
    let positions = paths.compactMap { path -> Int? in
      let parts = path.split(separator: ".")
      return parts.count == 3 && parts[0] == "features" && parts[2] == "weight"
        ? Int(parts[1]) : nil
    }.sorted()
    guard positions.first == 0,
      ["0", "3", "6"].allSatisfy({ number in
        paths.contains("classifier.\(number).weight")
      })
    else { return nil }
    var (stage, number) = (1, 0)
    var previous: Int?
    for position in positions {
      // A convolution and its activation take two places, a pooling between them a third.
      switch position - (previous ?? -2) {
      case 2: number += 1
      case 3: (stage, number) = (stage + 1, 1)
      default: return nil
      }
      layers["features.\(position)"] = "conv\(stage)_\(number)"
      previous = position
    }
    for (position, number) in [(0, 6), (3, 7), (6, 8)] {
      layers["classifier.\(position)"] = "fc\(number)"
    }
  }

  /// Caffe's name of the layer: `conv3_1.weight`, `fc6.bias`.
  func caffe(_ path: String) -> String {
    guard let dot = path.lastIndex(of: "."), let layer = layers[String(path[..<dot])] else {
      return path
    }
    return layer + path[dot...]
  }
}
