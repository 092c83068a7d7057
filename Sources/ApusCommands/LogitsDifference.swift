import Apus

/// How far logits `[n, k]` are from expected ones.
struct LogitsDifference {
  let absolute: Double
  /// Relative to the largest expected magnitude.
  let relative: Double
  /// The part of rows whose largest logit is at the same class.
  let top1Agreement: Double

  init(_ logits: HostTensor, from expected: HostTensor) {
    let (got, wanted) = (logits.floats, expected.floats)
    // A NaN anywhere must show: max would pass over it.
    absolute = zip(got, wanted).reduce(0) { worst, pair in
      let difference = Double((pair.0 - pair.1).magnitude)
      return worst.isNaN || difference.isNaN ? .nan : max(worst, difference)
    }
    relative = absolute / Double(wanted.reduce(0) { max($0, $1.magnitude) })
    let classes = logits.shape[1]
    func top1(_ values: [Float], _ row: Int) -> Int? {
      (row * classes..<(row + 1) * classes).max { values[$0] < values[$1] }
    }
    let rows = 0..<logits.shape[0]
    top1Agreement =
      Double(rows.count { top1(got, $0) == top1(wanted, $0) }) / Double(rows.count)
  }
}
