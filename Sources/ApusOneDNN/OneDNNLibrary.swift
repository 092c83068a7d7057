import ApusIR
import ApusPlan
import ApusRuntime
import CGomp
import CKernels
import COneDNN

/// Answers the planner's questions and makes the kernels of its steps, for one number of threads.
final class OneDNNLibrary: KernelLibrary {
  /// Layouts of prepared parameters that have no name of their own in a plan.
  private var natives: [Layout: NativeLayout] = [:]
  private var blueprints: [Step: Blueprint] = [:]

  /// A layout of the library's, and how a row-major tensor looks in its axes.
  struct NativeLayout {
    let description: MemoryDescription
    let rowMajor: MemoryDescription
  }

  /// What packs filters for kernels of CKernels, by the layout it packs them in.
  var packings: [Layout: any TeamKernel] = [:]
  let threads: Int
  /// The vectors of CKernels; `nil` where the processor has none for them, or the library does all.
  let vectors: Vectors?
  /// Whether convolutions may be computed in tiles, which round more.
  let usesWinograd: Bool
  /// Whether the fixed rules gather convolutions (im2col) that the library could run in their
  /// layouts too.
  let prefersIm2col: Bool
  /// Whether the graph changes its filters: they are packed in every run, and oneDNN's kernels of 1×1
  /// filters in blocks of channels are the faster ones at the batches of trainings.
  let trains: Bool
  /// Chooses algorithms by timing; without it fixed rules do.
  private let tuner: LayerTuner?

  /// - Parameters:
  ///   - threads: how many the kernels will run on; primitives depend on it.
  ///   - usesOwnKernels: whether kernels of CKernels may run convolutions.
  ///   - usesWinograd: whether those may compute them in tiles.
  ///   - prefersIm2col: whether the fixed rules gather channels-last images too.
  ///   - trains: whether the graph changes its filters.
  init(
    threads: Int, usesOwnKernels: Bool, usesWinograd: Bool, prefersIm2col: Bool = false,
    trains: Bool = false, tuner: LayerTuner? = nil
  ) {
    self.threads = threads
    self.prefersIm2col = prefersIm2col
    self.trains = trains
    self.tuner = tuner
    self.usesWinograd = usesWinograd
    vectors = usesOwnKernels ? .effective : nil
    omp_set_num_threads(Int32(threads))
  }

  func hasKernel(for op: Op, on operands: [TensorType]) -> Bool {
    OneDNNBackend.hasKernel(for: op, on: operands)
  }

  func resolved(_ step: Step) throws(PlanError) -> Step {
    do throws(BackendError) {
      switch step.kind {
      case .op(.convolution(let convolution)):
        if step.isScaled || step.results.count > 1 || step.depthwise != nil {
          return try fused(convolution, step)
        }
        if step.operands[0].layout == .any, prefersStem(step), let stem = stem(convolution, step) {
          return stem
        }
        if let grouped = narrowGroups(convolution, step) { return grouped }
        let resolved = try resolve(convolution, step)
        return try tuner?.fastest(convolution, resolved, self) ?? ruled(convolution, resolved)
      case .op(.convolutionInputGradient(let gradient)):
        return tiled(gradient, try resolveGradient(gradient.convolution, step))
      case .op(.convolutionFilterGradient(let gradient)):
        let resolved = try resolveGradient(gradient.convolution, step)
        return depthwise(gradient, resolved) ?? pointwise(gradient, resolved)
          ?? tiled(gradient, resolved)
      case .op(.dot(let dot)): return try resolve(dot, step)
      default: return step
      }
    } catch {
      throw PlanError(step, error.description)
    }
  }

  func reads(_ step: Step, in layout: Layout) -> Bool {
    var other = step
    other.operands[0].layout = layout
    return own(other) != nil
  }

