import ApusIR
import ApusRuntime
import Foundation

/// A file that `Fixtures/make.py` wrote.
enum Fixture {
  struct NotFound: Error { let name: String }

  static func path(_ name: String) throws -> String {
    let url = Bundle.module.url(forResource: "Fixtures/" + name, withExtension: nil)
    guard let path = url?.path, FileManager.default.fileExists(atPath: path) else {
      throw NotFound(name: name)
    }
    return path
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  static func open(_ name: String) throws -> WeightFile { try WeightFile(path: path(name)) }

  /// Element `index` of every storage `make.py` makes.
  static func value(_ index: Int) -> Int { (index * 37 + 11) % 97 - 48 }

  static func values(_ indices: some Sequence<Int>) -> [Float] {
    indices.map { Float(value($0)) }
  }

  /// Runs `body` with a new folder, which is removed afterwards.
  static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "apus-tests-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  static func contents(of folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }
}

extension HostTensor {
  static func random(_ type: TensorType) -> HostTensor {
    HostTensor(type) { bytes in
      // xorshift64; the system's generator takes a call for each number.
      var state = UInt64.random(in: 1 ... .max)
      for index in bytes.indices {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        bytes[index] = UInt8(truncatingIfNeeded: state >> 32) & (type.dtype == .bool ? 1 : 255)
      }
    }
  }

  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  /// All numbers as `Double`, whatever the element type.
  var numbers: [Double] {
    switch dtype {
    case .float32: values(as: Float.self).map(Double.init)
    case .float64: values(as: Double.self)
    case .float16: values(as: Float16.self).map(Double.init)
    case .bfloat16:
      values(as: UInt16.self).map { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .int64: values(as: Int64.self).map(Double.init)
    case .int32: values(as: Int32.self).map(Double.init)
    case .int16: values(as: Int16.self).map(Double.init)
    case .int8: values(as: Int8.self).map(Double.init)
    case .uint8: values(as: UInt8.self).map(Double.init)
    case .bool: values(as: UInt8.self).map(Double.init)
    }
  }
}

/// The reason for which opening `contents` as weights fails, or `nil` where it does not.
func reason(_ contents: [UInt8]) -> WeightsError.Reason? {
  do throws(WeightsError) {
    _ = try WeightFile(contents: contents, path: "file")
    return nil
  } catch {
    return error.reason
  }
}
