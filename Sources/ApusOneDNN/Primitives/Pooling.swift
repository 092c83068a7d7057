import ApusIR
import ApusPlan
import ApusRuntime
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

extension OneDNNLibrary {
  func pool(_ pool: Pool, _ step: Step) throws(BackendError) -> Blueprint {
    let algorithm =
      switch pool.kind {
      case .max: dnnl_pooling_max
      case .average(countsPadding: true): dnnl_pooling_avg_include_padding
      case .average(countsPadding: false): dnnl_pooling_avg_exclude_padding
      }
    let source = try description(of: step.operands[0])
    let result = try description(of: step.results[0])
    let padding = pool.effectivePadding(
      input: step.operands[0].type.shape, output: step.results[0].type.shape)
    func pair(_ height: Int, _ width: Int) -> [Int64] { [Int64(height), Int64(width)] }
    var blueprint = try Blueprint("dnnl_pooling_forward_primitive_desc_create") {
      dnnl_pooling_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, algorithm, source.pointer, result.pointer,
        pair(pool.stride.height, pool.stride.width), pair(pool.kernel.height, pool.kernel.width),
        pair(0, 0), pair(padding.top, padding.left),
        pair(max(padding.bottom, 0), max(padding.right, 0)), $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }
}
