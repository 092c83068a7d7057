module {
  func.func public @main(%arg0: tensor<2x5x6x8xf32>, %arg1: tensor<8x3x3x8xf32>, %arg2: tensor<8xf32>) -> (tensor<2x5x6x8xf32>) {
    %0 = "stablehlo.convolution"(%arg0, %arg1) <{window_strides = array<i64: 1, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, window_reversal = array<i1: false, false>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]}> : (tensor<2x5x6x8xf32>, tensor<8x3x3x8xf32>) -> tensor<2x5x6x8xf32>
    %1 = "stablehlo.broadcast_in_dim"(%arg2) <{broadcast_dimensions = array<i64: 3>}> : (tensor<8xf32>) -> tensor<2x5x6x8xf32>
    %2 = "stablehlo.add"(%0, %1) : (tensor<2x5x6x8xf32>, tensor<2x5x6x8xf32>) -> tensor<2x5x6x8xf32>
    %3 = "stablehlo.add"(%2, %arg0) : (tensor<2x5x6x8xf32>, tensor<2x5x6x8xf32>) -> tensor<2x5x6x8xf32>
    %4 = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
    %5 = "stablehlo.broadcast_in_dim"(%4) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<2x5x6x8xf32>
    %6 = "stablehlo.maximum"(%3, %5) : (tensor<2x5x6x8xf32>, tensor<2x5x6x8xf32>) -> tensor<2x5x6x8xf32>
    func.return %6 : tensor<2x5x6x8xf32>
  }
}
