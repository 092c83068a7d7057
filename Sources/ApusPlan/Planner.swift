import ApusIR

/// Turns a graph into a plan.
public struct Planner {
  public enum Mode: Hashable, Sendable {
    /// Node by node as an op-by-op framework: no fusion, images channels-last, buffers allocated
    /// as they are needed.
    case eager
    /// Fused, in the layouts the kernels like best, in one arena.
    case compiled
  }

  let mode: Mode
  let library: any KernelLibrary
  let images: Layout

  /// - Parameter images: the layout of images between convolutions in compiled plans; `.any`: as
  ///   each convolution likes them.
  public init(_ mode: Mode, _ library: any KernelLibrary, images: Layout = .any) {
    self.mode = mode
    self.library = library
    self.images = mode == .eager ? .channelsLast : images
  }

  /// - Throws: a step that the library cannot run.
  public func plan(_ graph: Graph) throws(PlanError) -> Plan {
    var lowering = Lowering(graph, mode, library, images: images)
    for (index, node) in graph.nodes.enumerated() { try lowering.lower(node, at: index) }
    for output in graph.outputs {
      let operand = try lowering.operand(output.value, in: .rowMajor)
      lowering.plan.results.append((output.role, operand))
    }
    var plan = lowering.plan
    plan.preparation = neededPreparation(of: plan)
    if mode == .compiled {
      plan.joinElementwise(library)
      plan.concatenateInPlace()
      plan.overwriteDyingOperands()
    }
    for step in plan.steps {
      plan.scratchpads.append(
        Plan.Scratchpad(offset: 0, sizeInBytes: try library.scratchpadSizeInBytes(of: step)))
    }
    if mode == .compiled { assignArena(&plan) }
    return plan
  }

  /// Places allocated buffers and scratchpads in one arena by their lifetimes.
  private func assignArena(_ plan: inout Plan) {
    var lives: [Int: ClosedRange<Int>] = [:]
    for (index, step) in plan.steps.enumerated() {
      for operand in step.operands + step.results
      where plan.buffers[operand.buffer].place == .allocated {
        lives[operand.buffer] = (lives[operand.buffer]?.lowerBound ?? index)...index
      }
    }
    for (_, operand) in plan.results {
      if let life = lives[operand.buffer] {
        lives[operand.buffer] = life.lowerBound...plan.steps.count
      }
    }
    let buffers = lives.sorted { $0.key < $1.key }
    var blocks = buffers.map { buffer, life in
      Arena.Block(sizeInBytes: plan.buffers[buffer].sizeInBytes, life: life)
    }
    for (index, scratchpad) in plan.scratchpads.enumerated() {
      blocks.append(Arena.Block(sizeInBytes: scratchpad.sizeInBytes, life: index...index))
    }
    let arena = Arena(blocks)
    for ((buffer, _), offset) in zip(buffers, arena.offsets) {
      plan.buffers[buffer].place = .arena(offset: offset)
    }
    for step in plan.scratchpads.indices {
      plan.scratchpads[step].offset = arena.offsets[buffers.count + step]
    }
    plan.arenaSizeInBytes = arena.sizeInBytes
  }

  /// The preparation without steps whose results nothing reads.
  private func neededPreparation(of plan: Plan) -> [Step] {
    var read = plan.buffersRead
    let kept = plan.preparation.reversed().filter { step in
      guard step.results.contains(where: { read.contains($0.buffer) }) else { return false }
      read.formUnion(step.operands.map(\.buffer))
      return true
    }
    return kept.reversed()
  }
}
