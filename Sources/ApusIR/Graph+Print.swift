extension Graph: CustomStringConvertible {
  /// One line per node: `%7: float32[1, 64, 56, 56] = convolution(%3, %5) {stride 1×1} @layer1.0.conv1`.
  public var description: String {
    var lines = nodes.map { node in
      let results = node.results.map { "\($0): \(self[$0])" }.joined(separator: ", ")
      let operands = node.operands.map(\.description).joined(separator: ", ")
      let attributes = node.op.attributes
      return "\(results) = \(node.op.name)(\(operands))"
        + (attributes.isEmpty ? "" : " {\(attributes)}")
        + (node.path.isEmpty ? "" : " @\(node.path)")
    }
    lines += outputs.map { output in
      switch output.role {
      case .result(let name): "return \(output.value) as \"\(name)\""
      case .update(let path): "update \"\(path)\" with \(output.value)"
      }
    }
    return lines.joined(separator: "\n")
  }
}
