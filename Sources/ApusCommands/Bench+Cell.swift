import Apus
import ApusBench
import Foundation

extension Bench {
  /// Measures one cell and hands its row to the process that started this one.
  func measure(_ words: SweepCell) throws {
    CellChannel.endWithReader()
    Interruption.watch(byParent: true)
    let result = try measured(words)
    try CellChannel.send(result)
  }

  private func measured(_ words: SweepCell) throws -> CellResult {
    // Before OpenMP binds the process's threads to cores.
    let machine = MachineState.current()
    let cell = try CellRunner.Cell(words, on: machine)
    let model = try ModelOption(parsing: words.model).model
    guard let variant = network.variants.first(where: { $0.matches(words) }) else {
      throw InputError("--cell: must be one of the command's, got \(words)")
    }
    let devices: OpenDevices
    do {
      devices = try OpenDevices([cell.device], cpu, xla)
    } catch {
      return CellResult(row: BenchRow(words, status: .skipped, reason: "\(error)"))
    }
    let runner = CellRunner(
      rules: try measuring.rules(), runs: measuring.runs?.value ?? CellRunner.runs,
      memoryLimit: sweep.memoryLimit?.bytes, devices: devices)
    return runner.run(
      cell, CellRunner.Network(words, model, try variant.options(for: model), weights: weights),
      BenchRow(words, status: .ok))
  }
}

/// What came of a cell.
struct CellResult: Sendable {
  var row: BenchRow
  /// The times of the iterations, in milliseconds.
  var samples: [Double] = []
}

/// The stream between the process of a cell and the one that started it: a line for the row, one
/// for the samples.
enum CellChannel {
  /// The smallest useful message: anything that is not a whole one counts as none.
  static func parse(_ data: Data) -> CellResult? {
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count == 3, lines[2].isEmpty,
      let row = try? JSONDecoder().decode(BenchRow.self, from: lines[0]),
      let samples = try? JSONDecoder().decode([Double].self, from: lines[1])
    else { return nil }
    return CellResult(row: row, samples: samples)
  }

  static func send(_ result: CellResult) throws {
    let samples = JSONValue.array(result.samples.map(JSONValue.number)).text()
    let text = try JSONValue(encoding: result.row).text() + "\n" + samples + "\n"
    let file = FileHandle(fileDescriptor: ChildProcess.resultDescriptor, closeOnDealloc: false)
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  /// Ends this process as soon as nobody reads its result any more: where the parent was killed,
  /// nothing shall go on measuring.
  static func endWithReader() {
    // Programs that this one starts shall not keep the stream open.
    _ = fcntl(ChildProcess.resultDescriptor, F_SETFD, FD_CLOEXEC)
    let watcher = Thread {
      // Without an event to wait for, only the end of the reader wakes it (POLLERR).
      var stream = pollfd(fd: ChildProcess.resultDescriptor, events: 0, revents: 0)
      while poll(&stream, 1, -1) <= 0 {}
      if stream.revents & Int16(POLLERR) != 0 { kill(getpid(), SIGKILL) }
    }
    watcher.stackSize = 1 << 16
    watcher.start()
  }
}
