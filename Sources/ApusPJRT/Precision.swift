import ApusIR
import ApusStableHLO

/// What numbers a network computes in.
public enum Precision: String, Hashable, Sendable, CaseIterable {
  case float32 = "fp32"
  /// `float32` whose products may be rounded to 10 bits after the point, which GPUs do faster.
  case tensorFloat32 = "tf32"
  case bfloat16 = "bf16"
  case float16 = "fp16"

  /// The narrower type of images and parameters, if there is one.
  var lowered: DType? {
    switch self {
    case .float32, .tensorFloat32: nil
    case .bfloat16: .bfloat16
    case .float16: .float16
    }
  }

  var emitter: Emitter { Emitter(allowsTF32: self == .tensorFloat32) }
}
