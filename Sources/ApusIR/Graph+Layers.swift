/// A layer of a traced network, or an op without parameters.
public struct LayerSummary: Hashable, Sendable {
  /// The prefix of the layer's parameter paths; of an op without parameters, the layer it follows.
  public var path: String
  /// The ops it consists of, without those that only rearrange parameters.
  public var ops: [String]
  public var result: TensorType
  /// Trained values.
  public var parameters: Int
  public var macs: Int
}

extension Graph {
  /// The network's layers in order: nodes that read parameters of one path make one layer.
  public var layers: [LayerSummary] {
    var layers: [LayerSummary] = []
    // The layer whose parameters a value is or is made of by rearranging alone.
    var owners: [Value: String] = [:]
    var inputs: [Value: Input] = [:]
    for node in nodes {
      switch node.op {
      case .input(let input):
        inputs[node.results[0]] = input
        if input.path != nil { owners[node.results[0]] = node.path }
      case .constant, .iota: break
      default:
        let owned = node.operands.filter { owners[$0] != nil }
        if owned.count == node.operands.count, let owner = owned.first {
          for result in node.results { owners[result] = owners[owner] }
        } else {
          append(node, isOwned: !owned.isEmpty, to: &layers)
        }
        count(parametersOf: owned, &inputs, in: &layers, node)
      }
    }
    return layers
  }

  private func append(_ node: Node, isOwned: Bool, to layers: inout [LayerSummary]) {
    let macs = node.op.macs(node.operands.map { self[$0] }, node.results.map { self[$0] })
    let result = self[node.results[0]]
    if isOwned, let last = layers.indices.last, layers[last].path == node.path,
      layers[last].parameters > 0
    {
      layers[last].ops.append(node.op.name)
      layers[last].result = result
      layers[last].macs += macs
    } else {
      layers.append(
        LayerSummary(
          path: node.path, ops: [node.op.name], result: result, parameters: 0, macs: macs))
    }
  }

  /// Counts each parameter once, in the layer that reads it first.
  private func count(
    parametersOf owned: [Value], _ inputs: inout [Value: Input], in layers: inout [LayerSummary],
    _ node: Node
  ) {
    guard let last = layers.indices.last else { return }
    for value in owned {
      guard let input = inputs.removeValue(forKey: value), case .parameter = input.role else {
        continue
      }
      layers[last].parameters += input.type.elementCount
    }
  }
}
