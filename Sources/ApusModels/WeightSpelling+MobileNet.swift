extension Spelling {
  /// timm's names of the MobileNets, whose paths are torchvision's; `nil` for other networks.
  static func mobileNetOfTimm(_ paths: Set<String>) -> Spelling? {
    if paths.contains("features.1.conv.0.0.weight") { return mobileNetV2OfTimm(paths) }
    if paths.contains("features.1.block.0.0.weight") { return mobileNetV3OfTimm(paths) }
    return nil
  }

  private static let stem = ["features.0.0": "conv_stem", "features.0.1": "bn1"]

  private static func mobileNetV2OfTimm(_ paths: Set<String>) -> Spelling {
    var spelling = Spelling(layers: stem)
    var position = 1
    for (stage, depth) in MobileNetV2.depths.enumerated() {
      for number in 0..<depth {
        let place = "features.\(position).conv"
        // The convolution after the last activation, and its normalisation, have no unit.
        let layers =
          paths.contains("\(place).3.weight")
          ? ["0.0", "0.1", "1.0", "1.1", "2", "3"] : ["0.0", "0.1", "1", "2"]
        let names = blockNames(expands: layers.count == 6)
        for (layer, name) in zip(layers, names) {
          spelling.layers["\(place).\(layer)"] = "blocks.\(stage).\(number).\(name)"
        }
        position += 1
      }
    }
    spelling.layers["features.\(position).0"] = "conv_head"
    spelling.layers["features.\(position).1"] = "bn2"
    spelling.layers["classifier.1"] = "classifier"
    return spelling
  }

  private static func mobileNetV3OfTimm(_ paths: Set<String>) -> Spelling {
    var spelling = Spelling(layers: stem)
    var position = 1
    for (stage, depth) in MobileNetV3.depths.enumerated() {
      for number in 0..<depth {
        let (place, block) = ("features.\(position).block", "blocks.\(stage).\(number)")
        let squeeze = [1, 2].first { paths.contains("\(place).\($0).fc1.weight") }
        if let squeeze {
          spelling.layers["\(place).\(squeeze).fc1"] = "\(block).se.conv_reduce"
          spelling.layers["\(place).\(squeeze).fc2"] = "\(block).se.conv_expand"
        }
        let units = (0..<4).filter { paths.contains("\(place).\($0).0.weight") }
        let layers = units.flatMap { ["\($0).0", "\($0).1"] }
        for (layer, name) in zip(layers, blockNames(expands: units.count == 3)) {
          spelling.layers["\(place).\(layer)"] = "\(block).\(name)"
        }
        position += 1
      }
    }
    let last = "blocks.\(MobileNetV3.depths.count).0"
    spelling.layers["features.\(position).0"] = "\(last).conv"
    spelling.layers["features.\(position).1"] = "\(last).bn1"
    // timm's head is a convolution of the one pixel that is left.
    spelling.layers["classifier.0"] = "conv_head"
    spelling.kernels["classifier.0"] = 1
    spelling.layers["classifier.3"] = "classifier"
    return spelling
  }

  /// A block's convolutions, each with its normalisation.
  private static func blockNames(expands: Bool) -> [String] {
    expands
      ? ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"]
      : ["conv_dw", "bn1", "conv_pw", "bn2"]
  }
}
