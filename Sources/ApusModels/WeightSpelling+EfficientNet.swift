extension Spelling {
  /// torchvision's names of EfficientNet, whose paths are timm's; `nil` for other networks.
  static func efficientNetOfTorchvision(_ paths: Set<String>) -> Spelling? {
    guard paths.contains("conv_stem.weight"), paths.contains("blocks.0.0.se.conv_reduce.weight")
    else { return nil }
    let stages = paths.count { $0.hasSuffix(".0.conv_dw.weight") }
    var spelling = Spelling(layers: [
      "conv_stem": "features.0.0", "bn1": "features.0.1",
      "conv_head": "features.\(stages + 1).0", "bn2": "features.\(stages + 1).1",
      "classifier": "classifier.1",
    ])
    for path in paths where path.hasPrefix("blocks.") {
      let parts = path.split(separator: ".").dropLast().map(String.init)
      // Blocks of the first stage do not expand: their 1×1 convolution is the projection.
      let expands = paths.contains("blocks.\(parts[1]).\(parts[2]).conv_pwl.weight")
      spelling.layers[parts.joined(separator: ".")] = block(parts, expands: expands)
    }
    return spelling
  }

  /// `blocks.s.b.layer`: torchvision numbers the layers of a block and counts the stem as a stage.
  private static func block(_ parts: [String], expands: Bool) -> String? {
    let order =
      expands
      ? ["conv_pw", "bn1", "conv_dw", "bn2", "se", "", "conv_pwl", "bn3"]
      : ["conv_dw", "bn1", "se", "", "conv_pw", "bn2"]
    guard let stage = Int(parts[1]), let index = order.firstIndex(of: parts[3]) else { return nil }
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
