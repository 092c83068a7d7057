module {
  func.func public @main(%arg0: tensor<2x4x4x6xf32>) -> (tensor<2x4x4x6xf32>) {
    %0 = "stablehlo.reshape"(%arg0) : (tensor<2x4x4x6xf32>) -> tensor<2x4x4x2x3xf32>
    %1 = "stablehlo.transpose"(%0) <{permutation = array<i64: 0, 1, 2, 4, 3>}> : (tensor<2x4x4x2x3xf32>) -> tensor<2x4x4x3x2xf32>
    %2 = "stablehlo.reshape"(%1) : (tensor<2x4x4x3x2xf32>) -> tensor<2x4x4x6xf32>
    %3 = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
    %4 = "stablehlo.broadcast_in_dim"(%3) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<2x4x4x6xf32>
    %5 = "stablehlo.maximum"(%2, %4) : (tensor<2x4x4x6xf32>, tensor<2x4x4x6xf32>) -> tensor<2x4x4x6xf32>
    func.return %5 : tensor<2x4x4x6xf32>
  }
}