  func fusesScale(into op: Op, on operands: [TensorType]) -> Bool {
    guard case .convolution(let convolution) = op, vectors != nil else { return false }
    return Self.isPointwise(convolution, filter: operands[1].shape)
      && operands.allSatisfy { $0.dtype == .float32 }
  }

  func fusesDepthwise(into step: Step) -> Bool { expandedDepthwiseKernel(step) != nil }

  func fusesMean(into op: Op, on operands: [TensorType]) -> Bool {
    guard case .convolution(let convolution) = op, vectors != nil else { return false }
    return Self.isDepthwise(convolution, filter: operands[1].shape)
      && operands.allSatisfy { $0.dtype == .float32 }
  }

  func fusesWithScaleOrMean(_ activation: Activation) -> Bool { activation.fused != nil }

  /// A convolution that only kernels of CKernels can run.
  private func fused(
    _ convolution: Convolution, _ step: Step
  ) throws(BackendError) -> Step {
    var nhwc = step
    nhwc.operands[0].layout = .channelsLast
    nhwc.results[0].layout = .channelsLast
    let fused =
      if step.depthwise != nil {
        expandedDepthwise(step)
      } else if step.isScaled {
        pointwise(convolution, nhwc)
      } else {
        depthwise(convolution, nhwc)
      }
    guard let fused else { throw .unsupported("no kernel for \(step)") }
    return fused
  }

  /// A resolved convolution by the algorithm that fixed rules choose.
  func ruled(_ convolution: Convolution, _ step: Step) -> Step {
    let tiled = tiled(convolution, step)
    if tiled.algorithm != .library { return tiled }
    if let depthwise = depthwise(convolution, step) { return depthwise }
    if prefersOwn(step), let pointwise = pointwise(convolution, step) { return pointwise }
    if trains && step.operands[1].type.shape.suffix(2) == [1, 1] { return step }
    var isGathered = prefersIm2col
    if case .blocked = step.operands[0].layout { isGathered = true }
    return isGathered ? im2col(convolution, step) ?? step : step
  }

  /// The library leaves what it computes of plain images in blocks only, and does so as fast.
  private func prefersStem(_ step: Step) -> Bool {
    if case .blocked = step.results[0].layout { return prefersOwn(step) }
    return true
  }

  /// The library computes exponentials slowly, and its kernels fill only whole vectors well.
  private func prefersOwn(_ step: Step) -> Bool {
    if step.results[0].type.shape[1] % 16 != 0 { return true }
    return step.postOps.contains { postOp in
      guard case .activation(let activation) = postOp else { return false }
      switch activation {
      case .swish, .mish, .sigmoid, .elu: return true
      case .relu, .relu6, .leakyRelu, .hardSwish, .hardSigmoid, .tanh: return false
      }
    }
  }

  func scratchpadSizeInBytes(of step: Step) throws(PlanError) -> Int {
    if let kernel = own(step) { return kernel.scratchSizeInBytes }
    do throws(BackendError) {
      return try blueprint(of: step)?.scratchpadSizeInBytes ?? 0
    } catch {
      throw PlanError(step, error.description)
    }
  }

  /// The kernel that runs a step.
  func kernel(for step: Step) throws(BackendError) -> Kernel {
    if let kernel = own(step) { return .own(kernel) }
    guard let blueprint = try blueprint(of: step) else { return .reference(step) }
    return .primitive(try blueprint.kernel())
  }

  /// The primitive description of a step; `nil` where the reference runs it.
  private func blueprint(of step: Step) throws(BackendError) -> Blueprint? {
    if let known = blueprints[step] { return known }
    let made = try makeBlueprint(step)
    blueprints[step] = made
    return made
  }

