import ApusIR

/// Writes graphs as StableHLO.
public struct Emitter: Sendable {
  /// Whether products of `float32` may be rounded to TF32, which GPUs multiply faster.
  public let allowsTF32: Bool

  public init(allowsTF32: Bool = false) { self.allowsTF32 = allowsTF32 }

  /// The whole graph as one module.
  ///
  /// An input that the graph updates is marked as donated to the update where both lie alike.
  /// - Parameters:
  ///   - inputOrders: for each input the order of its axes in memory; `nil` stands for the standard
  ///     order, ``PhysicalType/init(standard:)``.
  ///   - outputOrders: the same for each output; an update stands in its input's order by default.
  /// - Throws: where an order is no permutation of the axes, or their number is not the graph's.
  public func module(
    for graph: Graph, inputOrders: [[Int]?]? = nil, outputOrders: [[Int]?]? = nil
  ) throws(EmitError) -> StableHLOModule {
    let declared = graph.inputs.map(\.input)
    let inputs = try physicalTypes(
      declared.map { PhysicalType(standard: $0.type) }, .inputs, inputOrders)
    var stored: [String: Int] = [:]
    for (index, input) in declared.enumerated() {
      if let path = input.path { stored[path] = index }
    }
    let updated = graph.outputs.map { output -> Int? in
      if case .update(let path) = output.role { stored[path] } else { nil }
    }
    let chosen = zip(graph.outputs, updated).map { output, input in
      input.map { inputs[$0] } ?? PhysicalType(standard: graph[output.value])
    }
    let outputs = try physicalTypes(chosen, .outputs, outputOrders)
    var donations: [Int: Int] = [:]
    for (index, input) in updated.enumerated() {
      if let input, inputs[input] == outputs[index] { donations[input] = index }
    }
    return StableHLOModule(
      text: text(graph, inputs, outputs, donations), inputs: inputs, outputs: outputs)
  }

  private func text(
    _ graph: Graph, _ inputs: [PhysicalType], _ outputs: [PhysicalType], _ donations: [Int: Int]
  ) -> String {
    var function = Function(inputs: inputs, allowsTF32: allowsTF32)
    let values: [Emitted] = graph.interpret { node, operands in
      node.op.emit(operands, node.results.map { graph[$0] }, into: &function)
    }
    var results: [Term] = []
    for (value, output) in zip(values, outputs) {
      results.append(function.term(value, in: output.order))
    }
    let arguments = inputs.enumerated().map { index, input in
      let donation = donations[index].map { " {tf.aliasing_output = \($0) : i32}" } ?? ""
      return "%arg\(index): \(input.physical.spelling)\(donation)"
    }
    let types = results.map(\.type.spelling).joined(separator: ", ")
    let operands = results.map(\.name).joined(separator: ", ")
    let lines =
      [
        "module {",
        "  func.func public @main(\(arguments.joined(separator: ", "))) -> (\(types)) {",
      ] + function.lines.map { "    " + $0 }
      + ["    func.return" + (results.isEmpty ? "" : " \(operands) : \(types)"), "  }", "}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private func physicalTypes(
    _ chosen: [PhysicalType], _ side: EmitError.Side, _ orders: [[Int]?]?
  ) throws(EmitError) -> [PhysicalType] {
    guard let orders else { return chosen }
    if orders.count != chosen.count {
      throw .wrongOrderCount(side, expected: chosen.count, got: orders.count)
    }
    var types = chosen
    for (index, order) in orders.enumerated() {
      guard let order else { continue }
      let logical = chosen[index].logical
      guard order.sorted() == Array(0..<logical.rank) else {
        throw .invalidOrder(side, index: index, type: logical, order: order)
      }
      types[index] = PhysicalType(logical, order: order)
    }
    return types
  }
}
