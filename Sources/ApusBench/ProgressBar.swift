/// A line that shows how far a sweep is.
public enum ProgressBar {
  /// The line for a terminal of some width, such as
  /// `[####------] 12/48  3 min 05 s left  resnet18, batch 2, compiled`.
  public static func line(
    done: Int, of total: Int, remaining: Duration, label: String, width: Int
  ) -> String {
    let cells = 20
    let filled = total > 0 ? min(cells, cells * done / total) : cells
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: cells - filled)
    let line = "[\(bar)] \(done)/\(total)  \(HumanNumber.time(remaining)) left  \(label)"
    // A line that wraps could not be taken back.
    return String(line.prefix(max(1, width - 1)))
  }
}
