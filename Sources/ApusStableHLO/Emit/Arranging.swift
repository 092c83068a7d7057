import ApusIR

/// The same bytes where they lie as the result wants them; else after one transpose.
func emitReshape(
  _ operand: Emitted, to shape: Shape, into function: inout Function
) -> Emitted {
  let order = function.term(operand).order
  let (before, after) = operand.type.shape.reshaping(from: order, to: shape)
  let type = TensorType(operand.type.dtype, shape)
  let reshaped = function.reshape(
    function.term(operand, in: before), to: PhysicalType(type, order: after).physical.shape)
  return function.define(type, after, reshaped)
}

extension Slice {
  func emit(_ operand: Emitted, _ type: TensorType, into function: inout Function) -> Emitted {
    let (x, order) = function.term(operand)
    let sliced = function.slice(
      x, from: order.map { starts[$0] }, to: order.map { ends[$0] }, by: order.map { steps[$0] })
    return function.define(type, order, sliced)
  }
}

extension Pad {
  func emit(_ operand: Emitted, _ type: TensorType, into function: inout Function) -> Emitted {
    let (x, order) = function.term(operand)
    let padded = function.pad(
      x, value, low: order.map { low[$0] }, high: order.map { high[$0] },
      interior: order.map { interior[$0] })
    return function.define(type, order, padded)
  }
}

extension Concatenate {
  func emit(_ operands: [Emitted], _ type: TensorType, into function: inout Function) -> Emitted {
    let order = function.commonOrder(of: operands)
    var terms: [Term] = []
    for operand in operands { terms.append(function.term(operand, in: order)) }
    let joined = function.apply(
      "concatenate", terms, ["dimension = \(order.firstIndex(of: axis)!) : i64"],
      to: PhysicalType(type, order: order).physical)
    return function.define(type, order, joined)
  }
}

func emitBarrier(_ operands: [Emitted], into function: inout Function) -> [Emitted] {
  var (terms, orders): ([Term], [[Int]]) = ([], [])
  for operand in operands {
    let (term, order) = function.term(operand)
    terms.append(term)
    orders.append(order)
  }
  let results = function.write("optimization_barrier", terms, to: terms.map(\.type))
  return operands.indices.map { function.define(operands[$0].type, orders[$0], results[$0]) }
}
