import ApusIR

/// How a step is computed.
public enum Algorithm: Hashable, Sendable {
  /// As the kernel library sees fit.
  case library
  /// By the kernel library's implementation of that name.
  case implementation(String)
  /// A convolution in tiles of `tile`×`tile` outputs, or of `tile` in a row or a column where the
  /// filters are one (Lavin and Gray 2015, arXiv 1509.09308), `chunk` of them at a time; 0: as many
  /// as suit the caches by the kernel's own rule.
  case winograd(tile: Int, chunk: Int = 0)
  /// A 1×1 convolution, pixel by pixel.
  case pointwise
  /// A convolution of each channel by a filter of its own.
  case depthwise
  /// A 3×3 convolution in groups of a few channels each.
  case grouped
  /// A convolution that gathers what its filters see of each pixel in a row.
  case im2col
}

extension Algorithm: LosslessStringConvertible {
  public var description: String {
    switch self {
    case .library: "library"
    case .implementation(let name): name
    case .pointwise: "pointwise"
    case .depthwise: "depthwise"
    case .grouped: "grouped"
    case .im2col: "im2col"
    case .winograd(let tile, chunk: 0): "winograd\(tile)x\(tile)"
    case .winograd(let tile, let chunk): "winograd\(tile)x\(tile)/\(chunk)"
    }
  }

  public init(_ description: String) {
    if let known = [Self.library, .pointwise, .depthwise, .grouped, .im2col].first(where: {
      $0.description == description
    }) {
      self = known
    } else if let match = description.wholeMatch(of: /winograd(\d)x\1(?:\/(\d{1,5}))?/),
      let tile = Int(match.1)
    {
      self = .winograd(tile: tile, chunk: match.2.flatMap { Int($0) } ?? 0)
    } else {
      self = .implementation(description)
    }
  }
}

/// The work of a convolution of stride 1, by which a fixed rule chooses its algorithm.
///
/// Work is counted in floating-point operations; a byte of filters that has to be fetched takes as
/// long as `operationsPerByte` of them.
public struct WinogradRule {
  let images, height, width, inputs, outputs: Int
  let filter: Size2D
  /// The vectors of the kernel hold so many numbers.
  let lanes: Int

  private static let operationsPerByte = 8.0
  /// Operations of both transforms for each point of a tile and channel, 7 vectors of 32.
  private static let transform = 224.0 / 16
  /// Tiles must take this much of the work at most: some of what they cost is not counted.
  private static let margin = 0.8
  /// Fewer channels leave most of each vector, and all of what the transforms gain, unused.
  private static let leastInputs = 16

  /// - Parameters:
  ///   - result: `[n, o, h′, w′]`.
  ///   - inputs: channels of the images.
  ///   - filter: the size of the filters.
  public init(result: Shape, inputs: Int, filter: Size2D = Size2D(3), lanes: Int) {
    (images, outputs, height, width) = (result[0], result[1], result[2], result[3])
    self.inputs = inputs
    self.filter = filter
    self.lanes = lanes
  }

  /// What takes the least work; the same on every machine with such vectors.
  public var algorithm: Algorithm {
    guard inputs >= Self.leastInputs else { return .library }
    var best = (algorithm: Algorithm.library, work: Self.margin * direct)
    for tile in sides where winograd(tile: tile) < best.work {
      best = (.winograd(tile: tile), winograd(tile: tile))
    }
    return best.algorithm
  }

  /// The sides of the tiles that the kernel has for such filters, the most outputs first.
  private var sides: [Int] {
    switch (filter.height, filter.width) {
    case (3, 3), (1, 3), (1, 5), (1, 7), (3, 1), (5, 1), (7, 1): [4, 2]
    case (5, 5): [2]
    default: []
    }
  }

  /// What takes the least work for the gradient of the filters, of which the result is the gradient
  /// of the outputs.
  public var gradientAlgorithm: Algorithm {
    guard inputs >= Self.leastInputs, outputs >= Self.leastInputs else { return .library }
    let tiles = tiles(Size2D(4))
    let arithmetic =
      2 * Double(tiles * 36) * Double(inputs * outputs)
      + Self.transform * Double(tiles * 36) * Double(inputs + outputs)
    // The sums at each point are written, read and transformed back.
    let sums = Self.operationsPerByte * 4 * Double(36 * inputs * outputs)
    let direct = 18 * Double(images * height * width) * Double(inputs * outputs)
    return arithmetic + sums < direct ? .winograd(tile: 4) : .library
  }

  private func tiles(_ size: Size2D) -> Int {
    let rows = (height + size.height - 1) / size.height
    return images * rows * ((width + size.width - 1) / size.width)
  }

  private var direct: Double {
    let products = Double(filter.area * inputs * outputs)
    return max(2 * Double(images * height * width), Self.operationsPerByte * 4) * products
  }

  private func winograd(tile: Int) -> Double {
    let size = Size2D(filter.height == 1 ? 1 : tile, filter.width == 1 ? 1 : tile)
    let points = (size.height + filter.height - 1) * (size.width + filter.width - 1)
    let tiles = tiles(size)
    let padded = (outputs + lanes - 1) / lanes * lanes
    let arithmetic =
      2 * Double(tiles * points) * Double(inputs * outputs)
      + Self.transform * Double(tiles * points) * Double(inputs + outputs)
    return max(arithmetic, Self.operationsPerByte * 4 * Double(points * inputs * padded))
  }
}
