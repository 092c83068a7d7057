import ApusBench
import ApusTestSupport
import Foundation
import Testing

@Suite("The folder of a run")
struct RunDirectoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func line(_ model: String, _ more: String = "") -> String {
    #"{"schema":1,"status":"ok","model":"\#(model)","mode":"infer","warnings":[]\#(more)}"#
  }

  private func write(_ text: String, to name: String = "results.jsonl") throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
  }

  private func error(of text: String) throws -> String {
    try write(text)
    do {
      _ = try RunDirectory.read(folder.path)
      return ""
    } catch {
      return error.description.replacing(folder.path, with: "RUN")
    }
  }

  @Test("has the rows that were written, as a folder and as a file")
  func rows() throws {
    var row = BenchRow(status: .oom, reason: "9 GiB planned", model: "vgg16", mode: "infer")
    row.batchSize = 64
    let text = try JSONValue(encoding: row).text() + "\n" + line("resnet18") + "\n"
    try write(text)
    let rows = try RunDirectory.read(folder.path)
    #expect(rows.count == 2 && rows.first == row && rows.last?.model == "resnet18")
    #expect(try RunDirectory.read(folder.path + "/results.jsonl") == rows)
    try write("")
    #expect(try RunDirectory.read(folder.path) == [])
  }

  @Test("is read wherever its last line was cut off")
  func truncated() throws {
    let first = line("resnet18") + "\n"
    let second = line("häuschen", #","latency_ms":{"median":1,"mean":1,"min":1,"max":1}"#) + "\n"
    let bytes = Array((first + second).utf8)
    for length in first.utf8.count...bytes.count {
      try Data(bytes[..<length]).write(to: URL(fileURLWithPath: folder.path + "/results.jsonl"))
      // Without its line break only, the row is whole.
      #expect(try RunDirectory.read(folder.path).count == (length >= bytes.count - 1 ? 2 : 1))
    }
    try write(first + String(repeating: "\0", count: 100))
    #expect(try RunDirectory.read(folder.path).count == 1)
  }

  @Test("says which line is no row, what must hold and what was given")
  func errors() throws {
    let good = line("resnet18") + "\n"
    #expect(
      try error(of: good + "hello\n" + good)
        == "RUN/results.jsonl:2: must be one JSON object, got hello")
    #expect(
      try error(of: good + "\n[1]\n") == "RUN/results.jsonl:3: must be one JSON object, got [1]")
    #expect(
      try error(of: #"{"schema":1,"status":"ok","mode":"infer","warnings":[]}"# + "\n")
        == "RUN/results.jsonl:1: model: must be there, got nothing")
    #expect(
      try error(of: line("m", #","latency_ms":{"median":"fast","mean":1,"min":1,"max":1}"#) + "\n")
        == #"RUN/results.jsonl:1: latency_ms.median: must be a number, got "fast""#)
    #expect(
      try error(of: good.replacing("ok", with: "fine"))
        == "RUN/results.jsonl:1: status: must be one of ok, oom, timeout, failed, skipped, "
        + #"got "fine""#)
    #expect(
      try error(of: line("m", #","batch_size":1.5"#) + "\n").contains(
        ":1: must be numbers within 64 bits, whole where they count, got {"))
    #expect(
      try error(of: line("m", #","batch_size":0"#) + "\n")
        == "RUN/results.jsonl:1: batch_size: must be at least 1, got 0")
    #expect(
      try error(of: line("m", #","first_ms":-2"#) + "\n")
        == "RUN/results.jsonl:1: first_ms: must be at least 0, got -2.0")
    #expect(
      try error(of: good.replacing(#""schema":1"#, with: #""schema":2"#))
        == "RUN/results.jsonl:1: schema: must be 1, the format of this version of apus, got 2")
    #expect(
      try error(of: line("m", #","samples":"../../etc/passwd""#) + "\n")
        == "RUN/results.jsonl:1: samples: must be a path within the run's folder, "
        + "got ../../etc/passwd")
  }

  @Test("that is none says what was looked for")
  func missing() throws {
    #expect {
      try RunDirectory.read(folder.path)
    } throws: { error in
      "\(error)" == "\(folder.path): must be a folder with the results.jsonl that "
        + "`apus bench -o` writes, or such a file: No such file or directory"
    }
  }

  @Test("has the times of a row's iterations, where they are there")
  func samples() throws {
    var row = BenchRow(status: .ok, model: "m", mode: "infer")
    #expect(try RunDirectory.samples(of: row, in: folder.path) == nil)
    row.samples = "samples/m-1.json"
    #expect(try RunDirectory.samples(of: row, in: folder.path) == nil)
    try FileManager.default.createDirectory(
      atPath: folder.path + "/samples", withIntermediateDirectories: false)
    try write("[1.5, 2, 0.25]", to: "samples/m-1.json")
    #expect(try RunDirectory.samples(of: row, in: folder.path) == [1.5, 2, 0.25])
    #expect(
      try RunDirectory.samples(of: row, in: folder.path + "/results.jsonl") == [1.5, 2, 0.25])
    for wrong in ["[]", "[1, -2]", "[1, 0]", "[1, null]", #"["1"]"#, "[1,", "{}", "1", "[1e999]"] {
      try write(wrong, to: "samples/m-1.json")
      #expect(
        throws: RunDirectoryError.notSamples(path: folder.path + "/samples/m-1.json", given: wrong)
      ) {
        try RunDirectory.samples(of: row, in: folder.path)
      }
    }
  }
}
