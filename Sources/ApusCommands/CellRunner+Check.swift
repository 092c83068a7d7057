import Apus
import ApusBench
import ApusOneDNN
import ApusPJRT

extension CellRunner {
  /// Compares a cell's logits with those of a simpler way to compute them; the row fails where they
  /// are too far apart.
  func check(
    _ logits: HostTensor, _ cell: Cell, _ network: Network, _ images: HostTensor,
    _ row: inout BenchRow
  ) throws {
    guard let (mode, count) = reference(for: cell) else { return }
    do {
      let expected = try run(mode, network, images.rows(0..<count), threads: cell.threads)
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
    _ mode: OneDNNBackend.Mode, _ network: Network, _ images: HostTensor, threads: Int
  ) throws -> HostTensor {
    let graph = try network.model.graph(images: images.shape, network.options)
    let program = try OneDNNBackend(mode, threads: threads)
      .compile(graph, PreparedParameters(network.parameters))
    return try program.makeExecution().run([images])[0]
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
