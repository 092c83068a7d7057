import ApusRuntime

/// A label that is none of the classes.
public struct LabelError: Error, Hashable, Sendable {
  /// The label's place in the batch.
  public let row: Int
  public let given: Double
  public let classes: Int
  /// Whether all labels would be classes if each was one less.
  public let countsFromOne: Bool
}

extension LabelError: CustomStringConvertible {
  public var description: String {
    let number = Int(exactly: given).map(String.init) ?? "\(given)"
    let remedy =
      countsFromOne
      ? "labels count from 0: subtract 1 from each"
      : "is the network made for the classes of this dataset?"
    return "labels: row \(row): must be in 0..<\(classes), got \(number)\n  hint: \(remedy)"
  }
}

/// Requires every label of a batch to be a class, before a run is given them: within a run nothing
/// stops at a wrong one.
///
/// - Throws: the first label that is none of `0..<classes`.
public func checkLabels(_ labels: HostTensor, classes: Int) throws(LabelError) {
  let values = labels.doubles
  func isClass(_ label: Double) -> Bool {
    label >= 0 && label < Double(classes) && label == label.rounded()
  }
  guard let row = values.firstIndex(where: { !isClass($0) }) else { return }
  throw LabelError(
    row: row, given: values[row], classes: classes,
    countsFromOne: values.allSatisfy { isClass($0 - 1) })
}
