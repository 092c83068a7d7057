import ApusIR
import ApusRuntime
import ApusTestSupport
import Foundation

/// Pictures of digits made of seven strokes: rotated, sheared, scaled, shifted, crossed by a random
/// stroke and under noise. `Fixtures/make_fit.py` draws the same ones.
struct GlyphDigits: Sendable {
  typealias Point = (x: Double, y: Double)

  static let side = 20
  private static let shapes = 12
  private static let unit = 3.0  // pixels
  private static let digits = [
    "abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg",
  ]
  /// Where strokes lie in a glyph that is 2 wide and 4 high.
  private static let strokes: [Character: (Point, Point)] = [
    "a": ((-1, -2), (1, -2)), "b": ((1, -2), (1, 0)), "c": ((1, 0), (1, 2)),
    "d": ((-1, 2), (1, 2)), "e": ((-1, 0), (-1, 2)), "f": ((-1, -2), (-1, 0)),
    "g": ((-1, 0), (1, 0)),
  ]

  /// One picture after the other.
  let pixels: [Float]
  let labels: [Int32]

  init(_ name: String, count: Int) {
    let shapes = HashedWeights.signed(path: "glyphs.\(name).shapes", count: count * Self.shapes)
    let size = Self.side * Self.side
    let noise = HashedWeights.signed(path: "glyphs.\(name).noise", count: count * size)
    var pixels: [Float] = []
    pixels.reserveCapacity(count * size)
    var labels: [Int32] = []
    for index in 0..<count {
      let shape = Array(shapes[index * Self.shapes..<(index + 1) * Self.shapes])
      let label = min(Int((shape[0] + 1) * 5), 9)
      labels.append(Int32(label))
      let strokes = Self.digits[label].compactMap { Self.strokes[$0] }
      for pixel in 0..<size {
        let ink = Self.ink(at: pixel, strokes, shape)
        pixels.append(Float(0.25 * noise[index * size + pixel] - 0.25 + ink))
      }
    }
    self.pixels = pixels
    self.labels = labels
  }

  /// Images `[n, 1, side, side]` and labels `[n]`.
  func batch(_ indices: ArraySlice<Int>) -> [String: HostTensor] {
    let size = Self.side * Self.side
    let images = indices.flatMap { pixels[$0 * size..<($0 + 1) * size] }
    return [
      "images": HostTensor([indices.count, 1, Self.side, Self.side], images),
      "labels": HostTensor(TensorType(.int32, [indices.count]), indices.map { labels[$0] }),
    ]
  }

  private static func ink(
    at pixel: Int, _ strokes: [(Point, Point)], _ shape: [Double]
  ) -> Double {
    let middle = Double(side - 1) / 2
    let place = (x: Double(pixel % side) - middle, y: Double(pixel / side) - middle)
    let (angle, scale) = (0.45 * shape[1], unit * (1 + 0.25 * shape[2]))
    let (x, y) = (place.x - 2.5 * shape[4], place.y - 2.5 * shape[5])
    let v = (cos(angle) * y - sin(angle) * x) / scale
    let u = (cos(angle) * x + sin(angle) * y) / scale - 0.3 * shape[3] * v
    var nearest = distance(
      place, (5 * shape[8], 5 * shape[9]), (5 * shape[10], 5 * shape[11]))
    for stroke in strokes {
      nearest = min(nearest, scale * distance((u, v), stroke.0, stroke.1))
    }
    return (1 + 0.4 * shape[7]) * min(max(1.4 + 0.4 * shape[6] - nearest, 0), 1)
  }

  /// Of a point from a stroke.
  private static func distance(_ point: Point, _ start: Point, _ end: Point) -> Double {
    let (dx, dy) = (end.x - start.x, end.y - start.y)
    let product = (point.x - start.x) * dx + (point.y - start.y) * dy
    let along = min(max(product / max(dx * dx + dy * dy, 1e-9), 0), 1)
    let (x, y) = (point.x - start.x - along * dx, point.y - start.y - along * dy)
    return (x * x + y * y).squareRoot()
  }
}
