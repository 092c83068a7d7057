import ApusIR
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Collects what a cache reports.
private final class Reports: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite("Choosing by timing")
struct TuningTests {
  private let folder: TemporaryFolder
  private let reports = Reports()
  private var path: String { folder.path + "/timings.json" }

  init() throws { folder = try TemporaryFolder() }

  private func backend(_ tuning: Tuning = .quick, exact: Bool = false) -> OneDNNBackend {
    let cache = TuningCache(path: path) { [reports] in reports.add($0) }
    return OneDNNBackend(threads: 2, exact: exact, tuning: tuning, tuningCache: cache)
  }

  /// A few kinds of convolutions.
  private func network() throws -> Graph {
    try trace { scope in
      var x = scope.argument("x", .float32, [2, 3, 20, 24])
      for (index, (outputs, groups)) in [(32, 1), (48, 1), (48, 48), (20, 1)].enumerated() {
        let filter = scope.parameter(
          "filter\(index)", [outputs, x.shape[1] / groups, 3, 3], .heNormal)
        x = try relu(convolution(x, filter, Convolution(padding: Padding2D(1), groups: groups)))
      }
      return ["y": x]
    }
  }

  private func expectReference(_ backend: OneDNNBackend) throws {
    let graph = try network()
    let values = randomInputs(graph, seed: .random(in: 0 ... .max))
    let (program, inputs) = try compile(graph, values, backend)
    let results = try program.makeExecution().run(inputs)
    let expected = try graph.evaluate(values)
    let tolerance = Tolerance(relative: 1e-4, absolute: 1e-4)
    #expect(difference(results[0], from: expected[0], within: tolerance) == nil)
  }

  private func content() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test("keeps what was found, and looks nothing up twice", arguments: [Tuning.quick, .full])
  func cache(tuning: Tuning) throws {
    try expectReference(backend(tuning))
    let first = try content()
    #expect(first.contains("[2, 32, 20, 24]") && first.contains("2 threads"))
    // A name of our own shows that nothing is timed or written again.
    let marked = first.replacingOccurrences(of: "\"format\" : 4", with: "\"format\" :    4")
    try marked.write(toFile: path, atomically: true, encoding: .utf8)
    try expectReference(backend(tuning))
    #expect(try content() == marked)
    #expect(reports.all.isEmpty)
  }

  @Test("follows the cache, but not to an algorithm that does not exist")
  func followed() throws {
    try expectReference(backend())
    let graph = try network()
    func implementations() throws -> [String] {
      let parameters = PreparedParameters(ParameterStore(initializing: graph))
      return try backend().profiler(for: graph, parameters).steps.map(\.implementation)
    }
    for algorithm in ["winograd2x2", "winograd4x4", "jit:avx2", "winograd9x9", "nonsense", ""] {
      let layers = try content().replacing(
        /(48, 32, 3, 3.*" : )".*"/, with: { "\($0.1)\"\(algorithm)\"" }
      ).replacing(" ruled\"", with: " timed\"")
      try layers.write(toFile: path, atomically: true, encoding: .utf8)
      let chosen = try implementations()
      let exists = algorithm == "winograd2x2" || algorithm == "winograd4x4"
      #expect(!exists || chosen.contains { $0.hasPrefix(algorithm) }, "\(algorithm): \(chosen)")
      try expectReference(backend())
    }
    #expect(reports.all.isEmpty)
  }

  @Test(
    "ignores with one line a file that is none, and one of another processor",
    arguments: [
      "", "{", "[1, 2]", "{\"format\": 2}", String(repeating: "[", count: 100_000), "\u{0}\u{1}",
    ])
  func corrupt(text: String) throws {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    try expectReference(backend())
    #expect(reports.all.count == 1)
    #expect(reports.all[0].hasPrefix("\(path): ignored and written anew: "))
    let written = try content()
    try expectReference(backend())
    #expect(try content() == written && reports.all.count == 1)
  }

  @Test("ignores what was found on another processor")
  func foreign() throws {
    try expectReference(backend())
    let other = try content().replacing(/"processor" : ".*"/, with: "\"processor\" : \"6502\"")
    try other.write(toFile: path, atomically: true, encoding: .utf8)
    try expectReference(backend())
    let reason = "it is of another processor or version"
    #expect(reports.all == ["\(path): ignored and written anew: \(reason)"])
    #expect(try !content().contains("6502"))
  }

  @Test("goes on where the cache cannot be written, with one line")
  func unwritable() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try expectReference(backend())
    #expect(reports.all.contains { $0.hasPrefix("timings of kernels are not kept: ") })
  }

  @Test("keeps what another process has added meanwhile")
  func merged() throws {
    let (ours, theirs) = (backend(), backend(exact: true))
    try expectReference(ours)
    try expectReference(theirs)
    let text = try content()
    #expect(text.contains("2 threads exact\"") && text.contains("2 threads\""))
  }

  @Test("never takes Winograd's tiles where exact results are asked for")
  func exact() throws {
    try expectReference(backend(.full, exact: true))
    #expect(try !content().contains("winograd"))
  }

  @Test("is off without a cache, and then every program is the same")
  func off() throws {
    let graph = try network()
    let plan = try OneDNNBackend(threads: 2, tuning: .off).planDescription(of: graph)
    #expect(OneDNNBackend(threads: 2, tuning: .full).tuning == .off)
    #expect(try OneDNNBackend(threads: 2).planDescription(of: graph) == plan)
    try expectReference(OneDNNBackend(threads: 2, tuning: .off))
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
