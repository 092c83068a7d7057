import ApusIR

extension OpCase {
  static let pooling: [OpCase] = forward + forward.flatMap(gradient(of:)) + ties

  private static let forward: [OpCase] = windows.flatMap { window in
    [Pool.Kind.max, .average(countsPadding: false), .average(countsPadding: true)]
      .map { row($0, window) }
  }

  /// The gradient of a row's images.
  private static func gradient(of row: OpCase) -> [OpCase] {
    guard case .pool(let pool) = row.op, let images = row.operands.first?.type.shape,
      let result = try? row.op.resultTypes(row.operands.map(\.type))[0]
    else { return [] }
    let gradient = PoolGradient(pool, images: Size2D(images[2], images[3]))
    return [
      OpCase(
        "gradient of \(row.name)", .poolGradient(gradient),
        (gradient.readsImages ? row.operands : []) + [.uniform(result.shape)], .accumulation)
    ]
  }

  /// The first of equal pixels takes the gradient.
  private static let ties: [OpCase] = [
    OpCase(
      "gradient of maxPool with ties",
      .poolGradient(
        PoolGradient(
          Pool(.max, kernel: Size2D(3), stride: Size2D(2), padding: Padding2D(1)),
          images: Size2D(7, 8))),
      [.integers([2, 3, 7, 8], 0...1), .uniform([2, 3, 4, 4])], .accumulation)
  ]

  private struct Window {
    let name: String
    let images: Shape
    let kernel: Size2D
    let stride: Size2D
    var padding = Padding2D(0)
    var ceilMode = false
  }

  private static let windows: [Window] = [
    Window(name: "2×2 stride 2", images: [2, 5, 6, 8], kernel: Size2D(2), stride: Size2D(2)),
    Window(
      name: "3×3 stride 2 padding 1", images: [1, 17, 7, 8], kernel: Size2D(3), stride: Size2D(2),
      padding: Padding2D(1)),
    Window(name: "odd image", images: [2, 3, 7, 5], kernel: Size2D(2), stride: Size2D(2)),
    Window(
      name: "3×3 stride 2 ceil", images: [1, 3, 6, 8], kernel: Size2D(3), stride: Size2D(2),
      ceilMode: true),
    Window(
      name: "3×3 stride 2 padding 1 ceil", images: [2, 3, 6, 7], kernel: Size2D(3),
      stride: Size2D(2), padding: Padding2D(1), ceilMode: true),
    // A window of the third row would begin below the image: PyTorch drops it.
    Window(
      name: "2×2 stride 3 padding 1 ceil, last window outside", images: [1, 2, 4, 4],
      kernel: Size2D(2), stride: Size2D(3), padding: Padding2D(1), ceilMode: true),
    Window(
      name: "3×3 stride 2 ceil, larger than the image", images: [2, 3, 2, 4], kernel: Size2D(3),
      stride: Size2D(2), ceilMode: true),
    Window(
      name: "2×2 stride 2 ceil, last window inside", images: [1, 4, 5, 5], kernel: Size2D(2),
      stride: Size2D(2), ceilMode: true),
    Window(
      name: "3×3 stride 1 padding 1", images: [1, 4, 5, 4], kernel: Size2D(3), stride: Size2D(1),
      padding: Padding2D(1)),
    Window(
      name: "5×5 stride 1 padding 2", images: [1, 3, 6, 6], kernel: Size2D(5), stride: Size2D(1),
      padding: Padding2D(2)),
    Window(
      name: "2×3 stride 1×2", images: [2, 3, 5, 7], kernel: Size2D(2, 3), stride: Size2D(1, 2)),
    Window(
      name: "3×2 stride 2×1 ceil", images: [1, 3, 6, 5], kernel: Size2D(3, 2),
      stride: Size2D(2, 1), padding: Padding2D(top: 1, left: 0, bottom: 1, right: 0),
      ceilMode: true),
    Window(
      name: "asymmetric padding", images: [1, 3, 6, 6], kernel: Size2D(3), stride: Size2D(2),
      padding: Padding2D(top: 0, left: 0, bottom: 1, right: 1)),
    Window(
      name: "four different paddings", images: [2, 2, 5, 6], kernel: Size2D(4), stride: Size2D(2),
      padding: Padding2D(top: 1, left: 3, bottom: 2, right: 0)),
    Window(name: "global", images: [2, 9, 5, 4], kernel: Size2D(5, 4), stride: Size2D(1)),
    Window(name: "1×1 stride 2", images: [1, 3, 5, 5], kernel: Size2D(1), stride: Size2D(2)),
    Window(
      name: "3×3 of one pixel", images: [1, 3, 1, 1], kernel: Size2D(3), stride: Size2D(2),
      padding: Padding2D(1)),
  ]

  private static func row(_ kind: Pool.Kind, _ window: Window) -> OpCase {
    let pool = Pool(
      kind, kernel: window.kernel, stride: window.stride, padding: window.padding,
      ceilMode: window.ceilMode)
    let name =
      kind.name + (kind == .average(countsPadding: true) ? " counting padding " : " ")
    // Negative numbers, so that padding taken for zeros would win.
    return OpCase(
      name + window.name, .pool(pool), [.uniform(window.images, -3...(-1))],
      kind == .max ? .exact : .accumulation)
  }
}
