import ApusIR

/// How a step is computed.
public enum Algorithm: Hashable, Sendable {
  /// As the kernel library sees fit.
  case library
  /// By the kernel library's implementation of that name.
  case implementation(String)
  /// A convolution by 3×3 filters in tiles of `tile`×`tile` outputs
  /// (Lavin and Gray 2015, arXiv 1509.09308), `chunk` of them at a time; 0: as many as suit the
  /// caches by the kernel's own rule.
  case winograd(tile: Int, chunk: Int = 0)
  /// A 1×1 convolution, pixel by pixel.
  case pointwise
  /// A convolution of each channel by a filter of its own.
  case depthwise
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
    case .im2col: "im2col"
    case .winograd(let tile, chunk: 0): "winograd\(tile)x\(tile)"
    case .winograd(let tile, let chunk): "winograd\(tile)x\(tile)/\(chunk)"
    }
  }

  public init(_ description: String) {
    if let known = [Self.library, .pointwise, .depthwise, .im2col].first(where: {
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

/// The work of a 3×3 convolution of stride 1, by which a fixed rule chooses its algorithm.
///
/// Work is counted in floating-point operations; a byte of filters that has to be fetched takes as
/// long as `operationsPerByte` of them.
public struct WinogradRule {
  let images, height, width, inputs, outputs: Int
  /// The vectors of the kernel hold so many numbers.
  let lanes: Int

  private static let operationsPerByte = 8.0
  /// Operations of both transforms for each point of a tile and channel, 7 vectors of 32.
  private static let transform = 224.0 / 16
  /// Fewer channels leave most of each vector, and all of what the transforms gain, unused.
  private static let leastInputs = 16

  /// - Parameters:
  ///   - result: `[n, o, h′, w′]`.
  ///   - inputs: channels of the images.
  public init(result: Shape, inputs: Int, lanes: Int) {
    (images, outputs, height, width) = (result[0], result[1], result[2], result[3])
    self.inputs = inputs
    self.lanes = lanes
  }

  /// What takes the least work; the same on every machine with such vectors.
  public var algorithm: Algorithm {
    guard inputs >= Self.leastInputs else { return .library }
    var best = (algorithm: Algorithm.library, work: direct)
    for tile in [4, 2] where winograd(tile: tile) < best.work {
      best = (.winograd(tile: tile), winograd(tile: tile))
    }
    return best.algorithm
  }

  /// What takes the least work for the gradient of the filters, of which the result is the gradient
  /// of the outputs.
  public var gradientAlgorithm: Algorithm {
    guard inputs >= Self.leastInputs, outputs >= Self.leastInputs else { return .library }
    let tiles = tiles(4)
    let arithmetic =
      2 * Double(tiles * 36) * Double(inputs * outputs)
      + Self.transform * Double(tiles * 36) * Double(inputs + outputs)
    // The sums at each point are written, read and transformed back.
    let sums = Self.operationsPerByte * 4 * Double(36 * inputs * outputs)
    let direct = 18 * Double(images * height * width) * Double(inputs * outputs)
    return arithmetic + sums < direct ? .winograd(tile: 4) : .library
  }

  private func tiles(_ tile: Int) -> Int {
    images * ((height + tile - 1) / tile) * ((width + tile - 1) / tile)
  }

  private var direct: Double {
    let products = Double(inputs * outputs)
    return max(
      18 * Double(images * height * width) * products, Self.operationsPerByte * 36 * products)
  }

  private func winograd(tile: Int) -> Double {
    let (tiles, points) = (tiles(tile), (tile + 2) * (tile + 2))
    let padded = (outputs + lanes - 1) / lanes * lanes
    let arithmetic =
      2 * Double(tiles * points) * Double(inputs * outputs)
      + Self.transform * Double(tiles * points) * Double(inputs + outputs)
    return max(arithmetic, Self.operationsPerByte * 4 * Double(points * inputs * padded))
  }
}
