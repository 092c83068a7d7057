import ApusIR

/// What a CPU does to run a graph: kernels in order, on buffers of known size and place.
public struct Plan: Sendable {
  /// Where a buffer's memory comes from.
  public enum Place: Hashable, Sendable {
    /// The caller's memory: the run's input of that index into ``Plan/inputs``.
    case input(Int)
    /// The parameter of that path, as loaded.
    case parameter(String)
    case constant(Constant)
    /// Made from parameters by the preparation, once for all programs that use the same key.
    case prepared(String)
    /// The caller's memory for the result of that index into ``Plan/results``.
    case result(Int)
    /// At an offset of the arena, in bytes.
    case arena(offset: Int)
    /// Allocated when a step writes it, released after the last step that reads it.
    case allocated
  }

  public struct Buffer: Hashable, Sendable {
    public var sizeInBytes: Int
    public var place: Place
  }

  /// A step's working memory, or none; its offset is meant inside the arena, if there is one.
  public struct Scratchpad: Hashable, Sendable {
    public var offset: Int
    public var sizeInBytes: Int
  }

  public internal(set) var buffers: [Buffer] = []
  /// The graph's inputs that change from run to run.
  public internal(set) var inputs: [Input] = []
  /// Steps that depend on parameters alone: run once for a version of them.
  public internal(set) var preparation: [Step] = []
  public internal(set) var steps: [Step] = []
  /// Working memory of each step.
  public internal(set) var scratchpads: [Scratchpad] = []
  public internal(set) var results: [(role: Graph.Output.Role, operand: Operand)] = []
  public internal(set) var arenaSizeInBytes = 0

  /// The types of the parameters the plan reads, by buffer.
  public internal(set) var parameterTypes: [Int: TensorType] = [:]

  /// Bytes of the prepared forms that runs read; what lies between them and the parameters is
  /// released after the preparation.
  public var preparedSizeInBytes: Int {
    buffersRead.reduce(0) { sum, buffer in
      if case .prepared = buffers[buffer].place { sum + buffers[buffer].sizeInBytes } else { sum }
    }
  }

  /// The buffers that steps and results read.
  public var buffersRead: Set<Int> {
    Set(steps.flatMap(\.operands).map(\.buffer)).union(results.map(\.operand.buffer))
  }

  /// Bytes of activations and working memory that are alive together at most: the arena and the
  /// results that lie outside of it, or the peak of what is allocated.
  public var peakSizeInBytes: Int {
    let releases = Self.releases(after: steps, keeping: Set(results.map(\.operand.buffer)))
    func allocatedSize(_ buffer: Int) -> Int {
      buffers[buffer].place == .allocated ? buffers[buffer].sizeInBytes : 0
    }
    var (live, peak) = (0, arenaSizeInBytes)
    for (index, step) in steps.enumerated() {
      live += step.results.reduce(0) { $0 + allocatedSize($1.buffer) }
      peak = max(peak, live + scratchpads[index].sizeInBytes)
      live -= releases[index].reduce(0) { $0 + allocatedSize($1) }
    }
    return peak + updatesSizeInBytes
  }

  /// Bytes of the results that steps write where the caller wants them.
  public var updatesSizeInBytes: Int {
    buffers.reduce(0) { sum, buffer in
      if case .result = buffer.place { sum + buffer.sizeInBytes } else { sum }
    }
  }

  /// Lets updates of parameters and states be made where the next run will read them.
  mutating func placeUpdates() {
    for (index, result) in results.enumerated() {
      guard case .update = result.role else { continue }
      let operand = result.operand
      if buffers[operand.buffer].place == .allocated && operand.offset == 0
        && buffers[operand.buffer].sizeInBytes == operand.type.sizeInBytes
      {
        buffers[operand.buffer].place = .result(index)
      }
    }
  }

  /// The most bytes of the arena's buffers and working memory that are in use at once: no arena can be
  /// smaller.
  public var largestLiveSizeInBytes: Int {
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
    let live = steps.indices.map { index in
      lives.reduce(scratchpads[index].sizeInBytes) { sum, entry in
        sum + (entry.value.contains(index) ? buffers[entry.key].sizeInBytes : 0)
      }
    }
    return live.max() ?? 0
  }

  /// For each step, the allocated buffers that no later step and no result reads.
  public static func releases(after steps: [Step], keeping kept: Set<Int>) -> [[Int]] {
    var last: [Int: Int] = [:]
    for (index, step) in steps.enumerated() {
      for operand in step.operands + step.results { last[operand.buffer] = index }
    }
    var releases = [[Int]](repeating: [], count: steps.count)
    for (buffer, index) in last where !kept.contains(buffer) { releases[index].append(buffer) }
    return releases.map { $0.sorted() }
  }
}

extension Plan: CustomStringConvertible {
  public var description: String {
    var lines = preparation.map { "prepare \($0)" }
    lines += steps.map(\.description)
    lines += results.map { "return \($0.operand.place)" }
    return lines.joined(separator: "\n")
  }
}
