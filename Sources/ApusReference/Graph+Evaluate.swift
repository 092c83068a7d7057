import ApusIR
import ApusRuntime

/// Why a graph cannot be evaluated on the given inputs.
public enum EvaluationError: Error, Hashable, Sendable {
  case wrongInputCount(expected: Int, got: Int)
  case wrongInputType(input: String, expected: TensorType, got: TensorType)
}

extension EvaluationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongInputCount(let expected, let got):
      "evaluate: the graph takes \(expected) inputs, got \(got)"
    case .wrongInputType(let input, let expected, let got):
      "evaluate: input \"\(input)\" must be \(expected), got \(got)"
    }
  }
}

extension Graph {
  /// Evaluates the graph node by node and returns its outputs in order.
  ///
  /// - Parameter inputs: one value for each of ``Graph/inputs``, in that order.
  /// - Throws: where the number or the types of the inputs are not the graph's.
  public func evaluate(_ inputs: [HostTensor]) throws(EvaluationError) -> [HostTensor] {
    let declared = self.inputs
    if declared.count != inputs.count {
      throw .wrongInputCount(expected: declared.count, got: inputs.count)
    }
    for ((input, _), given) in zip(declared, inputs) where input.type != given.type {
      throw .wrongInputType(input: input.name, expected: input.type, got: given.type)
    }
    var remaining = inputs[...]
    let results: [ReferenceTensor] = interpret { node, operands in
      var operands = operands
      if case .input = node.op { operands = [ReferenceTensor(remaining.removeFirst())] }
      return node.op.evaluate(operands, resultTypes: node.results.map { self[$0] })
    }
    return results.map { HostTensor($0) }
  }
}
