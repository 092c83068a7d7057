import ApusIR
import ApusPJRT
import ApusRuntime
import ApusStableHLO
import Foundation
import Testing

/// The CPU plugin, as a user's search finds it.
enum TestPlugin {
  static let path: Result<String, PluginError> = Result { () throws(PluginError) in
    try PluginSearch(platform: "cpu").run()
  }

  static let isFound = (try? path.get()) != nil

  /// Why the tests that need it are skipped.
  static let missing: Comment =
    "no XLA plugin: looked for the package xla-cpu-pjrt in the Python on the PATH; see scripts/xla"

  /// The first device, on a client that all tests share.
  static func device() throws -> Device {
    try Device.open(DeviceName(platform: "cpu"))
  }
}

extension PhysicalType {
  /// A type whose axes lie in their logical order.
  static func rowMajor(_ dtype: DType, _ shape: Shape) -> PhysicalType {
    PhysicalType(TensorType(dtype, shape), order: Array(shape.indices))
  }
}

extension StableHLOModule {
  /// A module of row-major `float32` vectors of one length, called `%x0`, `%x1`, ….
  ///
  /// - Parameters:
  ///   - donated: for inputs, by their places, the result that takes over their memory.
  ///   - body: lines that end in a `return`.
  static func vectors(
    _ count: Int, inputs: Int, results: Int = 1, donated: [Int: Int] = [:], _ body: String
  ) -> StableHLOModule {
    let type = "tensor<\(count)xf32>"
    let arguments = (0..<inputs).map { index in
      let alias = donated[index].map { " {tf.aliasing_output = \($0) : i32}" } ?? ""
      return "%x\(index): \(type)\(alias)"
    }
    let types = Array(repeating: type, count: results).joined(separator: ", ")
    let text = """
      module {
        func.func public @main(\(arguments.joined(separator: ", "))) -> (\(types)) {
          \(body.replacing("T", with: type))
        }
      }
      """
    let layout = PhysicalType.rowMajor(.float32, [count])
    return StableHLOModule(
      text: text, inputs: Array(repeating: layout, count: inputs),
      outputs: Array(repeating: layout, count: results))
  }

  /// x0 · x0 + x1, without donation.
  static func squareAndAdd(_ count: Int) -> StableHLOModule {
    .vectors(
      count, inputs: 2,
      """
      %s = "stablehlo.multiply"(%x0, %x0) : (T, T) -> T
      %y = "stablehlo.add"(%s, %x1) : (T, T) -> T
      return %y : T
      """)
  }

  /// x0 + x1, which takes over the memory of x0.
  static func accumulate(_ count: Int) -> StableHLOModule {
    .vectors(
      count, inputs: 2, donated: [0: 0],
      """
      %y = "stablehlo.add"(%x0, %x1) : (T, T) -> T
      return %y : T
      """)
  }
}

/// Fresh numbers in a vector: products and sums of them are exact, whether fused or not.
func randomVector(_ count: Int) -> HostTensor {
  HostTensor([count], (0..<count).map { _ in Float(Int.random(in: -64...64)) / 16 })
}
