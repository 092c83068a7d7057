import Apus
import ApusBench
import ApusOneDNN
import ApusPJRT

extension CellRunner {
  /// So many images at a time are computed once more: memory for that shall not be what a cell fails
  /// for.
  private static let checkedTogether = 8

  /// Compares a cell's logits with those of a simpler way to compute them; the row fails where they
  /// are too far apart.
  func check(
    _ logits: HostTensor, _ parameters: ParameterStore, _ cell: Cell, _ network: Network,
    _ images: HostTensor, _ row: inout BenchRow
  ) throws {
    guard let (mode, count) = reference(for: cell) else { return }
    do {
      let expected = try run(
        mode, network, parameters, images.rows(0..<count), threads: cell.threads)
      compare(logits.rows(0..<count), with: expected, mode, cell, &row)
    } catch let error as BackendError where error.isOutOfMemory {
      row.warnings.append("not compared with \(mode) on the cpu: \(error)")
    }
  }

  /// How to compute what a cell is compared with on the CPU, and for how many of its images.
  private func reference(for cell: Cell) -> (mode: OneDNNBackend.Mode, images: Int)? {
    switch (cell.device, cell.execution) {
    case (.cpu, .eager): nil
    case (.cpu, .compiled): (.eager, cell.batch)
    // Images do not depend on each other, and a CPU would take long for all of a GPU's.
    case (.xla, _): (.compiled, min(cell.batch, 4))
    }
  }

  private func run(
    _ mode: OneDNNBackend.Mode, _ network: Network, _ parameters: ParameterStore,
    _ images: HostTensor, threads: Int
  ) throws -> HostTensor {
    let backend = OneDNNBackend(mode, threads: threads)
    let prepared = PreparedParameters(parameters)
    let count = images.shape[0]
    var logits: [Float] = []
    var execution: (any Execution)?
    for start in stride(from: 0, to: count, by: Self.checkedTogether) {
      let part = images.rows(start..<min(start + Self.checkedTogether, count))
      if start == 0 || part.shape[0] < Self.checkedTogether {
        let graph = try network.model.graph(images: part.shape, network.options)
        execution = try backend.compile(graph, prepared).makeExecution()
      }
      logits += try execution?.run([part])[0].floats ?? []
    }
    return HostTensor([count, logits.count / count], logits)
  }

  private func compare(
    _ logits: HostTensor, with expected: HostTensor, _ mode: OneDNNBackend.Mode, _ cell: Cell,
    _ row: inout BenchRow
  ) {
    let difference = LogitsDifference(logits, from: expected)
    row.maxAbsDiff = difference.absolute
    row.maxRelDiff = difference.relative
    row.top1Agreement = difference.top1Agreement
    let tolerance = cell.precision.precision.tolerance
    if !(difference.relative <= tolerance) {
      row.status = .failed
      row.reason =
        "logits differ from those of the cpu, \(mode), by \(difference.relative) of the largest, "
        + "more than \(tolerance)"
    }
  }
}

extension Precision {
  /// The part of the largest logit by which logits may differ from the CPU's: rounding errors of
  /// some hundred layers.
  fileprivate var tolerance: Double {
    switch self {
    case .float32: 1e-4
    case .tensorFloat32, .float16: 2e-2
    case .bfloat16: 1e-1
    }
  }
}
