import CKernels
import Testing

@Suite("Element by element")
struct ElementwiseTests {
  /// The values of instructions, one element after the other.
  private func expected(
    _ instructions: [ElementInstruction], _ operands: [[Float]], count: Int
  ) -> [[Float]] {
    var values = operands.map { $0.count == 1 ? Array(repeating: $0[0], count: count) : $0 }
    for instruction in instructions {
      let (left, right) = (values[Int(instruction.left)], values[Int(instruction.right)])
      let third = values[Int(instruction.third)]
      values.append(
        left.indices.map { index in
          let (a, b, c) = (left[index], right[index], third[index])
          return switch instruction.function {
          case .add: a + b
          case .subtract: a - b
          case .multiply: a * b
          case .divide: a / b
          case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
          case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
          case .negate: -a
          case .magnitude: abs(a)
          case .squareRoot: a.squareRoot()
          case .inverseSquareRoot: 1 / a.squareRoot()
          case .rectify: a > 0 ? b : 0
          case .equal: a == b ? 1 : 0
          case .notEqual: a != b ? 1 : 0
          case .less: a < b ? 1 : 0
          case .lessOrEqual: a <= b ? 1 : 0
          case .greater: a > b ? 1 : 0
          case .greaterOrEqual: a >= b ? 1 : 0
          case .select: c != 0 ? a : b
          case .copy: a
          case .roundToFloat16: Float(Float16(a))
          case .roundToBFloat16: nearestBFloat16(a)
          case .truth: a != 0 ? 1 : 0
          }
        })
    }
    return Array(values[operands.count...])
  }

  private static let functions: [ElementFunction] = [
    .add, .subtract, .multiply, .divide, .maximum, .minimum, .negate, .magnitude, .squareRoot,
    .inverseSquareRoot, .rectify, .equal, .notEqual, .less, .lessOrEqual, .greater,
    .greaterOrEqual, .select, .copy, .roundToFloat16, .roundToBFloat16, .truth,
  ]

  /// In Swift's own arithmetic: the spacing of the 8 digits that are kept.
  private func nearestBFloat16(_ x: Float) -> Float {
    guard x.isFinite else { return x }
    let spacing = Double(x.ulp) * 0x1p16
    let rounded = (Double(x) / spacing).rounded(.toNearestOrEven) * spacing
    return rounded.magnitude < 0x1p128 ? Float(rounded) : Float(signOf: x, magnitudeOf: .infinity)
  }

  @Test(
    "equal one function after the other, to the bit", arguments: Vectors.offered,
    [1, 7, 16, 513, 5000])
  func programs(vectors: Vectors, count: Int) {
    for threads in [1, 2, 5] {
      // Three operands, the second a number; each instruction reads two of the values before it.
      var operands = (0..<3).map { i in
        (0..<(i == 1 ? 1 : count)).map { _ in Float.random(in: -2...2) }
      }
      operands[0][count / 2] = .nan
      let length = Int.random(in: 1...25)
      var instructions: [ElementInstruction] = []
      var results = 0
      for i in 0..<length {
        let isResult = i == length - 1 || Bool.random()
        instructions.append(
          ElementInstruction(
            function: Self.functions.randomElement() ?? .add,
            left: Int32.random(in: 0..<Int32(3 + i)), right: Int32.random(in: 0..<Int32(3 + i)),
            third: Int32.random(in: 0..<Int32(3 + i)), result: isResult ? Int32(results) : -1))
        results += isResult ? 1 : 0
      }
      let memory = operands.map { GuardedFloats($0) }
      // The last result lies where the first operand does.
      let made = (0..<results).map { $0 == results - 1 ? memory[0] : GuardedFloats(count: count) }
      run(instructions, memory, made, vectors, count: count, threads: threads)
      let all = expected(instructions, operands, count: count)
      for (instruction, values) in zip(instructions, all) where instruction.result >= 0 {
        let got = made[Int(instruction.result)]
        let isSame = zip(got.values, values).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
        #expect(isSame && got.isIntact, "\(count) elements, \(threads) threads")
      }
    }
  }

