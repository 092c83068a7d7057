/// The largest whole number from 1 to `limit` that fits, where every smaller one fits as well: by
/// doubling, then bisection. `nil` where not even 1 does.
///
/// - Complexity: twice the logarithm of the result calls of `fits`.
public func largestFitting<Failure: Error>(
  upTo limit: Int, _ fits: (Int) throws(Failure) -> Bool
) throws(Failure) -> Int? {
  guard limit >= 1, try fits(1) else { return nil }
  var (largest, tooLarge) = (1, 2)
  while tooLarge <= limit, try fits(tooLarge) { (largest, tooLarge) = (tooLarge, 2 * tooLarge) }
  tooLarge = min(tooLarge, limit + 1)
  while tooLarge - largest > 1 {
    let middle = largest + (tooLarge - largest) / 2
    if try fits(middle) { largest = middle } else { tooLarge = middle }
  }
  return largest
}
