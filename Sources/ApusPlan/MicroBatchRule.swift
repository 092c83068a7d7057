/// How many images of a batch run at a time, by a fixed rule.
///
/// Activations of few images stay in the caches; but every micro-batch reads all filters anew and
/// starts every step once more.
public struct MicroBatchRule: Hashable, Sendable {
  /// Batches of no more images run whole.
  public static let largest = 4
  /// Activations are written and read several times as often as the arena is large. Where filters
  /// take more bytes than so many arenas of a micro-batch, reading them anew costs more than that.
  private static let filtersPerArena = 16

  private let batch, arena, filters: Int

  /// - Parameters:
  ///   - batch: the number of images.
  ///   - arena: planned bytes of activations and working memory for one image.
  ///   - filters: bytes of the prepared filters and matrices that runs read.
  public init(batch: Int, arena: Int, filters: Int) {
    self.batch = batch
    self.arena = arena
    self.filters = filters
  }

  /// The images that run at a time: a divisor of the batch, or the batch itself.
  public var size: Int {
    let size = sizeByBatch
    return filters > Self.filtersPerArena * size * arena ? batch : size
  }

  /// The largest divisor of the batch that is at most ``largest``; of batches up to twice that, which
  /// no such number divides, all images.
  private var sizeByBatch: Int {
    if batch <= Self.largest { return batch }
    let divisor = (1...Self.largest).last { batch % $0 == 0 } ?? 1
    return divisor == 1 && batch <= 2 * Self.largest ? batch : divisor
  }
}
