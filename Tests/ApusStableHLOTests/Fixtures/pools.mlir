module {
  func.func public @main(%arg0: tensor<1x6x6x2xf16>) -> (tensor<1x3x3x2xf16>, tensor<1x4x4x2xf16>, tensor<1x1x1x2xf16>) {
    %0 = "stablehlo.constant"() <{value = dense<0xFC00> : tensor<f16>}> : () -> tensor<f16>
    %1 = "stablehlo.reduce_window"(%arg0, %0) <{window_dimensions = array<i64: 1, 3, 3, 1>, window_strides = array<i64: 1, 2, 2, 1>, padding = dense<[[0, 0], [0, 1], [0, 1], [0, 0]]> : tensor<4x2xi64>}> ({
    ^bb0(%a: tensor<f16>, %b: tensor<f16>):
      %c = "stablehlo.maximum"(%a, %b) : (tensor<f16>, tensor<f16>) -> tensor<f16>
      "stablehlo.return"(%c) : (tensor<f16>) -> ()
    }) : (tensor<1x6x6x2xf16>, tensor<f16>) -> tensor<1x3x3x2xf16>
    %2 = "stablehlo.convert"(%arg0) : (tensor<1x6x6x2xf16>) -> tensor<1x6x6x2xf32>
    %3 = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
    %4 = "stablehlo.reduce_window"(%2, %3) <{window_dimensions = array<i64: 1, 3, 3, 1>, window_strides = array<i64: 1, 2, 2, 1>, padding = dense<[[0, 0], [1, 2], [1, 2], [0, 0]]> : tensor<4x2xi64>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      "stablehlo.return"(%c) : (tensor<f32>) -> ()
    }) : (tensor<1x6x6x2xf32>, tensor<f32>) -> tensor<1x4x4x2xf32>
    %5 = "stablehlo.constant"() <{value = dense<[2.0, 3.0, 3.0, 1.0]> : tensor<4xf32>}> : () -> tensor<4xf32>
    %6 = "stablehlo.broadcast_in_dim"(%5) <{broadcast_dimensions = array<i64: 1>}> : (tensor<4xf32>) -> tensor<1x4x4x2xf32>
    %7 = "stablehlo.constant"() <{value = dense<[2.0, 3.0, 3.0, 1.0]> : tensor<4xf32>}> : () -> tensor<4xf32>
    %8 = "stablehlo.broadcast_in_dim"(%7) <{broadcast_dimensions = array<i64: 2>}> : (tensor<4xf32>) -> tensor<1x4x4x2xf32>
    %9 = "stablehlo.multiply"(%6, %8) : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
    %10 = "stablehlo.divide"(%4, %9) : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
    %11 = "stablehlo.convert"(%10) : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf16>
    %12 = "stablehlo.convert"(%arg0) : (tensor<1x6x6x2xf16>) -> tensor<1x6x6x2xf32>
    %13 = "stablehlo.reduce"(%12, %3) <{dimensions = array<i64: 1, 2>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      "stablehlo.return"(%c) : (tensor<f32>) -> ()
    }) : (tensor<1x6x6x2xf32>, tensor<f32>) -> tensor<1x2xf32>
    %14 = "stablehlo.reshape"(%13) : (tensor<1x2xf32>) -> tensor<1x1x1x2xf32>
    %15 = "stablehlo.constant"() <{value = dense<36.0> : tensor<f32>}> : () -> tensor<f32>
    %16 = "stablehlo.broadcast_in_dim"(%15) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<1x1x1x2xf32>
    %17 = "stablehlo.divide"(%14, %16) : (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
    %18 = "stablehlo.convert"(%17) : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf16>
    func.return %1, %11, %18 : tensor<1x3x3x2xf16>, tensor<1x4x4x2xf16>, tensor<1x1x1x2xf16>
  }
}
