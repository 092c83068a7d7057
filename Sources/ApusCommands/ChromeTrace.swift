import ApusBench
import ApusOneDNN

/// Runs as a trace in the JSON of Chrome's trace events, which Perfetto opens: a bar for each run
/// and below it one for each of its steps in each micro-batch.
struct ChromeTrace {
  private var events: [JSONValue] = []
  private let origin: Int64

  init(_ title: String, _ steps: [StepDescription], _ runs: [RunTimes]) {
    origin = runs.first?.run.lowerBound ?? 0
    events.append(
      .object([
        .init("name", .string("process_name")), .init("ph", .string("M")),
        .init("pid", .integer(1)),
        .init("args", .object([.init("name", .string(title))])),
      ]))
    for (index, times) in runs.enumerated() {
      add("run \(index + 1)", "run", times.run, [])
      for stepTimes in times.microBatches {
        for (step, time) in zip(steps, stepTimes) { add(step, time) }
      }
    }
  }

  var text: String {
    JSONValue.object([
      .init("traceEvents", .array(events)), .init("displayTimeUnit", .string("ms")),
    ]).text() + "\n"
  }

  private mutating func add(_ step: StepDescription, _ time: Range<Int64>) {
    add(
      step.name, step.kind.rawValue, time,
      [
        .init("path", .string(step.path)), .init("implementation", .string(step.implementation)),
        .init("attributes", .string(step.attributes)),
        .init("macs", .integer(Int64(step.macs))), .init("bytes", .integer(Int64(step.bytes))),
      ])
  }

  /// A bar; the format counts microseconds.
  private mutating func add(
    _ name: String, _ category: String, _ time: Range<Int64>, _ arguments: [JSONValue.Member]
  ) {
    events.append(
      .object([
        .init("name", .string(name)), .init("cat", .string(category)), .init("ph", .string("X")),
        .init("ts", .number(Double(time.lowerBound - origin) * 1e-3)),
        .init("dur", .number(Double(time.count) * 1e-3)), .init("pid", .integer(1)),
        .init("tid", .integer(1)), .init("args", .object(arguments)),
      ]))
  }
}
