import ApusIR

extension Lowering {
  /// Parameters that no run changes are static; every other input is the caller's memory.
  mutating func lowerInput(_ input: Input, _ node: Node) {
    let operand: Operand
    if let path = input.path, !isUpdated(path) {
      operand = newOperand(input.type, .rowMajor, .parameter(path), key: path)
      plan.parameterTypes[operand.buffer] = input.type
    } else {
      operand = newOperand(input.type, .rowMajor, .input(plan.inputs.count), key: nil)
      plan.inputs.append(input)
    }
    place(node.results[0], operand)
  }

  mutating func lowerConstant(_ constant: Constant, _ node: Node) {
    let key = "\(constant.values)\(constant.type)"
    place(
      node.results[0], newOperand(constant.type, .rowMajor, .constant(constant), key: key))
  }
}
