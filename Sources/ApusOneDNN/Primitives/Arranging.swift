import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension Broadcast {
  /// Whether each number of a view `[n, c, 1, 1]` is repeated over the pixels of a channel.
  func isOverPixels(of view: TensorType) -> Bool {
    axes == Array(shape.indices) && shape.rank == 4
      && view.shape == [shape[0], shape[1], 1, 1]
  }
}

extension OneDNNLibrary {
  /// An image of one pixel, enlarged.
  func broadcast(_ broadcast: Broadcast, _ step: Step) throws(BackendError) -> Blueprint {
    var view = step.operands[0]
    let layout = step.results[0].layout
    if layout.isRowMajor(for: view.type.shape) { view.layout = layout }
    let source = try description(of: view)
    let result = try description(of: step.results[0])
    var blueprint = try Blueprint("dnnl_resampling_forward_primitive_desc_create") {
      dnnl_resampling_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, dnnl_resampling_nearest, nil, source.pointer,
        result.pointer, $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  /// Copies a tensor into another layout.
  func reorder(_ step: Step) throws(BackendError) -> Blueprint {
    let (from, to) = (step.operands[0], step.results[0])
    let source =
      from.layout == .rowMajor
      ? try rowMajorDescription(of: from, for: to.layout) : try description(of: from)
    let result =
      to.layout == .rowMajor
      ? try rowMajorDescription(of: to, for: from.layout) : try description(of: to)
    return try reorder(source, result)
  }

  /// A transposition is a copy from permuted strides.
  func transpose(_ transpose: Transpose, _ step: Step) throws(BackendError) -> Blueprint {
    let shape = step.operands[0].type.shape
    let strides = shape.rowMajorStrides
    let source = try MemoryDescription(
      step.results[0].type.shape.extents, strides: transpose.permutation.map { strides[$0] })
    return try reorder(source, try description(of: step.results[0]))
  }

  private func reorder(
    _ source: MemoryDescription, _ result: MemoryDescription
  ) throws(BackendError) -> Blueprint {
    var blueprint = try Blueprint("dnnl_reorder_primitive_desc_create") {
      dnnl_reorder_primitive_desc_create($0, source.pointer, $1, result.pointer, $1, $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  func concatenate(_ concatenate: Concatenate, _ step: Step) throws(BackendError) -> Blueprint {
    var sources: [MemoryDescription] = []
    for operand in step.operands { sources.append(try description(of: operand)) }
    let result = try description(of: step.results[0])
    let pointers: [OpaquePointer?] = sources.map(\.pointer)
    var blueprint = try Blueprint("dnnl_concat_primitive_desc_create") {
      dnnl_concat_primitive_desc_create(
        $0, $1, result.pointer, Int32(pointers.count), Int32(concatenate.axis), pointers, $2)
    }
    for (position, source) in sources.enumerated() {
      blueprint.bind(DNNL_ARG_MULTIPLE_SRC + Int32(position), .operand(position), source)
    }
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }
}