  @Test("write large results past the caches where nothing reads them")
  func large() {
    let count = 1 << 20 | 3
    for vectors in Vectors.offered {
      let operands = [(0..<count).map { Float($0 % 1000) }, [3]]
      let instructions = [
        ElementInstruction(function: .multiply, left: 0, right: 1, third: 0, result: 0),
        ElementInstruction(function: .add, left: 2, right: 0, third: 2, result: 1),
      ]
      let memory = operands.map { GuardedFloats($0) }
      // Their ends are at pages: these begin at vectors.
      let made = (0..<2).map { _ in GuardedFloats(count: (count + 15) / 16 * 16) }
      run(instructions, memory, made, vectors, count: count, threads: 2)
      let all = expected(instructions, operands, count: count)
      #expect(Array(made[0].values[..<count]) == all[0])
      #expect(Array(made[1].values[..<count]) == all[1])
    }
  }

  @Test(
    "read and write every type of elements, and not one byte more", arguments: Vectors.offered,
    [1, 7, 16, 513, 2000])
  func types(vectors: Vectors, count: Int) {
    let hard: [Float] = [
      .nan, .infinity, -.infinity, 0, -0.0, 65504, 65519.996, 65520, -1e9, 6e-8, 2.9e-8, 0x1p-25,
      0x1p-133, -0x3p-130, 1 + 0x1p-11, 1 + 0x3p-11, 1 + 0x1p-8, 1 + 0x3p-8, 3.4e38,
      -.greatestFiniteMagnitude,
    ]
    let values = (0..<count).map { $0 % 3 == 0 ? hard.randomElement() ?? 0 : .random(in: -4...4) }
    for threads in [1, 3] {
      // Each type is made, and read again.
      let narrow: [(ElementFunction, ElementType)] = [
        (.roundToFloat16, .float16), (.roundToBFloat16, .bfloat16), (.truth, .bool),
      ]
      let source = GuardedFloats(values)
      for (function, type) in narrow {
        let size = type == .bool ? 1 : 2
        let made = GuardedBytes(count: count * size)
        let back = GuardedFloats(count: count)
        let instruction = ElementInstruction(
          function: function, left: 0, right: 0, third: 0, result: 0)
        run(
          [instruction], [UnsafeRawPointer(source.start)], [.float32],
          [UnsafeMutableRawPointer(made.start)], [type], [false], vectors, count: count,
          threads: threads)
        let copy = ElementInstruction(function: .copy, left: 0, right: 0, third: 0, result: 0)
        run(
          [copy], [UnsafeRawPointer(made.start)], [type],
          [UnsafeMutableRawPointer(back.start)], [.float32], [false], vectors, count: count,
          threads: threads)
        let wanted = expected([instruction], [values], count: count)[0]
        let isSame = zip(back.values, wanted).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
        #expect(isSame && made.isIntact && back.isIntact, "\(type), \(count), \(threads)")
        if type == .bool { #expect(made.values.allSatisfy { $0 <= 1 }) }
      }
    }
  }

  private func run(
    _ instructions: [ElementInstruction], _ operands: [GuardedFloats], _ results: [GuardedFloats],
    _ vectors: Vectors, count: Int, threads: Int
  ) {
    run(
      instructions, operands.map { UnsafeRawPointer($0.start) },
      operands.map { _ in .float32 }, results.map { UnsafeMutableRawPointer($0.start) },
      results.map { _ in .float32 }, operands.map { $0.count == 1 && count > 1 }, vectors,
      count: count, threads: threads)
  }

  private func run(
    _ instructions: [ElementInstruction], _ operands: [UnsafeRawPointer?],
    _ operandTypes: [ElementType], _ results: [UnsafeMutableRawPointer?],
    _ resultTypes: [ElementType], _ isNumber: [Bool], _ vectors: Vectors, count: Int, threads: Int
  ) {
    instructions.withUnsafeBufferPointer { instructions in
      isNumber.withUnsafeBufferPointer { isNumber in
        operandTypes.withUnsafeBufferPointer { operandTypes in
          resultTypes.withUnsafeBufferPointer { resultTypes in
            var kernel = Elementwise()
            kernel.vectors = vectors
            kernel.instructions = instructions.baseAddress
            kernel.isNumber = isNumber.baseAddress
            kernel.operandTypes = operandTypes.baseAddress
            kernel.resultTypes = resultTypes.baseAddress
            kernel.instructionCount = Int32(instructions.count)
            kernel.operandCount = Int32(operands.count)
            (kernel.count, kernel.threads) = (count, Int32(threads))
            for thread in (0..<Int32(threads)).shuffled() {
              kernel.run(operands: operands, results: results, thread: thread)
            }
          }
        }
      }
    }
  }
}
