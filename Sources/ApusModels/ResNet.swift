// Deep Residual Learning for Image Recognition
// Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun, 2015 (https://arxiv.org/abs/1512.03385)
// Variant: v1.5 as in torchvision, where a bottleneck's stride is on its 3×3 convolution.
// Parameters at 1000 classes: resnet18 11,689,512; resnet34 21,797,672; resnet50 25,557,032;
// resnet101 44,549,160; resnet152 60,192,808.

import ApusIR
import ApusNN
import ApusTensor

/// A residual network with batch normalisation after each convolution.
public struct ResNet: Layer {
  /// What a stage is made of.
  public enum Block: Sendable {
    /// Two 3×3 convolutions.
    case basic
    /// 1×1, 3×3, 1×1; the last has four times the channels.
    case bottleneck

    /// A block's output channels per channel of its width.
    var expansion: Int {
      switch self {
      case .basic: 1
      case .bottleneck: 4
      }
    }
  }

  /// The block and how many of it each of the four stages has.
  public struct Variant: Sendable {
    public let block: Block
    public let depths: [Int]

    public init(_ block: Block, _ depths: [Int]) {
      self.block = block
      self.depths = depths
    }

    public static let resnet18 = Variant(.basic, [2, 2, 2, 2])
    public static let resnet34 = Variant(.basic, [3, 4, 6, 3])
    public static let resnet50 = Variant(.bottleneck, [3, 4, 6, 3])
    public static let resnet101 = Variant(.bottleneck, [3, 4, 23, 3])
    public static let resnet152 = Variant(.bottleneck, [3, 8, 36, 3])
  }

  let conv1: Conv2D
  let bn1: BatchNorm2D
  let blocks: [any Layer]
  let fc: Linear

  public init(_ scope: Scope, _ variant: Variant, classes: Int = 1000) {
    conv1 = Conv2D(scope["conv1"], 3, 64, kernel: 7, stride: 2, bias: false)
    bn1 = BatchNorm2D(scope["bn1"], 64)
    var blocks: [any Layer] = []
    var channels = 64
    for (stage, depth) in variant.depths.enumerated() {
      let width = 64 << stage
      for index in 0..<depth {
        let stride = stage > 0 && index == 0 ? 2 : 1
        let part = scope["layer\(stage + 1)"][index]
        switch variant.block {
        case .basic: blocks.append(BasicBlock(part, channels, width, stride: stride))
        case .bottleneck: blocks.append(BottleneckBlock(part, channels, width, stride: stride))
        }
        channels = width * variant.block.expansion
      }
    }
    self.blocks = blocks
    fc = Linear(scope["fc"], channels, classes)
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    var x = try relu(bn1(conv1(x)))  // [n, 64, h/2, w/2]
    x = try maxPool(x, kernel: 3, stride: 2, padding: 1)  // [n, 64, h/4, w/4]
    for block in blocks { x = try block(x) }
    return try fc(globalAveragePool(x))
  }
}

/// The path around a block's convolutions: the identity, or a 1×1 projection where shapes change.
private struct Shortcut: Layer {
  let conv: Conv2D?
  let norm: BatchNorm2D?

  init(_ scope: Scope, _ inputs: Int, _ outputs: Int, stride: Int) {
    let projects = inputs != outputs || stride != 1
    conv =
      projects
      ? Conv2D(scope[0], inputs, outputs, kernel: 1, stride: stride, bias: false) : nil
    norm = projects ? BatchNorm2D(scope[1], outputs) : nil
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    guard let conv, let norm else { return x }
    return try norm(conv(x))
  }
}

private struct BasicBlock: Layer {
  let conv1, conv2: Conv2D
  let bn1, bn2: BatchNorm2D
  let shortcut: Shortcut

  init(_ scope: Scope, _ inputs: Int, _ width: Int, stride: Int) {
    conv1 = Conv2D(scope["conv1"], inputs, width, kernel: 3, stride: stride, bias: false)
    bn1 = BatchNorm2D(scope["bn1"], width)
    conv2 = Conv2D(scope["conv2"], width, width, kernel: 3, bias: false)
    bn2 = BatchNorm2D(scope["bn2"], width)
    shortcut = Shortcut(scope["downsample"], inputs, width, stride: stride)
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let y = try bn2(conv2(relu(bn1(conv1(x)))))
    return try relu(y + shortcut(x))
  }
}

private struct BottleneckBlock: Layer {
  let conv1, conv2, conv3: Conv2D
  let bn1, bn2, bn3: BatchNorm2D
  let shortcut: Shortcut

  init(_ scope: Scope, _ inputs: Int, _ width: Int, stride: Int) {
    let outputs = width * ResNet.Block.bottleneck.expansion
    conv1 = Conv2D(scope["conv1"], inputs, width, kernel: 1, bias: false)
    bn1 = BatchNorm2D(scope["bn1"], width)
    conv2 = Conv2D(scope["conv2"], width, width, kernel: 3, stride: stride, bias: false)
    bn2 = BatchNorm2D(scope["bn2"], width)
    conv3 = Conv2D(scope["conv3"], width, outputs, kernel: 1, bias: false)
    bn3 = BatchNorm2D(scope["bn3"], outputs)
    shortcut = Shortcut(scope["downsample"], inputs, outputs, stride: stride)
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var y = try relu(bn1(conv1(x)))
    y = try relu(bn2(conv2(y)))
    y = try bn3(conv3(y))
    return try relu(y + shortcut(x))
  }
}

extension ResNet {
  /// The family's entries in the catalogue.
  public static let models: [Model] = [
    ("resnet18", Variant.resnet18), ("resnet34", .resnet34), ("resnet50", .resnet50),
    ("resnet101", .resnet101), ("resnet152", .resnet152),
  ].map { name, variant in
    Model(name, source: "He et al. 2015, arXiv 1512.03385; v1.5") { scope, classes in
      ResNet(scope, variant, classes: classes)
    }
  }
}
