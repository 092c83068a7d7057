import ApusIR

extension Constant {
  func evaluate() -> [Double] {
    splat.map { Array(repeating: $0, count: type.elementCount) } ?? values
  }
}

extension Iota {
  func evaluate() -> [Double] {
    var strides = Array(repeating: 0, count: type.rank)
    strides[axis] = 1
    return type.shape.offsets(strides: strides).map { Double($0) }
  }
}
