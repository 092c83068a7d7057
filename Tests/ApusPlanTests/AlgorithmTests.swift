import ApusIR
import ApusPlan
import ApusTensor
import Testing

@Suite("Choosing a convolution's algorithm")
struct AlgorithmTests {
  /// Layers of the ResNets and of VGG: images `[n, c, h, w]`, and the outputs.
  private static let layers: [(images: Shape, outputs: Int, chosen: Algorithm)] = [
    ([1, 64, 56, 56], 64, .winograd(tile: 4)), ([32, 64, 56, 56], 64, .winograd(tile: 4)),
    ([1, 512, 14, 14], 512, .winograd(tile: 4)), ([32, 512, 7, 7], 512, .winograd(tile: 4)),
    // F(4×4)'s filters take longer to fetch than the arithmetic of smaller tiles.
    ([1, 512, 7, 7], 512, .winograd(tile: 2)),
    // All filters take longer to fetch than a direct convolution's.
    ([1, 512, 2, 2], 512, .library), ([1, 512, 1, 1], 512, .library),
    ([64, 3, 224, 224], 64, .library), ([64, 15, 56, 56], 64, .library),
  ]

  /// Layers of Inception with other filters.
  private static let others: [(images: Shape, filter: Size2D, chosen: Algorithm)] = [
    ([16, 192, 12, 12], Size2D(1, 7), .winograd(tile: 4)),
    ([1, 192, 12, 12], Size2D(7, 1), .winograd(tile: 4)),
    ([16, 384, 8, 8], Size2D(1, 3), .winograd(tile: 4)),
    ([16, 48, 25, 25], Size2D(5), .winograd(tile: 2)),
    ([1, 48, 25, 25], Size2D(5), .winograd(tile: 2)),
    // Reading the filters takes what the tiles save, or tiles end far beyond the image.
    ([1, 384, 5, 5], Size2D(3, 1), .library), ([1, 192, 3, 3], Size2D(1, 7), .library),
    ([16, 192, 12, 12], Size2D(7), .library), ([16, 192, 12, 12], Size2D(1), .library),
    ([16, 192, 12, 12], Size2D(1, 4), .library), ([16, 192, 12, 12], Size2D(3, 5), .library),
  ]

  @Test("takes tiles for rows, columns and 5×5 too", arguments: others)
  func otherFilters(images: Shape, filter: Size2D, chosen: Algorithm) {
    let rule = WinogradRule(result: images, inputs: images[1], filter: filter, lanes: 16)
    #expect(rule.algorithm == chosen)
  }

  @Test("takes the tiles with the least work, filters' bytes counted", arguments: layers)
  func rule(images: Shape, outputs: Int, chosen: Algorithm) {
    let result: Shape = [images[0], outputs, images[2], images[3]]
    let rule = WinogradRule(result: result, inputs: images[1], lanes: 16)
    #expect(rule.algorithm == chosen)
  }

  @Test("is part of the plan, with filters prepared for it and all of what is fused")
  func golden() throws {
    let plan = try plan(.compiled, x: [8, 32, 12, 12], on: FakeLibrary(usesWinograd: true)) {
      scope, x in
      let shortcut = try relu(convolve(scope["a"], x, 32, bias: true))
      let y = try convolve(scope["b"], shortcut * 2, 32) + shortcut
      return ["y": try relu(y).mean(2, 3)]
    }
    expect(
      plan,
      """
      prepare #5 tiles4 float32[32, 32, 3, 3] = reorder(#1 plain float32[32, 32, 3, 3]) @a
      prepare #10 tiles4 float32[32, 32, 3, 3] = reorder(#8 plain float32[32, 32, 3, 3]) @b
      #4 nChw16c float32[8, 32, 12, 12] = reorder(#0 plain float32[8, 32, 12, 12]) @a
      #3 nChw16c float32[8, 32, 12, 12] = convolution+relu(#4 nChw16c float32[8, 32, 12, 12], #5 tiles4 float32[32, 32, 3, 3], #2 plain float32[32]) by winograd4x4 @a
      #7 nChw16c float32[8, 32, 12, 12] = multiply(#3 nChw16c float32[8, 32, 12, 12], #6 plain float32[1, 1, 1, 1]) @a
      #3 nChw16c float32[8, 32, 12, 12] = convolution+sum+relu(#7 nChw16c float32[8, 32, 12, 12], #10 tiles4 float32[32, 32, 3, 3], #3 nChw16c float32[8, 32, 12, 12]) by winograd4x4 @b
      #11 nChw16c float32[8, 32, 1, 1] = averagePool(#3 nChw16c float32[8, 32, 12, 12]) @b
      return #11
      """)
  }
}
