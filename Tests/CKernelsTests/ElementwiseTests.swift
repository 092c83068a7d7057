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
      values.append(
        zip(left, right).map { a, b in
          switch instruction.function {
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
          }
        })
    }
    return Array(values[operands.count...])
  }

  private static let functions: [ElementFunction] = [
    .add, .subtract, .multiply, .divide, .maximum, .minimum, .negate, .magnitude, .squareRoot,
    .inverseSquareRoot, .rectify,
  ]

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
            result: isResult ? Int32(results) : -1))
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
        ElementInstruction(function: .multiply, left: 0, right: 1, result: 0),
        ElementInstruction(function: .add, left: 2, right: 0, result: 1),
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

  private func run(
    _ instructions: [ElementInstruction], _ operands: [GuardedFloats], _ results: [GuardedFloats],
    _ vectors: Vectors, count: Int, threads: Int
  ) {
    let isNumber = operands.map { $0.count == 1 && count > 1 }
    let sources = operands.map { UnsafeRawPointer($0.start) as UnsafeRawPointer? }
    let destinations = results.map { UnsafeMutableRawPointer($0.start) as UnsafeMutableRawPointer? }
    instructions.withUnsafeBufferPointer { instructions in
      isNumber.withUnsafeBufferPointer { isNumber in
        var kernel = Elementwise()
        kernel.vectors = vectors
        (kernel.instructions, kernel.isNumber) = (instructions.baseAddress, isNumber.baseAddress)
        kernel.instructionCount = Int32(instructions.count)
        kernel.operandCount = Int32(operands.count)
        (kernel.count, kernel.threads) = (count, Int32(threads))
        for thread in (0..<Int32(threads)).shuffled() {
          kernel.run(operands: sources, results: destinations, thread: thread)
        }
      }
    }
  }
}
