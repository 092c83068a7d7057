// Rethinking the Inception Architecture for Computer Vision
// Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens, Zbigniew Wojna, 2015
// (https://arxiv.org/abs/1512.00567)
// Variant: torchvision's. Its auxiliary classifier `AuxLogits` serves training and is not built.
// Its published weights take images with mean and standard deviation 0.5 (`transform_input`).
// Parameters at 1000 classes: inception_v3 23,834,568 (27,161,264 with the auxiliary classifier).

import ApusIR
import ApusNN
import ApusTensor

/// A stem without padding and eleven modules of five kinds.
public struct InceptionV3: Layer {
  let features: Body
  let classifier: Chain

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let units = InceptionUnits(style: options.style(.relu))
    func modules(_ names: String) -> InceptionModules {
      InceptionModules(scope: scope["Mixed_\(names)"], units: units)
    }
    let pool = MaxPool2D(kernel: 3, stride: 2)
    let stages: [[any Layer]] = [
      [
        units.make(scope["Conv2d_1a_3x3"], 3, 32, kernel: 3, stride: 2),
        units.make(scope["Conv2d_2a_3x3"], 32, 32, kernel: 3),
        units.make(scope["Conv2d_2b_3x3"], 32, 64, kernel: 3, padding: .half), pool,
      ],
      [
        units.make(scope["Conv2d_3b_1x1"], 64, 80, kernel: 1),
        units.make(scope["Conv2d_4a_3x3"], 80, 192, kernel: 3), pool,
      ],
      [
        modules("5b").a(192, pooled: 32), modules("5c").a(256, pooled: 64),
        modules("5d").a(288, pooled: 64),
      ],
      [
        modules("6a").b(288), modules("6b").c(768, width: 128),
        modules("6c").c(768, width: 160), modules("6d").c(768, width: 160),
        modules("6e").c(768, width: 192),
      ],
      [modules("7a").d(768), modules("7b").e(1280), modules("7c").e(2048)],
    ]
    features = Body(scope, stages: stages, options.checkpoint)
    classifier = options.classifier(scope["fc"], 2048, dropout: 0.5)
  }

  /// `[n, 3, h, w] → [n, classes]`, with 75 or more rows and columns.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(globalAveragePool(features(x)))
  }
}

/// Makes one module, of the kind that the method's name says (torchvision's letters).
private struct InceptionModules {
  let scope: Scope
  let units: InceptionUnits

  /// Factorised 5×5 (the paper's figure 5).
  func a(_ inputs: Int, pooled: Int) -> Branches {
    Branches([
      unit("branch1x1", inputs, 64),
      Chain([unit("branch5x5_1", inputs, 48), unit("branch5x5_2", 48, 64, Size2D(5))]),
      double3x3(inputs, stride: 1),
      averaged(inputs, pooled),
    ])
  }

  /// From 35×35 to 17×17.
  func b(_ inputs: Int) -> Branches {
    Branches([
      reducing("branch3x3", inputs, 384), double3x3(inputs, stride: 2),
      MaxPool2D(kernel: 3, stride: 2),
    ])
  }

  /// Factorised 7×7 (figure 6).
  func c(_ inputs: Int, width: Int) -> Branches {
    let (row, column) = (Size2D(1, 7), Size2D(7, 1))
    return Branches([
      unit("branch1x1", inputs, 192),
      Chain([
        unit("branch7x7_1", inputs, width), unit("branch7x7_2", width, width, row),
        unit("branch7x7_3", width, 192, column),
      ]),
      Chain([
        unit("branch7x7dbl_1", inputs, width), unit("branch7x7dbl_2", width, width, column),
        unit("branch7x7dbl_3", width, width, row),
        unit("branch7x7dbl_4", width, width, column),
        unit("branch7x7dbl_5", width, 192, row),
      ]),
      averaged(inputs, 192),
    ])
  }

  /// From 17×17 to 8×8.
  func d(_ inputs: Int) -> Branches {
    Branches([
      Chain([unit("branch3x3_1", inputs, 192), reducing("branch3x3_2", 192, 320)]),
      Chain([
        unit("branch7x7x3_1", inputs, 192), unit("branch7x7x3_2", 192, 192, Size2D(1, 7)),
        unit("branch7x7x3_3", 192, 192, Size2D(7, 1)), reducing("branch7x7x3_4", 192, 192),
      ]),
      MaxPool2D(kernel: 3, stride: 2),
    ])
  }

  /// Wide, with split 3×3 (figure 7).
  func e(_ inputs: Int) -> Branches {
    func split(_ name: String) -> Branches {
      Branches([
        unit(name + "a", 384, 384, Size2D(1, 3)), unit(name + "b", 384, 384, Size2D(3, 1)),
      ])
    }
    return Branches([
      unit("branch1x1", inputs, 320),
      Chain([unit("branch3x3_1", inputs, 384), split("branch3x3_2")]),
      Chain([
        unit("branch3x3dbl_1", inputs, 448), unit("branch3x3dbl_2", 448, 384, Size2D(3)),
        split("branch3x3dbl_3"),
      ]),
      averaged(inputs, 192),
    ])
  }

  private func double3x3(_ inputs: Int, stride: Int) -> Chain {
    Chain([
      unit("branch3x3dbl_1", inputs, 64), unit("branch3x3dbl_2", 64, 96, Size2D(3)),
      stride == 2
        ? reducing("branch3x3dbl_3", 96, 96) : unit("branch3x3dbl_3", 96, 96, Size2D(3)),
    ])
  }

  private func averaged(_ inputs: Int, _ outputs: Int) -> Chain {
    Chain([
      Applied { try averagePool($0, kernel: 3, stride: 1, padding: 1) },
      unit("branch_pool", inputs, outputs),
    ])
  }

  /// Keeps the size.
  private func unit(
    _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Size2D = Size2D(1)
  ) -> ConvUnit {
    units.make(scope[name], inputs, outputs, kernel: kernel, padding: .half)
  }

  private func reducing(_ name: String, _ inputs: Int, _ outputs: Int) -> ConvUnit {
    units.make(scope[name], inputs, outputs, kernel: 3, stride: 2)
  }
}

extension InceptionV3 {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "inception_v3", source: "Szegedy et al. 2015, arXiv 1512.00567",
      input: ImageInput(
        size: 299, cropFraction: 299.0 / 342, .centered),
      options: [.head, .activation, .norm, .checkpoint, .dropout]
    ) { scope, options in InceptionV3(scope, options) }
  ]
}