  private func makeBlueprint(_ step: Step) throws(BackendError) -> Blueprint? {
    guard case .op(let op) = step.kind else { return try reorder(step) }
    guard hasKernel(for: op, on: step.operands.map(\.type)) else { return nil }
    switch op {
    case .input, .constant, .iota, .compare, .select, .convert, .reshape, .slice, .pad,
      .barrier, .argMax, .activatedBatchNorm, .activatedBatchNormGradient:
      return nil
    case .unary(let unary): return try self.unary(unary, step)
    case .binary(let binary): return try self.binary(binary, step)
    case .activation(let activation): return try self.activation(activation, step)
    case .activationGradient(let activation): return try activationGradient(activation, step)
    case .broadcast(let broadcast): return try self.broadcast(broadcast, step)
    case .transpose(let transpose): return try self.transpose(transpose, step)
    case .concatenate(let concatenate): return try self.concatenate(concatenate, step)
    case .reduce(let reduce): return try self.reduce(reduce, step)
    case .dot(let dot): return try self.dot(dot, step)
    case .convolution(let convolution): return try self.convolution(convolution, step)
    case .convolutionInputGradient(let gradient):
      return try convolutionGradient(gradient.convolution, step)
    case .convolutionFilterGradient(let gradient):
      return try convolutionGradient(gradient.convolution, step)
    case .pool(let pool): return try self.pool(pool, step)
    case .poolGradient(let gradient):
      return gradient.readsImages ? nil : try averagePoolGradient(gradient.pool, step)
    case .batchNorm(let norm): return try batchNorm(norm, step)
    case .batchNormTraining(let norm): return try batchNormTraining(norm, step)
    case .batchNormGradient(let norm): return try batchNormGradient(norm, step)
    case .localResponseNorm(let norm): return try localResponseNorm(norm, step)
    case .localResponseNormGradient(let norm): return try localResponseNormGradient(norm, step)
    }
  }
}

// MARK: - Layouts

extension OneDNNLibrary {
  /// The description of an operand in its layout.
  func description(of operand: Operand) throws(BackendError) -> MemoryDescription {
    let shape = operand.type.shape
    switch operand.layout {
    case .rowMajor: return try .rowMajor(shape)
    case .channelsLast: return try MemoryDescription(shape.extents, tag: dnnl_acdb)
    case .blocked(let block):
      return try MemoryDescription(shape.extents, tag: block == 16 ? dnnl_aBcd16b : dnnl_aBcd8b)
    case .any: return try MemoryDescription(shape.extents, tag: dnnl_format_tag_any)
    case .native:
      guard let native = natives[operand.layout] else {
        throw .unsupported("layout \(operand.layout) is not known to this program")
      }
      return native.description
    }
  }

  /// How a row-major operand looks in the axes of another layout.
  func rowMajorDescription(
    of operand: Operand, for layout: Layout
  ) throws(BackendError) -> MemoryDescription {
    if let native = natives[layout] { return native.rowMajor }
    return try .rowMajor(operand.type.shape)
  }

  /// The layout that a description of images is in; `nil` for those no plan has a name for.
  func imageLayout(
    of description: MemoryDescription, _ shape: Shape
  ) throws(BackendError) -> Layout? {
    // Of one channel both are the same memory, but the library has kernels for the plain one only.
    let plain: [Layout] =
      shape[1] == 1 ? [.rowMajor, .channelsLast] : [.channelsLast, .rowMajor]
    for layout in plain + [.blocked(16), .blocked(8)] {
      let operand = Operand(buffer: 0, type: TensorType(.float32, shape), layout: layout)
      if try self.description(of: operand).isEqual(to: description) { return layout }
    }
    return nil
  }

  /// A layout for prepared parameters, under a name that says how they lie and how they lay before:
  /// transposed and plain matrices of one size differ in that only.
  func native(_ description: MemoryDescription, rowMajor: MemoryDescription) -> Layout {
    if description.isEqual(to: rowMajor) { return .rowMajor }
    let layout = Layout.native(
      "\(description.name)_from_\(rowMajor.name)", sizeInBytes: description.sizeInBytes)
    natives[layout] = NativeLayout(description: description, rowMajor: rowMajor)
    return layout
  }
}
