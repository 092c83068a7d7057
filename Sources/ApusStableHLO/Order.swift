import ApusIR

extension PhysicalType {
  /// A type in the order that its inputs and outputs have unless asked otherwise.
  ///
  /// Rank 4 has axis 1 innermost, which makes images NHWC and filters OHWI; all else is row-major.
  /// The rule looks at nothing but the rank, so that whole graphs, single nodes and parameters that
  /// were prepared elsewhere agree without knowing of each other.
  public init(standard logical: TensorType) {
    self.init(logical, order: logical.shape.standardOrder)
  }
}

/// The order of axes of NHWC images and OHWI filters.
let channelsLast = [0, 2, 3, 1]

extension Shape {
  var standardOrder: [Int] { rank == 4 ? channelsLast : rowMajorOrder }
  var rowMajorOrder: [Int] { Array(indices) }

  /// The axes of an order that say where elements lie; those of extent 1 do not.
  private func essentialAxes(_ order: [Int]) -> [Int] { order.filter { self[$0] != 1 } }

  /// Whether elements lie at the same places in both orders.
  func lieAlike(_ a: [Int], _ b: [Int]) -> Bool { essentialAxes(a) == essentialAxes(b) }

  /// How a tensor in some order is reshaped: the order it must have before, and the one that its
  /// elements, moving no more, have after.
  ///
  /// Both shapes fall into runs of axes with equal products. A run must lie together, in logical
  /// order, to be split or joined; the runs themselves stay where they begin.
  func reshaping(from order: [Int], to shape: Shape) -> (before: [Int], after: [Int]) {
    var (before, after): ([Int], [Int]) = ([], [])
    let runs = runs(sharedWith: shape)
    for axis in essentialAxes(order) where !before.contains(axis) {
      let run = runs.first { $0.axes.contains(axis) }!
      before += run.axes
      after += run.others
    }
    return (
      before == essentialAxes(order) ? order : completed(before), shape.completed(after)
    )
  }

  /// Runs of axes, without those of extent 1, and the axes of `other` that stand for them.
  private func runs(sharedWith other: Shape) -> [(axes: [Int], others: [Int])] {
    var runs: [(axes: [Int], others: [Int])] = []
    var rest = other.essentialAxes(other.rowMajorOrder)[...]
    var run: (axes: [Int], others: [Int]) = ([], [])
    var (product, otherProduct) = (1, 1)
    for axis in essentialAxes(rowMajorOrder) {
      run.axes.append(axis)
      product *= self[axis]
      while otherProduct < product, let next = rest.popFirst() {
        run.others.append(next)
        otherProduct *= other[next]
      }
      if product == otherProduct {
        runs.append(run)
        run = ([], [])
        (product, otherProduct) = (1, 1)
      }
    }
    return runs
  }

  /// An order with these essential axes: the standard or row-major one if possible.
  private func completed(_ essential: [Int]) -> [Int] {
    for order in [standardOrder, rowMajorOrder] where essentialAxes(order) == essential {
      return order
    }
    return indices.filter { self[$0] == 1 } + essential
  }
}
