import ApusBench
import Testing

@Suite("The largest number that fits")
struct LargestFittingTests {
  @Test(
    "is found in few questions", arguments: [1, 2, 3, 7, 8, 100, 1023, 1024, 999_999, 1_000_000])
  func found(largest: Int) {
    var questions = 0
    let found = largestFitting(upTo: 1_000_000) { number in
      questions += 1
      return number <= largest
    }
    #expect(found == largest)
    #expect(questions <= 42)
  }

  @Test("is no larger than the limit, and nil where nothing fits")
  func limits() {
    #expect(largestFitting(upTo: 100) { _ in true } == 100)
    #expect(largestFitting(upTo: 1) { _ in true } == 1)
    #expect(largestFitting(upTo: 0) { _ in true } == nil)
    #expect(largestFitting(upTo: 100) { _ in false } == nil)
  }
}
