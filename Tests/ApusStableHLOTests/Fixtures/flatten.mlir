module {
  func.func public @main(%arg0: tensor<2x4x5x3xf32>, %arg1: tensor<10x60xf32>, %arg2: tensor<10xf32>) -> (tensor<2x10xf32>) {
    %0 = "stablehlo.transpose"(%arg0) <{permutation = array<i64: 0, 3, 1, 2>}> : (tensor<2x4x5x3xf32>) -> tensor<2x3x4x5xf32>
    %1 = "stablehlo.reshape"(%0) : (tensor<2x3x4x5xf32>) -> tensor<2x60xf32>
    %2 = "stablehlo.dot_general"(%1, %arg1) <{dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1]>, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]}> : (tensor<2x60xf32>, tensor<10x60xf32>) -> tensor<2x10xf32>
    %3 = "stablehlo.broadcast_in_dim"(%arg2) <{broadcast_dimensions = array<i64: 1>}> : (tensor<10xf32>) -> tensor<2x10xf32>
    %4 = "stablehlo.add"(%2, %3) : (tensor<2x10xf32>, tensor<2x10xf32>) -> tensor<2x10xf32>
    func.return %4 : tensor<2x10xf32>
  }
}
