import ApusIR
import ApusReference
import ApusRuntime
import ApusStableHLO
import ApusTestSupport
import Foundation

/// A module with inputs, and what its results must be.
struct JudgedCase: Sendable {
  let name: String
  let module: StableHLOModule
  let inputs: [HostTensor]
  let expected: [HostTensor]
  let tolerance: Tolerance

  /// The graph's own module, whose results must be the reference's.
  init(
    _ name: String, _ graph: Graph, _ inputs: [HostTensor], _ tolerance: Tolerance,
    inputOrders: [[Int]?]? = nil, outputOrders: [[Int]?]? = nil
  ) throws {
    self.name = name
    self.inputs = inputs
    self.tolerance = tolerance
    module = try Emitter().module(
      for: graph, inputOrders: inputOrders, outputOrders: outputOrders)
    expected = try graph.evaluate(inputs)
  }

  init(
    _ name: String, _ module: StableHLOModule, _ inputs: [HostTensor], _ expected: [HostTensor],
    _ tolerance: Tolerance
  ) {
    self.name = name
    self.module = module
    self.inputs = inputs
    self.expected = expected
    self.tolerance = tolerance
  }
}

/// What became of a case.
struct Verdict: Sendable {
  let name: String
  /// What differs, or why the case could not be run.
  let difference: String?
  /// The inputs that were donated to outputs.
  let donated: [Int]
}

/// JAX, which compiles modules with a compiler of its own build: a second opinion on their meaning.
enum Judge {
  static let wanted = "Python with jax (APUS_TEST_PYTHON, or python3)"

  /// A Python that can import jax: the one that the environment names, else `python3`.
  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["APUS_TEST_PYTHON"]
    let candidate = named ?? "python3"
    let status = try? run(candidate, ["-c", "import jax"], log: nil)
    // A Python that was asked for by name must not be passed over in silence.
    return status == 0 || named != nil ? candidate : nil
  }()

  struct Failure: Error, CustomStringConvertible { let description: String }

  /// Runs all cases in one process.
  static func verdicts(on cases: [JudgedCase]) throws -> [Verdict] {
    guard let python else { throw Failure(description: "there is no \(wanted)") }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "apus-judge-\(UInt64.random(in: .min ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let listing = try cases.enumerated().map { try write($1, number: $0, to: folder) }
    try JSONEncoder().encode(listing).write(to: folder.appending(path: "cases.json"))
    let log = folder.appending(path: "log").path
    let status = try run(python, [fixture("judge.py"), folder.path], log: log)
    guard status == 0 else {
      let text = try String(contentsOfFile: log, encoding: .utf8)
      throw Failure(description: "\(python) ended with \(status): \(text.suffix(3000))")
    }
    let errors = try table(of: String.self, in: folder.appending(path: "errors.json"))
    let donated = try table(of: [Int].self, in: folder.appending(path: "donated.json"))
    return try cases.indices.map { index in
      let reason = try errors[index] ?? difference(cases[index], listing[index], in: folder)
      return Verdict(
        name: cases[index].name, difference: reason, donated: donated[index] ?? [])
    }
  }

  private struct Listing: Codable {
    struct Array: Codable {
      let type: String
      let shape: [Int]
      let file: String
    }
    let text: String
    let inputs: [Array]
    let outputs: [Array]
  }

  private static func write(
    _ row: JudgedCase, number: Int, to folder: URL
  ) throws -> Listing {
    func arrays(_ types: [PhysicalType], _ side: String) -> [Listing.Array] {
      types.enumerated().map { index, type in
        Listing.Array(
          type: spelling(type.physical.dtype), shape: type.physical.shape.extents,
          file: "\(number)-\(side)\(index)")
      }
    }
    let listing = Listing(
      text: "\(number).mlir", inputs: arrays(row.module.inputs, "input"),
      outputs: arrays(row.module.outputs, "output"))
    try row.module.text.write(
      to: folder.appending(path: listing.text), atomically: false, encoding: .utf8)
    for (array, (value, type)) in zip(listing.inputs, zip(row.inputs, row.module.inputs)) {
      let data = value.arranged(as: type).withUnsafeBytes { Data($0) }
      try data.write(to: folder.appending(path: array.file))
    }
    return listing
  }

  private static func difference(
    _ row: JudgedCase, _ listing: Listing, in folder: URL
  ) throws -> String? {
    for (index, (array, type)) in zip(listing.outputs, row.module.outputs).enumerated() {
      let data = try Data(contentsOf: folder.appending(path: array.file))
      let physical = HostTensor(type.physical) { bytes in data.copyBytes(to: bytes) }
      let wrong = ApusTestSupport.difference(
        physical.rearranged(from: type), from: row.expected[index], within: row.tolerance)
      if let wrong { return "output \(index): \(wrong)" }
    }
    return nil
  }

  private static func table<Element: Decodable>(
    of type: Element.Type, in file: URL
  ) throws -> [Int: Element] {
    let byName = try JSONDecoder().decode([String: Element].self, from: Data(contentsOf: file))
    return Dictionary(
      uniqueKeysWithValues: byName.compactMap { name, value in
        Int(name).map { ($0, value) }
      })
  }

  private static func run(_ program: String, _ arguments: [String], log: String?) throws -> Int32 {
    // `createFile` puts a new file in the old one's place: never name a device here.
    if let log { _ = FileManager.default.createFile(atPath: log, contents: nil) }
    let output = log.map { FileHandle(forWritingAtPath: $0) } ?? .nullDevice
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = output
    process.standardError = output
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private static func spelling(_ dtype: DType) -> String {
    switch dtype {
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
}

extension HostTensor {
  /// The elements as they lie in memory for a module.
  func arranged(as type: PhysicalType) -> HostTensor {
    evaluate(.transpose(Transpose(type.order)), [self], [type.physical])[0]
  }

  /// The tensor that lies in memory as this one does.
  func rearranged(from type: PhysicalType) -> HostTensor {
    let inverse = type.order.indices.map { type.order.firstIndex(of: $0)! }
    return evaluate(.transpose(Transpose(inverse)), [self], [type.logical])[0]
  }
}

/// The path of a file beside the tests' sources, where it can also be recorded.
func fixture(_ name: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
}
