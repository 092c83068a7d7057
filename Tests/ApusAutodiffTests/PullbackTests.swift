import ApusAutodiff
import ApusIR
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Every pullback")
struct PullbackTests {
  /// What has no derivative, and gradients that have no second one here.
  static let undifferentiated: Set<OpKey> = [
    .input, .constant, .iota, .compare, .argMax, .activationGradient, .maxPoolGradient,
    .batchNormGradient, .activatedBatchNormGradient, .localResponseNormGradient,
  ]

  /// Rows in `float64` whose values lie beside kinks with certainty next to 1.
  static let rows: [OpCase] = OpCase.all.compactMap { row in
    guard !undifferentiated.contains(OpKey(row.op)), let row = row.inFloat64 else { return nil }
    let types = (try? row.op.resultTypes(row.operands.map(\.type))) ?? []
    let first = row.operands.first { $0.type.dtype.isFloatingPoint }
    switch first?.values {
    case .uniform, .distinct: return types.contains { $0.dtype.isFloatingPoint } ? row : nil
    case .integers, .listed, nil: return nil
    }
  }

  @Test("has rows for every op that has a derivative")
  func complete() {
    let differentiated = Set(Self.rows.map { OpKey($0.op) })
    let expected = Set(OpKey.allCases).subtracting(Self.undifferentiated)
    #expect(differentiated == expected)
  }

  @Test("agrees with central differences in float64 on the row", arguments: rows)
  func finiteDifferences(row: OpCase) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let differentiated = try row.loss(withGradients: true)
    let loss = try row.loss(withGradients: false)
    var random = RandomTensors(seed: seed)
    let inputs = loss.inputs.enumerated().map { index, entry in
      index < row.operands.count
        ? random.tensor(row.operands[index])
        : random.tensor(OperandSpec(entry.input.type, .uniform(-1...1)))
    }
    let results = try differentiated.evaluate(inputs)
    let wanted = row.operands.indices.filter { row.operands[$0].type.dtype.isFloatingPoint }
    for (operand, gradient) in zip(wanted, results.dropFirst()) {
      #expect(gradient.type == inputs[operand].type)
      for _ in 0..<2 {
        let direction = random.tensor(OperandSpec(gradient.type, .uniform(-1...1))).doubles
        func value(_ step: Double) throws -> Double {
          var moved = inputs
          moved[operand] = HostTensor(
            gradient.type, rounding: zip(inputs[operand].doubles, direction).map { $0 + step * $1 })
          return try loss.evaluate(moved)[0].doubles[0]
        }
        let step = 1e-6
        let numeric = try (value(step) - value(-step)) / (2 * step)
        let products = zip(gradient.doubles, direction).map { $0 * $1 }
        let analytic = products.reduce(0, +)
        let scale = products.reduce(0) { $0 + $1.magnitude }
        #expect(
          (numeric - analytic).magnitude <= 1e-6 * scale + 1e-7
            || numeric.isNaN && analytic.isNaN,
          "operand \(operand): \(analytic), by differences \(numeric), seed \(seed)")
      }
    }
  }
}

extension OpCase {
  /// The same on double precision; `nil` for what is about integers.
  fileprivate var inFloat64: OpCase? {
    func wide(_ dtype: DType) -> DType { dtype.isFloatingPoint ? .float64 : dtype }
    let operands = operands.map { operand in
      OperandSpec(
        TensorType(wide(operand.type.dtype), operand.type.shape), operand.values)
    }
    if case .convert(let dtype) = op {
      return dtype.isFloatingPoint ? OpCase(name, .convert(.float64), operands, tolerance) : nil
    }
    return OpCase(name, op, operands, tolerance)
  }

  /// The results' elements times random numbers, which are arguments too, added up; and the gradients
  /// of the floating-point operands.
  fileprivate func loss(withGradients: Bool) throws -> Graph {
    var wantedGradients: [Value] = []
    var graph = try trace { scope in
      let operands = operands.enumerated().map { index, operand in
        scope.argument("x\(index)", operand.type.dtype, operand.type.shape)
      }
      let builder = try #require(operands.first).builder
      let results = try builder.append(op, operands).filter(\.dtype.isFloatingPoint)
      let terms = try results.enumerated().map { index, result in
        let weights = scope.argument("w\(index)", .float64, result.shape)
        return try (result * weights).reduced(.sum, axes: Array(result.shape.indices))
      }
      let loss = try terms.dropFirst().reduce(terms[0]) { try $0 + $1 }
      let wanted = operands.filter { $0.dtype.isFloatingPoint }
      if withGradients {
        wantedGradients = try gradients(of: loss, withRespectTo: wanted).map(\.value)
      }
      return ["loss": loss]
    }
    for (index, value) in wantedGradients.enumerated() {
      graph.output(.result("gradient\(index)"), value)
    }
    return graph
  }
}
