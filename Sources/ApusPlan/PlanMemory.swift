import ApusIR

/// What a compiled plan's memory is for, in bytes, known before it runs.
public struct PlanMemory: Hashable, Sendable {
  /// Parameters and batch-norm statistics as they are loaded. Of those that are mapped from a file
  /// the system takes back what runs do not read.
  public var parameters = 0
  /// What an optimiser keeps of each parameter between runs, and averages.
  public var optimizerState = 0
  /// Constants, and forms of the parameters that no run updates.
  public var prepared = 0
  /// Images, labels and random numbers.
  public var arguments = 0
  /// What a run returns to its caller.
  public var results = 0
  /// The one block in which all else lies.
  public var arena = 0

  /// In the arena, when most of it is in use: gradients of parameters.
  public var gradients = 0
  /// What the forward half leaves there for the backward half.
  public var activations = 0
  /// What lives within one half.
  public var temporary = 0
  /// Working memory of a kernel.
  public var scratch = 0

  public init() {}

  /// All that is alive together at most.
  public var total: Int {
    parameters + optimizerState + prepared + arguments + results + arena
  }
}

extension Plan {
  /// How many steps a run has gone through when its first result is there: of a training step the
  /// loss, with which the forward half ends. `nil` where no step makes it.
  public var stepsUntilFirstResult: Int? {
    for (role, operand) in results {
      guard case .result = role else { continue }
      return steps.lastIndex { $0.results.contains { $0.buffer == operand.buffer } }.map { $0 + 1 }
    }
    return nil
  }

  /// The bytes of a run by what they are for.
  public var memory: PlanMemory {
    var memory = PlanMemory()
    for input in inputs { memory.add(input) }
    for (role, operand) in results {
      if case .result = role { memory.results += operand.type.sizeInBytes }
    }
    memory.parameters += parameterTypes.values.reduce(0) { $0 + $1.sizeInBytes }
    for buffer in buffersRead {
      switch buffers[buffer].place {
      case .prepared, .constant: memory.prepared += buffers[buffer].sizeInBytes
      case .parameter, .input, .arena, .allocated: break
      }
    }
    memory.arena = peakSizeInBytes
    addLargestUse(to: &memory)
    return memory
  }

  /// When each of the arena's buffers is in use, from the first step to the last.
  var lives: [Int: ClosedRange<Int>] {
    var lives: [Int: ClosedRange<Int>] = [:]
    for (index, step) in steps.enumerated() {
      for operand in step.operands + step.results {
        guard case .arena = buffers[operand.buffer].place else { continue }
        lives[operand.buffer] = (lives[operand.buffer]?.lowerBound ?? index)...index
      }
    }
    for (_, operand) in results {
      if let life = lives[operand.buffer] {
        lives[operand.buffer] = life.lowerBound...steps.count
      }
    }
    return lives
  }

  /// The step during which most of the arena is in use, and how many bytes that is.
  func largestUse(_ lives: [Int: ClosedRange<Int>]) -> (step: Int, sizeInBytes: Int)? {
    var changes = [Int](repeating: 0, count: steps.count + 2)
    for (buffer, life) in lives {
      changes[life.lowerBound] += buffers[buffer].sizeInBytes
      changes[life.upperBound + 1] -= buffers[buffer].sizeInBytes
    }
    var (live, largest) = (0, (step: 0, sizeInBytes: -1))
    for index in steps.indices {
      live += changes[index]
      let size = live + scratchpads[index].sizeInBytes
      if size > largest.sizeInBytes { largest = (index, size) }
    }
    return steps.isEmpty ? nil : largest
  }

  /// Sorts what is in the arena, when that is most, by what it is for.
  private func addLargestUse(to memory: inout PlanMemory) {
    let lives = lives
    guard let step = largestUse(lives)?.step else { return }
    let loss = stepsUntilFirstResult ?? steps.count
    let gradients = gradients(after: loss)
    memory.scratch = scratchpads[step].sizeInBytes
    for (buffer, life) in lives where life.contains(step) {
      let size = buffers[buffer].sizeInBytes
      if gradients.contains(buffer) {
        memory.gradients += size
      } else if life.lowerBound < loss && life.upperBound >= loss {
        memory.activations += size
      } else {
        memory.temporary += size
      }
    }
  }

  /// The buffers from which the backward half makes updates and results element by element.
  private func gradients(after loss: Int) -> Set<Int> {
    var wanted = Set(results.map(\.operand.buffer))
    var gradients: Set<Int> = []
    for index in steps.indices.reversed() where index >= loss {
      let step = steps[index]
      guard step.results.contains(where: { wanted.contains($0.buffer) }) else { continue }
      if step.isElementwise {
        wanted.formUnion(step.operands.map(\.buffer))
      } else {
        gradients.formUnion(step.results.map(\.buffer).filter(wanted.contains))
      }
    }
    return gradients
  }
}

extension PlanMemory {
  /// Counts what every run is given.
  fileprivate mutating func add(_ input: Input) {
    let size = input.type.sizeInBytes
    switch input.role {
    case .argument, .random: arguments += size
    case .parameter: parameters += size
    case .state(let path):
      let isOfOptimizer = path.split(separator: ".").contains { Self.kept.contains($0) }
      if isOfOptimizer { optimizerState += size } else { parameters += size }
    }
  }

  /// The scopes under which a training keeps what is not the network's (decision 8).
  private static let kept: Set<Substring> = ["optimizer", "averages"]
}

extension Step {
  /// Whether each element of the result depends on the same element of the operands.
  fileprivate var isElementwise: Bool {
    guard case .op(let op) = kind else { return true }
    switch op {
    case .unary, .binary, .compare, .select, .convert: return true
    case .input, .constant, .iota, .activation, .activationGradient, .reshape, .transpose,
      .broadcast, .slice, .pad, .concatenate, .barrier, .reduce, .argMax, .dot, .convolution,
      .convolutionInputGradient, .convolutionFilterGradient, .pool, .poolGradient, .batchNorm,
      .batchNormTraining, .batchNormGradient, .activatedBatchNorm, .activatedBatchNormGradient,
      .localResponseNorm, .localResponseNormGradient:
      return false
    }
  }
}
