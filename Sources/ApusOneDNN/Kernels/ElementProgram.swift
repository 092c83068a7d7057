import ApusIR
import ApusPlan
import CKernels

/// Element-by-element ops in one pass over memory.
struct ElementwiseKernel: TeamKernel {
  let instructions: [ElementInstruction]
  let isNumber: [Bool]
  let operandTypes: [ElementType]
  let resultTypes: [ElementType]
  let count: Int
  let vectors: Vectors
  let threads: Int

  var implementation: String { "elementwise:\(vectors.name)" }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    withKernel { kernel in
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

  private func withKernel(_ body: (Elementwise) -> Void) {
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
            kernel.operandCount = Int32(isNumber.count)
            kernel.count = count
            kernel.threads = Int32(threads)
            body(kernel)
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
    // Also where the library does all that it can: it has no such kernels.
    guard let vectors = Vectors.effective, let result = step.results.first,
      program.operandCount + program.instructions.count <= Elementwise.mostValues
    else { return nil }
    let operandTypes = step.operands.compactMap { ElementType($0.type.dtype) }
    let resultTypes = step.results.compactMap { ElementType($0.type.dtype) }
    let instructions = program.instructions.compactMap(ElementInstruction.init)
    guard operandTypes.count == step.operands.count, resultTypes.count == step.results.count,
      instructions.count == program.instructions.count
    else { return nil }
    return ElementwiseKernel(
      instructions: instructions, isNumber: step.operands.map { $0.type.elementCount == 1 },
      operandTypes: operandTypes, resultTypes: resultTypes,
      count: result.sizeInBytes / result.type.dtype.sizeInBytes, vectors: vectors,
      threads: threads)
  }

  /// The kernel of an op that is done element by element and that the library does not have.
  func elementwise(_ op: Op, _ step: Step) -> ElementwiseKernel? {
    guard let function = ElementProgram.Function(op) else { return nil }
    switch function {
    case .unary, .binary, .activationGradient: return nil
    case .compare, .select, .convert:
      return elementwise(ElementProgram(function, of: step.operands.count), step)
    }
  }
}

extension Op {
  /// Whether there is a kernel that does a comparison, choice or conversion of such elements.
  func isElementwise(on operands: [TensorType], making dtype: DType) -> Bool {
    guard let function = ElementProgram.Function(self) else { return false }
    return Vectors.effective != nil && function.takes(operands.map(\.dtype) + [dtype])
  }
}

extension ElementInstruction {
  /// `nil` for a function that the kernel does not have.
  fileprivate init?(_ instruction: ElementProgram.Instruction) {
    let operands = instruction.operands.map { Int32($0) }
    guard let function = instruction.function.element, let first = operands.first else {
      return nil
    }
    // A choice has its condition in front.
    let isSelect = instruction.function == .select
    self.init(
      function: function, left: isSelect ? operands[1] : first,
      right: operands[operands.count - 1], third: first,
      result: instruction.result.map { Int32($0) } ?? -1)
  }
}

extension ElementType {
  fileprivate init?(_ dtype: DType) {
    switch dtype {
    case .float32: self = .float32
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .bool: self = .bool
    case .float64, .int64, .int32, .int16, .int8, .uint8: return nil
    }
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
    case .compare(let comparison):
      switch comparison {
      case .equal: .equal
      case .notEqual: .notEqual
      case .less: .less
      case .lessOrEqual: .lessOrEqual
      case .greater: .greater
      case .greaterOrEqual: .greaterOrEqual
      }
    case .select: .select
    case .convert(let dtype):
      switch dtype {
      case .float32: .copy
      case .float16: .roundToFloat16
      case .bfloat16: .roundToBFloat16
      case .bool: .truth
      case .float64, .int64, .int32, .int16, .int8, .uint8: nil
      }
    }
  }
}
