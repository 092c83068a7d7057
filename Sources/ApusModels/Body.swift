import ApusNN
import ApusTensor

/// The part of a network that works on images: units one after the other, in stages, with segments
/// that training may compute again.
struct Body: Layer {
  private let scope: Scope
  private let segments: [Segment]

  private struct Segment {
    let units: [any Layer]
    let isRemade: Bool
  }

  /// - Parameters:
  ///   - stages: the stem first.
  ///   - checkpoint: `nil` is the network's own way.
  ///   - ownSegments: after how many units each segment of that way ends but the last, which ends with
  ///     the units; none where the network keeps all.
  init(
    _ scope: Scope, stages: [[any Layer]], _ checkpoint: NetworkOptions.Checkpoint?,
    ownSegments: [Int] = []
  ) {
    self.scope = scope
    let units = stages.flatMap { $0 }
    let own = ownSegments.isEmpty ? [] : ownSegments + [units.count]
    let ends = checkpoint?.segmentEnds(stages: stages.map(\.count)) ?? own
    var (segments, start) = ([Segment](), 0)
    for end in ends where end > start {
      segments.append(Segment(units: Array(units[start..<end]), isRemade: true))
      start = end
    }
    segments.append(Segment(units: Array(units[start...]), isRemade: false))
    self.segments = segments
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var x = x
    for segment in segments {
      let body = Chain(segment.units)
      x = segment.isRemade ? try scope.checkpoint { try body(x) } : try body(x)
    }
    return x
  }
}

extension NetworkOptions.Checkpoint {
  /// After how many units each segment ends that is computed again; those of the last segment are
  /// kept, since the backward half would begin by making them again.
  ///
  /// - Parameter stages: the units of each.
  func segmentEnds(stages: [Int]) -> [Int] {
    let count = stages.reduce(0, +)
    switch self {
    case .none: return []
    case .stages:
      var end = 0
      return stages.dropLast().map { stage in
        end += stage
        return end
      }
    case .sqrt:
      let segments = Int(Double(count).squareRoot().rounded())
      return (1..<max(segments, 1)).map { $0 * count / segments }
    }
  }
}
