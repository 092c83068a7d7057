// Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift
// Sergey Ioffe, Christian Szegedy, 2015 (https://arxiv.org/abs/1502.03167)
// Variant: MXNet's gallery: convolutions with bias, BN eps 1.00001e-5, ReLU after each, and both
// stem poolings without padding, so that 3a and 3b work at 27×27.
// Parameters at 1000 classes: 11,295,240.
//
// Paths: MXNet's names of the layers, conv_3a_3x3_reduce with its bn_3a_3x3_reduce.
//
// Pictures: MXNet's image classification example scores the published weights on crops of 224 from
// 256 pixels, less the mean 123.68, 116.779, 103.939.

import ApusIR
import ApusNN
import ApusTensor

/// Inception modules of four branches with batch normalisation after each convolution.
public struct InceptionBN: Layer {
  let features: Body
  let fc: Linear

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let units = InceptionBNUnits(scope: scope, style: options.style(.relu))
    let pool = MaxPool2D(kernel: 3, stride: 2)
    var stages: [[any Layer]] = [
      [units.make("1", 3, 64, kernel: 7, stride: 2), pool],
      [
        units.make("2_red", 64, 64, kernel: 1), units.make("2", 64, 192, kernel: 3),
        pool,  // [n, 192, 27, 27] at 224 pixels
      ],
    ]
    var channels = 192
    for plan in Self.plans {
      let module = InceptionBNModule(units, plan, channels)
      channels = module.outputs
      if plan.name.hasSuffix("a") { stages.append([]) }
      stages[stages.count - 1].append(module)
    }
    features = Body(scope, stages: stages, options.checkpoint)
    fc = Linear(scope["fc1"], channels, options.classes)
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try fc(globalAveragePool(features(x)))
  }

  /// Channels of a module's branches; `one` and `projection` are missing at stride 2.
  struct Plan {
    enum Pooling { case average, max }

    let name: String
    var one: Int?
    let three: (reduced: Int, outputs: Int)
    let double: (reduced: Int, outputs: Int)
    let pooling: Pooling
    var projection: Int?
  }

  private static let plans = [
    Plan(
      name: "3a", one: 64, three: (64, 64), double: (64, 96), pooling: .average, projection: 32),
    Plan(
      name: "3b", one: 64, three: (64, 96), double: (64, 96), pooling: .average, projection: 64),
    Plan(name: "3c", three: (128, 160), double: (64, 96), pooling: .max),
    Plan(
      name: "4a", one: 224, three: (64, 96), double: (96, 128), pooling: .average,
      projection: 128),
    Plan(
      name: "4b", one: 192, three: (96, 128), double: (96, 128), pooling: .average,
      projection: 128),
    Plan(
      name: "4c", one: 160, three: (128, 160), double: (128, 160), pooling: .average,
      projection: 128),
    Plan(
      name: "4d", one: 96, three: (128, 192), double: (160, 192), pooling: .average,
      projection: 128),
    Plan(name: "4e", three: (128, 192), double: (192, 256), pooling: .max),
    Plan(
      name: "5a", one: 352, three: (192, 320), double: (160, 224), pooling: .average,
      projection: 128),
    Plan(
      name: "5b", one: 352, three: (192, 320), double: (192, 224), pooling: .max,
      projection: 128),
  ]
}

/// Makes convolutions with their normalisation from MXNet's names.
struct InceptionBNUnits {
  let scope: Scope
  let style: UnitStyle

  func make(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1
  ) -> ConvUnit {
    ConvUnit(
      Conv2D(scope["conv_\(name)"], inputs, outputs, kernel: kernel, stride: stride),
      style.norm(scope["bn_\(name)"], outputs, epsilon: 1.00001e-5), style.activation)
  }
}

/// 1×1; 3×3; two 3×3; pooling: side by side, their channels one after the other.
struct InceptionBNModule: Layer {
  let branches: [[any Layer]]
  let outputs: Int

  init(_ units: InceptionBNUnits, _ plan: InceptionBN.Plan, _ inputs: Int) {
    let (name, three, double) = (plan.name, plan.three, plan.double)
    let stride = plan.one == nil ? 2 : 1
    var branches: [[any Layer]] = []
    if let one = plan.one { branches.append([units.make("\(name)_1x1", inputs, one, kernel: 1)]) }
    branches.append([
      units.make("\(name)_3x3_reduce", inputs, three.reduced, kernel: 1),
      units.make("\(name)_3x3", three.reduced, three.outputs, kernel: 3, stride: stride),
    ])
    let prefix = "\(name)_double_3x3"
    branches.append([
      units.make("\(prefix)_reduce", inputs, double.reduced, kernel: 1),
      units.make("\(prefix)_0", double.reduced, double.outputs, kernel: 3),
      units.make("\(prefix)_1", double.outputs, double.outputs, kernel: 3, stride: stride),
    ])
    var pooled: [any Layer] = [
      plan.pooling == .max
        ? MaxPool2D(kernel: 3, stride: stride, padding: .half) as any Layer
        : NeighbourAverage()
    ]
    if let projection = plan.projection {
      pooled.append(units.make("\(name)_proj", inputs, projection, kernel: 1))
    }
    branches.append(pooled)
    self.branches = branches
    outputs = (plan.one ?? 0) + three.outputs + double.outputs + (plan.projection ?? inputs)
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try concatenate(
      branches.map { branch in
        var y = x
        for layer in branch { y = try layer(y) }
        return y
      })
  }
}

/// The mean of 3×3 pixels around each, where what lies outside counts as zeros.
struct NeighbourAverage: Layer {
  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try averagePool(x, kernel: 3, stride: 1, padding: 1, countsPadding: true)
  }
}

extension InceptionBN {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "inception_bn", source: "Ioffe and Szegedy 2015, arXiv 1502.03167",
      input: ImageInput(.caffe), options: [.head, .activation, .norm, .checkpoint]
    ) { scope, options in InceptionBN(scope, options) }
  ]
}
