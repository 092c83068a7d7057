import ApusIR

extension TensorType {
  /// `tensor<8x224x224x3xf32>`
  var spelling: String { "tensor<" + shape.map { "\($0)x" }.joined() + dtype.spelling + ">" }
}

extension DType {
  var spelling: String {
    switch self {
    case .float32: "f32"
    case .float64: "f64"
    case .float16: "f16"
    case .bfloat16: "bf16"
    case .int64: "i64"
    case .int32: "i32"
    case .int16: "i16"
    case .int8: "i8"
    case .uint8: "ui8"
    case .bool: "i1"
    }
  }

  /// A number as MLIR reads it back: the representable one nearest to `value`.
  ///
  /// MLIR rounds a decimal to the element type itself, to nearest even. What it has no decimal for,
  /// and what overflows, is written as bits. Integers saturate (NaN is 0), as in the reference.
  func literal(_ value: Double) -> String {
    if self == .bool { return value == 0 ? "false" : "true" }
    if let range = integers { return "\(range.nearest(value))" }
    if value.isNaN { return bits.nan }
    if overflows(value) { return value < 0 ? bits.negativeInfinity : bits.infinity }
    let text = "\(value)"
    // The lexer wants a point: 1e-05 is written 1.0e-05.
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  /// The range of an integer type; bool has 0 and 1.
  var integers: ClosedRange<Int64>? {
    switch self {
    case .float32, .float64, .float16, .bfloat16: nil
    case .int64: .min ... .max
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .int16: Int64(Int16.min)...Int64(Int16.max)
    case .int8: Int64(Int8.min)...Int64(Int8.max)
    case .uint8: 0...255
    case .bool: 0...1
    }
  }

  /// Whether a floating-point type rounds the value to an infinity: from halfway beyond its largest
  /// number.
  private func overflows(_ value: Double) -> Bool {
    switch self {
    case .float16: value.magnitude >= 65520
    case .bfloat16: value.magnitude >= 0x1.FFp127
    case .float32: Float(value).isInfinite
    default: value.isInfinite
    }
  }

  private var bits: (nan: String, infinity: String, negativeInfinity: String) {
    switch self {
    case .float16: ("0x7E00", "0x7C00", "0xFC00")
    case .bfloat16: ("0x7FC0", "0x7F80", "0xFF80")
    case .float32: ("0x7FC00000", "0x7F800000", "0xFF800000")
    default: ("0x7FF8000000000000", "0x7FF0000000000000", "0xFFF0000000000000")
    }
  }
}

extension ClosedRange<Int64> {
  /// The integer part of a number, or the nearest end; 0 for NaN.
  fileprivate func nearest(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= Double(upperBound) { return upperBound }
    return value <= Double(lowerBound) ? lowerBound : Int64(value)
  }
}

/// `array<i64: 1, 2>`
func spelled(_ integers: [Int]) -> String {
  integers.isEmpty
    ? "array<i64>" : "array<i64: \(integers.map(String.init).joined(separator: ", "))>"
}

/// `dense<[[1, 1], [0, 2]]> : tensor<2x2xi64>`, what lies before and after each axis.
func spelled(_ padding: [(low: Int, high: Int)]) -> String {
  let pairs = padding.map { "[\($0.low), \($0.high)]" }.joined(separator: ", ")
  return "dense<[\(pairs)]> : tensor<\(padding.count)x2xi64>"
}
