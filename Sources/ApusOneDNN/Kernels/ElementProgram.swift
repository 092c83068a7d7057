import ApusIR
import ApusPlan
import CKernels

/// Element-by-element ops in one pass over memory.
struct ElementwiseKernel: TeamKernel {
  let instructions: [ElementInstruction]
  let isNumber: [Bool]
  let count: Int
  let vectors: Vectors
  let threads: Int

  var implementation: String { "elementwise:\(vectors.name)" }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    instructions.withUnsafeBufferPointer { instructions in
      isNumber.withUnsafeBufferPointer { isNumber in
        var kernel = Elementwise()
        kernel.vectors = vectors
        (kernel.instructions, kernel.isNumber) = (instructions.baseAddress, isNumber.baseAddress)
        kernel.instructionCount = Int32(instructions.count)
        kernel.operandCount = Int32(isNumber.count)
        kernel.count = count
        kernel.threads = Int32(threads)
        memory.operands.withUnsafeBufferPointer { operands in
          operands.withMemoryRebound(to: UnsafeRawPointer?.self) { operands in
            memory.results.withUnsafeBufferPointer { results in
              kernel.run(
                operands: operands.baseAddress, results: results.baseAddress, thread: thread)
            }
          }
        }
      }
    }
  }
}

extension OneDNNLibrary {
  func joins(_ function: ElementProgram.Function) -> Bool {
    vectors != nil && function.element != nil
  }

  /// The kernel of a step of several element-by-element ops; `nil` for what it cannot do.
  func elementwise(_ program: ElementProgram, _ step: Step) -> ElementwiseKernel? {
    guard let vectors, let size = step.results.first.map({ $0.sizeInBytes / 4 }),
      program.operandCount + program.instructions.count <= Elementwise.mostValues
    else { return nil }
    var instructions: [ElementInstruction] = []
    for instruction in program.instructions {
      guard let function = instruction.function.element, let left = instruction.operands.first,
        let right = instruction.operands.last
      else { return nil }
      instructions.append(
        ElementInstruction(
          function: function, left: Int32(left), right: Int32(right),
          result: instruction.result.map { Int32($0) } ?? -1))
    }
    return ElementwiseKernel(
      instructions: instructions, isNumber: step.operands.map { $0.type.elementCount == 1 },
      count: size, vectors: vectors, threads: threads)
  }
}

extension ElementProgram.Function {
  /// The same for the kernel, where it has it.
  fileprivate var element: ElementFunction? {
    switch self {
    case .activationGradient(let activation): activation == .relu ? .rectify : nil
    case .binary(let binary):
      switch binary {
      case .add: .add
      case .subtract: .subtract
      case .multiply: .multiply
      case .divide: .divide
      case .maximum: .maximum
      case .minimum: .minimum
      case .power, .and, .or: nil
      }
    case .unary(let unary):
      switch unary {
      case .negate: .negate
      case .abs: .magnitude
      case .sqrt: .squareRoot
      case .rsqrt: .inverseSquareRoot
      case .sign, .exp, .log, .log1p, .tanh, .logistic, .floor, .ceil: nil
      }
    }
  }
}
