import ApusIR
import ApusPlan
import ApusRuntime
import CKernels
import COneDNN

extension Pool {
  /// The library divides by the whole kernel where padding counts; what hangs over in ceil mode
  /// must not count, so such poolings are the reference's.
  func hasKernel(on images: TensorType) -> Bool {
    guard kind == .average(countsPadding: true),
      let output = try? Op.pool(self).resultTypes([images])[0].shape
    else { return true }
    let effective = effectivePadding(input: images.shape, output: output)
    return effective.bottom <= padding.bottom && effective.right <= padding.right
  }
}

extension PoolGradient {
  /// What has a forward kernel has a backward one; that of a maximum is in CKernels.
  func hasKernel(on operands: [TensorType]) -> Bool {
    if readsImages { return Vectors.effective != nil }
    let shape = operands[0].shape
    return pool.hasKernel(
      on: TensorType(.float32, [shape[0], shape[1], images.height, images.width]))
  }
}

extension OneDNNLibrary {
  func pool(_ pool: Pool, _ step: Step) throws(BackendError) -> Blueprint {
    let source = try description(of: step.operands[0])
    let result = try description(of: step.results[0])
    var blueprint = try forward(
      pool, step.operands[0].type.shape, source, step.results[0].type.shape, result,
      dnnl_forward_inference)
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  func averagePoolGradient(_ pool: Pool, _ step: Step) throws(BackendError) -> Blueprint {
    let gradient = try description(of: step.operands[0])
    let result = try description(of: step.results[0])
    let (images, pooled) = (step.results[0].type.shape, step.operands[0].type.shape)
    let hint = try forward(pool, images, result, pooled, gradient, dnnl_forward_training)
    let window = PoolWindow(pool, images: images, result: pooled)
    var blueprint = try Blueprint("dnnl_pooling_backward_primitive_desc_create") {
      dnnl_pooling_backward_primitive_desc_create(
        $0, $1, pool.algorithm, result.pointer, gradient.pointer, window.strides, window.kernel,
        window.gaps, window.before, window.after, hint.description.pointer, $2)
    }
    blueprint.bind(DNNL_ARG_DIFF_DST, .operand(0), gradient)
    blueprint.bind(DNNL_ARG_DIFF_SRC, .result(0), result)
    return blueprint
  }

  private func forward(
    _ pool: Pool, _ images: Shape, _ source: MemoryDescription, _ pooled: Shape,
    _ result: MemoryDescription, _ kind: dnnl_prop_kind_t
  ) throws(BackendError) -> Blueprint {
    let window = PoolWindow(pool, images: images, result: pooled)
    return try Blueprint("dnnl_pooling_forward_primitive_desc_create") {
      dnnl_pooling_forward_primitive_desc_create(
        $0, $1, kind, pool.algorithm, source.pointer, result.pointer, window.strides,
        window.kernel, window.gaps, window.before, window.after, $2)
    }
  }
}

extension Pool {
  fileprivate var algorithm: dnnl_alg_kind_t {
    switch kind {
    case .max: dnnl_pooling_max
    case .average(countsPadding: true): dnnl_pooling_avg_include_padding
    case .average(countsPadding: false): dnnl_pooling_avg_exclude_padding
    }
  }
}

/// The window of a pooling in the library's words, height before width.
private struct PoolWindow {
  let kernel: [Int64]
  let strides: [Int64]
  /// Between the pixels of a window.
  let gaps: [Int64] = [0, 0]
  /// The padding at the top and left, and at the bottom and right.
  let before: [Int64]
  let after: [Int64]

  init(_ pool: Pool, images: Shape, result: Shape) {
    let padding = pool.effectivePadding(input: images, output: result)
    kernel = [Int64(pool.kernel.height), Int64(pool.kernel.width)]
    strides = [Int64(pool.stride.height), Int64(pool.stride.width)]
    before = [Int64(padding.top), Int64(padding.left)]
    after = [Int64(max(padding.bottom, 0)), Int64(max(padding.right, 0))]
  }
}
