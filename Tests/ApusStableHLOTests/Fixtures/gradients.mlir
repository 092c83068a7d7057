module {
  func.func public @main(%arg0: tensor<2x5x5x4xf32>, %arg1: tensor<6x3x3x2xf32>) -> (tensor<2x5x5x4xf32>, tensor<6x3x3x2xf32>) {
    %0 = "stablehlo.convolution"(%arg0, %arg1) <{window_strides = array<i64: 2, 2>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, window_reversal = array<i1: false, false>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>, feature_group_count = 2 : i64, batch_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]}> : (tensor<2x5x5x4xf32>, tensor<6x3x3x2xf32>) -> tensor<2x3x3x6xf32>
    %1 = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
    %2 = "stablehlo.broadcast_in_dim"(%1) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<2x3x3x6xf32>
    %3 = "stablehlo.maximum"(%0, %2) : (tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xf32>
    %4 = "stablehlo.maximum"(%0, %2) : (tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xf32>
    %5 = "stablehlo.constant"() <{value = dense<0xFF800000> : tensor<f32>}> : () -> tensor<f32>
    %6 = "stablehlo.reduce_window"(%4, %5) <{window_dimensions = array<i64: 1, 2, 2, 1>, window_strides = array<i64: 1, 2, 2, 1>, padding = dense<[[0, 0], [1, 0], [1, 0], [0, 0]]> : tensor<4x2xi64>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %c = "stablehlo.maximum"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      "stablehlo.return"(%c) : (tensor<f32>) -> ()
    }) : (tensor<2x3x3x6xf32>, tensor<f32>) -> tensor<2x2x2x6xf32>
    %7 = "stablehlo.pad"(%3, %5) <{edge_padding_low = array<i64: 0, 1, 1, 0>, edge_padding_high = array<i64: 0, 0, 0, 0>, interior_padding = array<i64: 0, 0, 0, 0>}> : (tensor<2x3x3x6xf32>, tensor<f32>) -> tensor<2x4x4x6xf32>
    %8 = "stablehlo.slice"(%7) <{start_indices = array<i64: 0, 0, 0, 0>, limit_indices = array<i64: 2, 3, 3, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xf32>) -> tensor<2x2x2x6xf32>
    %9 = "stablehlo.slice"(%7) <{start_indices = array<i64: 0, 0, 1, 0>, limit_indices = array<i64: 2, 3, 4, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xf32>) -> tensor<2x2x2x6xf32>
    %10 = "stablehlo.slice"(%7) <{start_indices = array<i64: 0, 1, 0, 0>, limit_indices = array<i64: 2, 4, 3, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xf32>) -> tensor<2x2x2x6xf32>
    %11 = "stablehlo.slice"(%7) <{start_indices = array<i64: 0, 1, 1, 0>, limit_indices = array<i64: 2, 4, 4, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xf32>) -> tensor<2x2x2x6xf32>
    %12 = "stablehlo.maximum"(%8, %9) : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xf32>
    %13 = "stablehlo.maximum"(%12, %10) : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xf32>
    %14 = "stablehlo.maximum"(%13, %11) : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xf32>
    %15 = "stablehlo.constant"() <{value = dense<true> : tensor<i1>}> : () -> tensor<i1>
    %16 = "stablehlo.broadcast_in_dim"(%15) <{broadcast_dimensions = array<i64>}> : (tensor<i1>) -> tensor<2x3x3x6xi1>
    %17 = "stablehlo.constant"() <{value = dense<false> : tensor<i1>}> : () -> tensor<i1>
    %18 = "stablehlo.pad"(%16, %17) <{edge_padding_low = array<i64: 0, 1, 1, 0>, edge_padding_high = array<i64: 0, 0, 0, 0>, interior_padding = array<i64: 0, 0, 0, 0>}> : (tensor<2x3x3x6xi1>, tensor<i1>) -> tensor<2x4x4x6xi1>
    %19 = "stablehlo.slice"(%18) <{start_indices = array<i64: 0, 0, 0, 0>, limit_indices = array<i64: 2, 3, 3, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xi1>) -> tensor<2x2x2x6xi1>
    %20 = "stablehlo.slice"(%18) <{start_indices = array<i64: 0, 0, 1, 0>, limit_indices = array<i64: 2, 3, 4, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xi1>) -> tensor<2x2x2x6xi1>
    %21 = "stablehlo.slice"(%18) <{start_indices = array<i64: 0, 1, 0, 0>, limit_indices = array<i64: 2, 4, 3, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xi1>) -> tensor<2x2x2x6xi1>
    %22 = "stablehlo.slice"(%18) <{start_indices = array<i64: 0, 1, 1, 0>, limit_indices = array<i64: 2, 4, 4, 6>, strides = array<i64: 1, 2, 2, 1>}> : (tensor<2x4x4x6xi1>) -> tensor<2x2x2x6xi1>
    %23 = "stablehlo.broadcast_in_dim"(%1) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<2x2x2x6xf32>
    %24 = "stablehlo.compare"(%8, %14) <{comparison_direction = #stablehlo<comparison_direction EQ>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %25 = "stablehlo.compare"(%8, %8) <{comparison_direction = #stablehlo<comparison_direction NE>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %26 = "stablehlo.or"(%24, %25) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %27 = "stablehlo.and"(%26, %19) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %28 = "stablehlo.not"(%27) : (tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %29 = "stablehlo.select"(%27, %6, %23) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xf32>
    %30 = "stablehlo.pad"(%29, %1) <{edge_padding_low = array<i64: 0, -1, -1, 0>, edge_padding_high = array<i64: 0, 1, 1, 0>, interior_padding = array<i64: 0, 1, 1, 0>}> : (tensor<2x2x2x6xf32>, tensor<f32>) -> tensor<2x3x3x6xf32>
    %31 = "stablehlo.compare"(%9, %14) <{comparison_direction = #stablehlo<comparison_direction EQ>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %32 = "stablehlo.compare"(%9, %9) <{comparison_direction = #stablehlo<comparison_direction NE>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %33 = "stablehlo.or"(%31, %32) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %34 = "stablehlo.and"(%33, %20) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %35 = "stablehlo.and"(%34, %28) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %36 = "stablehlo.not"(%35) : (tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %37 = "stablehlo.and"(%28, %36) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %38 = "stablehlo.select"(%35, %6, %23) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xf32>
    %39 = "stablehlo.pad"(%38, %1) <{edge_padding_low = array<i64: 0, -1, 0, 0>, edge_padding_high = array<i64: 0, 1, 0, 0>, interior_padding = array<i64: 0, 1, 1, 0>}> : (tensor<2x2x2x6xf32>, tensor<f32>) -> tensor<2x3x3x6xf32>
    %40 = "stablehlo.add"(%30, %39) : (tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xf32>
    %41 = "stablehlo.compare"(%10, %14) <{comparison_direction = #stablehlo<comparison_direction EQ>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %42 = "stablehlo.compare"(%10, %10) <{comparison_direction = #stablehlo<comparison_direction NE>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %43 = "stablehlo.or"(%41, %42) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %44 = "stablehlo.and"(%43, %21) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %45 = "stablehlo.and"(%44, %37) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %46 = "stablehlo.not"(%45) : (tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %47 = "stablehlo.and"(%37, %46) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %48 = "stablehlo.select"(%45, %6, %23) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xf32>
    %49 = "stablehlo.pad"(%48, %1) <{edge_padding_low = array<i64: 0, 0, -1, 0>, edge_padding_high = array<i64: 0, 0, 1, 0>, interior_padding = array<i64: 0, 1, 1, 0>}> : (tensor<2x2x2x6xf32>, tensor<f32>) -> tensor<2x3x3x6xf32>
    %50 = "stablehlo.add"(%40, %49) : (tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xf32>
    %51 = "stablehlo.compare"(%11, %14) <{comparison_direction = #stablehlo<comparison_direction EQ>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %52 = "stablehlo.compare"(%11, %11) <{comparison_direction = #stablehlo<comparison_direction NE>}> : (tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xi1>
    %53 = "stablehlo.or"(%51, %52) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %54 = "stablehlo.and"(%53, %22) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %55 = "stablehlo.and"(%54, %47) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %56 = "stablehlo.not"(%55) : (tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %57 = "stablehlo.and"(%47, %56) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xi1>) -> tensor<2x2x2x6xi1>
    %58 = "stablehlo.select"(%55, %6, %23) : (tensor<2x2x2x6xi1>, tensor<2x2x2x6xf32>, tensor<2x2x2x6xf32>) -> tensor<2x2x2x6xf32>
    %59 = "stablehlo.pad"(%58, %1) <{edge_padding_low = array<i64: 0, 0, 0, 0>, edge_padding_high = array<i64: 0, 0, 0, 0>, interior_padding = array<i64: 0, 1, 1, 0>}> : (tensor<2x2x2x6xf32>, tensor<f32>) -> tensor<2x3x3x6xf32>
    %60 = "stablehlo.add"(%50, %59) : (tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xf32>
    %61 = "stablehlo.maximum"(%0, %2) : (tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xf32>
    %62 = "stablehlo.compare"(%61, %2) <{comparison_direction = #stablehlo<comparison_direction GT>}> : (tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xi1>
    %63 = "stablehlo.select"(%62, %60, %2) : (tensor<2x3x3x6xi1>, tensor<2x3x3x6xf32>, tensor<2x3x3x6xf32>) -> tensor<2x3x3x6xf32>
    %64 = "stablehlo.reverse"(%arg1) <{dimensions = array<i64: 1, 2>}> : (tensor<6x3x3x2xf32>) -> tensor<6x3x3x2xf32>
    %65 = "stablehlo.reshape"(%64) : (tensor<6x3x3x2xf32>) -> tensor<2x3x3x3x2xf32>
    %66 = "stablehlo.transpose"(%65) <{permutation = array<i64: 1, 2, 3, 0, 4>}> : (tensor<2x3x3x3x2xf32>) -> tensor<3x3x3x2x2xf32>
    %67 = "stablehlo.reshape"(%66) : (tensor<3x3x3x2x2xf32>) -> tensor<3x3x3x4xf32>
    %68 = "stablehlo.convolution"(%63, %67) <{window_strides = array<i64: 1, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 2, 2>, rhs_dilation = array<i64: 1, 1>, window_reversal = array<i1: false, false>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[i, 0, 1, o]->[b, 0, 1, f]>, feature_group_count = 2 : i64, batch_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]}> : (tensor<2x3x3x6xf32>, tensor<3x3x3x4xf32>) -> tensor<2x5x5x4xf32>
    %69 = "stablehlo.convolution"(%arg0, %63) <{window_strides = array<i64: 1, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 2, 2>, window_reversal = array<i1: false, false>, dimension_numbers = #stablehlo.conv<[f, 0, 1, b]x[i, 0, 1, o]->[f, 0, 1, b]>, feature_group_count = 1 : i64, batch_group_count = 2 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]}> : (tensor<2x5x5x4xf32>, tensor<2x3x3x6xf32>) -> tensor<6x3x3x2xf32>
    func.return %68, %69 : tensor<2x5x5x4xf32>, tensor<6x3x3x2xf32>
  }
}
