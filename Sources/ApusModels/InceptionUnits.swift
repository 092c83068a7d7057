import ApusIR
import ApusNN
import ApusTensor

/// Makes the convolutions of the Inception networks as torchvision has them: without bias, with
/// batch normalisation of epsilon 0.001, under the paths `conv` and `bn`.
struct InceptionUnits {
  let style: UnitStyle

  func make(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    padding: WindowPadding = 0
  ) -> ConvUnit {
    make(
      scope, inputs, outputs, kernel: Size2D(kernel), stride: stride, padding: padding)
  }

  func make(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Size2D, stride: Int = 1,
    padding: WindowPadding
  ) -> ConvUnit {
    ConvUnit(
      Conv2D(
        scope["conv"], inputs, outputs, kernel: kernel, stride: stride, padding: padding,
        bias: false),
      style.norm(scope["bn"], outputs, epsilon: 0.001), style.activation)
  }
}
