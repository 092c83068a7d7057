import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension OneDNNLibrary {
  /// The library keeps reduced axes with extent 1; the elements lie the same.
  func reduce(_ reduce: Reduce, _ step: Step) throws(BackendError) -> Blueprint {
    let algorithm =
      switch reduce.kind {
      case .sum: dnnl_reduction_sum
      case .mean: dnnl_reduction_mean
      case .product: dnnl_reduction_mul
      case .max: dnnl_reduction_max
      case .min: dnnl_reduction_min
      }
    let source = try description(of: step.operands[0])
    var shape = step.operands[0].type.shape
    for axis in reduce.axes { shape[axis] = 1 }
    let result = try MemoryDescription.rowMajor(shape)
    var blueprint = try Blueprint("dnnl_reduction_primitive_desc_create") {
      dnnl_reduction_primitive_desc_create(
        $0, $1, algorithm, source.pointer, result.pointer, 0, 0, $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }
}
