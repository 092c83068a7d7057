/// The Secure Hash Algorithm with 256 bits (FIPS 180-4).
package struct SHA256 {
  private var state = initialState
  private var schedule = [UInt32](repeating: 0, count: 64)
  /// The end of the message that does not fill a block yet.
  private var rest: [UInt8] = []
  private var count = 0

  package init() {}

  /// The hash of bytes.
  package static func hash(_ bytes: [UInt8]) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(bytes)
    return hasher.finish()
  }

  /// Appends bytes to the message.
  package mutating func update(_ bytes: [UInt8]) {
    count += bytes.count
    let message = rest + bytes
    message.withUnsafeBufferPointer { message in
      let whole = message.count / 64 * 64
      for start in stride(from: 0, to: whole, by: 64) {
        compress(UnsafeBufferPointer(rebasing: message[start..<start + 64]))
      }
      rest = Array(message[whole...])
    }
  }

  /// The hash of the message.
  package consuming func finish() -> [UInt8] {
    let bits = UInt64(count) * 8
    let padding = 64 - (rest.count + 9) % 64
    update([0x80] + [UInt8](repeating: 0, count: padding % 64) + Self.bytes(bits))
    return state.flatMap { Self.bytes($0) }
  }

  /// The hash of the message in hexadecimal digits.
  package consuming func hexadecimal() -> String {
    finish().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  private mutating func compress(_ block: UnsafeBufferPointer<UInt8>) {
    for index in 0..<16 {
      schedule[index] =
        UInt32(block[4 * index]) << 24 | UInt32(block[4 * index + 1]) << 16
        | UInt32(block[4 * index + 2]) << 8 | UInt32(block[4 * index + 3])
    }
    for index in 16..<64 {
      let (early, late) = (schedule[index - 15], schedule[index - 2])
      let s0 = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
      let s1 = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
      schedule[index] = schedule[index - 16] &+ s0 &+ schedule[index - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for index in 0..<64 {
      let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = (e & f) ^ (~e & g)
      let first = h &+ s1 &+ choice &+ Self.constants[index] &+ schedule[index]
      let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let majority = (a & b) ^ (a & c) ^ (b & c)
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ s0 &+ majority)
    }
    for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
  }

  private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word >> count | word << (32 - count)
  }

  private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}

// MARK: - Constants

extension SHA256 {
  /// The first 32 bits of the fractions of the square roots of the first 8 primes.
  private static let initialState = primes(8).map { prime in
    UInt32(
      truncatingIfNeeded: root { x in
        let (high, low) = x.multipliedFullWidth(by: x)
        return (high, low) <= (prime, 0)
      })
  }

  /// The first 32 bits of the fractions of the cube roots of the first 64 primes.
  private static let constants = primes(64).map { prime in
    UInt32(
      truncatingIfNeeded: root { x in
        let square = x.multipliedFullWidth(by: x)
        let (high, low) = square.low.multipliedFullWidth(by: x)
        return (square.high * x + high, low) <= (prime << 32, 0)
      })
  }

  /// The largest number below 2³⁷ that is not too large: a root of a prime, times 2³².
  private static func root(isNotTooLarge: (UInt64) -> Bool) -> UInt64 {
    (0..<37).reversed().reduce(UInt64(0)) { root, bit in
      isNotTooLarge(root | 1 << bit) ? root | 1 << bit : root
    }
  }

  private static func primes(_ count: Int) -> [UInt64] {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < count {
      if !primes.contains(where: { candidate % $0 == 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes
  }
}
