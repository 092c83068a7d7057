module {
  func.func public @main(%arg0: tensor<1x4x4x6xbf16>, %arg1: tensor<6x3x3x1xbf16>, %arg2: tensor<6x1x1x6xbf16>) -> (tensor<1x2x2x6xbf16>) {
    %0 = "stablehlo.convolution"(%arg0, %arg1) <{window_strides = array<i64: 2, 2>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, window_reversal = array<i1: false, false>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>, feature_group_count = 6 : i64, batch_group_count = 1 : i64}> : (tensor<1x4x4x6xbf16>, tensor<6x3x3x1xbf16>) -> tensor<1x2x2x6xbf16>
    %1 = "stablehlo.convert"(%0) : (tensor<1x2x2x6xbf16>) -> tensor<1x2x2x6xf32>
    %2 = "stablehlo.logistic"(%1) : (tensor<1x2x2x6xf32>) -> tensor<1x2x2x6xf32>
    %3 = "stablehlo.multiply"(%1, %2) : (tensor<1x2x2x6xf32>, tensor<1x2x2x6xf32>) -> tensor<1x2x2x6xf32>
    %4 = "stablehlo.convert"(%3) : (tensor<1x2x2x6xf32>) -> tensor<1x2x2x6xbf16>
    %5 = "stablehlo.convert"(%4) : (tensor<1x2x2x6xbf16>) -> tensor<1x2x2x6xf32>
    %6 = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
    %7 = "stablehlo.reduce"(%5, %6) <{dimensions = array<i64: 1, 2>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      "stablehlo.return"(%c) : (tensor<f32>) -> ()
    }) : (tensor<1x2x2x6xf32>, tensor<f32>) -> tensor<1x6xf32>
    %8 = "stablehlo.constant"() <{value = dense<4.0> : tensor<f32>}> : () -> tensor<f32>
    %9 = "stablehlo.broadcast_in_dim"(%8) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<1x6xf32>
    %10 = "stablehlo.divide"(%7, %9) : (tensor<1x6xf32>, tensor<1x6xf32>) -> tensor<1x6xf32>
    %11 = "stablehlo.convert"(%10) : (tensor<1x6xf32>) -> tensor<1x6xbf16>
    %12 = "stablehlo.reshape"(%11) : (tensor<1x6xbf16>) -> tensor<1x1x1x6xbf16>
    %13 = "stablehlo.convolution"(%12, %arg2) <{window_strides = array<i64: 1, 1>, padding = dense<[[0, 0], [0, 0]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, window_reversal = array<i1: false, false>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<1x1x1x6xbf16>, tensor<6x1x1x6xbf16>) -> tensor<1x1x1x6xbf16>
    %14 = "stablehlo.logistic"(%13) : (tensor<1x1x1x6xbf16>) -> tensor<1x1x1x6xbf16>
    %15 = "stablehlo.broadcast_in_dim"(%14) <{broadcast_dimensions = array<i64: 0, 1, 2, 3>}> : (tensor<1x1x1x6xbf16>) -> tensor<1x2x2x6xbf16>
    %16 = "stablehlo.multiply"(%4, %15) : (tensor<1x2x2x6xbf16>, tensor<1x2x2x6xbf16>) -> tensor<1x2x2x6xbf16>
    func.return %16 : tensor<1x2x2x6xbf16>
  }
}
