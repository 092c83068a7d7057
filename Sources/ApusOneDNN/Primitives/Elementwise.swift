import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension Unary {
  /// The library's function with its α and β, where it has one.
  var algorithm: (dnnl_alg_kind_t, Float, Float)? {
    switch self {
    case .negate: (dnnl_eltwise_linear, -1, 0)
    case .abs: (dnnl_eltwise_abs, 0, 0)
    case .exp: (dnnl_eltwise_exp, 0, 0)
    case .log: (dnnl_eltwise_log, 0, 0)
    case .sqrt: (dnnl_eltwise_sqrt, 0, 0)
    case .rsqrt: (dnnl_eltwise_pow, 1, -0.5)
    case .tanh: (dnnl_eltwise_tanh, 0, 0)
    case .logistic: (dnnl_eltwise_logistic, 0, 0)
    case .sign, .log1p, .floor, .ceil: nil
    }
  }
}

extension Binary {
  /// The library's function, where it has one.
  var algorithm: dnnl_alg_kind_t? {
    switch self {
    case .add: dnnl_binary_add
    case .subtract: dnnl_binary_sub
    case .multiply: dnnl_binary_mul
    case .divide: dnnl_binary_div
    case .maximum: dnnl_binary_max
    case .minimum: dnnl_binary_min
    case .power, .and, .or: nil
    }
  }
}

extension OneDNNLibrary {
  func unary(_ unary: Unary, _ step: Step) throws(BackendError) -> Blueprint? {
    guard let (algorithm, alpha, beta) = unary.algorithm else { return nil }
    return try eltwise(algorithm, alpha, beta, step)
  }

  func eltwise(
    _ algorithm: dnnl_alg_kind_t, _ alpha: Float, _ beta: Float, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let source = try description(of: step.operands[0])
    let result = try description(of: step.results[0])
    var blueprint = try Blueprint("dnnl_eltwise_forward_primitive_desc_create") {
      dnnl_eltwise_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, algorithm, source.pointer, result.pointer, alpha, beta, $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  /// The second operand may have unit extents where it broadcasts.
  func binary(_ binary: Binary, _ step: Step) throws(BackendError) -> Blueprint? {
    guard let algorithm = binary.algorithm else { return nil }
    let (left, right, result) = try binaryDescriptions(step)
    var blueprint = try Blueprint(
      "dnnl_binary_primitive_desc_create", postOps: postOps(of: step)
    ) {
      dnnl_binary_primitive_desc_create(
        $0, $1, algorithm, left.pointer, right.pointer, result.pointer, $2)
    }
    blueprint.bind(DNNL_ARG_SRC_0, .operand(0), left)
    blueprint.bind(DNNL_ARG_SRC_1, .operand(1), right)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  /// The description of what a step reads beside its images. Vectors of whole blocks of channels lie
  /// in memory as blocks do, and the library has generated code for them only under that name.
  func description(
    of operand: Operand, besides image: Operand
  ) throws(BackendError) -> MemoryDescription {
    var operand = operand
    if operand.layout == .rowMajor, operand.type.rank == 4, case .blocked = image.layout,
      image.layout.isRowMajor(for: operand.type.shape)
    {
      operand.layout = image.layout
    }
    return try description(of: operand)
  }

  /// The operands and the result of a binary step. Row-major tensors lose the axes that do not
  /// matter, so that the library sees a broadcast it has generated code for: a filter scaled per
  /// output channel, `[o, i, h, w] · [o, 1, 1, 1]`, becomes `[1, o, i·h·w] · [1, o, 1]`.
  private func binaryDescriptions(
    _ step: Step
  ) throws(BackendError) -> (
    left: MemoryDescription, right: MemoryDescription, result: MemoryDescription
  ) {
    let (left, right, result) = (step.operands[0], step.operands[1], step.results[0])
    guard [left, right, result].allSatisfy({ $0.layout == .rowMajor }), left.type != right.type,
      left.type == result.type, step.operands.count == 2
    else {
      return (
        try description(of: left), try description(of: right, besides: result),
        try description(of: result)
      )
    }
    var whole: [Int] = []
    var part: [Int] = []
    var repeats: Bool?
    for (extent, other) in zip(left.type.shape, right.type.shape) where extent > 1 {
      if repeats == (other == 1) {
        whole[whole.count - 1] *= extent
        part[part.count - 1] *= other
      } else {
        whole.append(extent)
        part.append(other)
      }
      repeats = other == 1
    }
    // The generated code repeats along the axes around the second one.
    if part.first == whole.first {
      whole.insert(1, at: 0)
      part.insert(1, at: 0)
    }
    let full = try MemoryDescription.rowMajor(Shape(whole))
    return (full, try .rowMajor(Shape(part)), full)
  }
}
