/// What somebody calls the layers of a network; layers that are not named have their own paths.
struct Spelling {
  /// Names by path, both without the parameter's own name: `features.0` is `conv1_1`.
  var layers: [String: String] = [:]
  /// The kernels' sides of layers (by path) that are fully connected here and convolutions there.
  var kernels: [String: Int] = [:]

  /// The spellings of a naming for the network with these paths, first the one that is written.
  ///
  /// - Parameter names: of a file to be read, which may begin with a prefix of its own.
  static func all(
    of naming: WeightMap.Naming, paths: Set<String>, names: [String] = []
  ) -> [Spelling] {
    switch naming {
    case .torchvision: return [efficientNetOfTorchvision(paths) ?? Spelling()]
    case .timm: return [mobileNetOfTimm(paths) ?? vggOfTimm(paths) ?? Spelling()]
    case .mxnet:
      guard let chain = LayerChain(paths) else { return [Spelling()] }
      let prefix = names.lazy.compactMap(MXNetSpelling.prefixOfFirstLayer).first
      return [chain.caffe, chain.gluonBlocks, chain.gluonNumbers(prefix: prefix ?? "")]
    }
  }

  /// A path with its layer's name.
  func respelled(_ path: String) -> String {
    guard let dot = path.lastIndex(of: "."), let layer = layers[String(path[..<dot])] else {
      return path
    }
    return layer + path[dot...]
  }
}

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
  /// - Parameters:
  ///   - name: the path as the symbol's author spells it.
  ///   - known: the network's paths, which tell normalisations from other layers.
  static func name(_ name: String, of path: String, among known: Set<String>) -> String {
    guard let dot = name.lastIndex(of: ".") else { return "arg:" + name }
    let (layer, last) = (name[..<dot], String(name[name.index(after: dot)...]))
    let isNormalization = known.contains(path.dropLast(last.count) + "running_mean")
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

  /// What precedes `conv0_weight`, such as `vgg0_`, or `nil` for other names.
  static func prefixOfFirstLayer(_ name: String) -> String? {
    let (key, first) = (key(name), "conv0_weight")
    return key.hasSuffix(first) ? String(key.dropLast(first.count)) : nil
  }
}
