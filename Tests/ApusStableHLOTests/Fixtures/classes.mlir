module {
  func.func public @main(%arg0: tensor<2x5xf32>) -> (tensor<2xi32>, tensor<2x5xui8>) {
    %0 = "stablehlo.iota"() <{iota_dimension = 1 : i64}> : () -> tensor<2x5xi32>
    %1 = "stablehlo.constant"() <{value = dense<0xFF800000> : tensor<f32>}> : () -> tensor<f32>
    %2 = "stablehlo.constant"() <{value = dense<2147483647> : tensor<i32>}> : () -> tensor<i32>
    %3:2 = "stablehlo.reduce"(%arg0, %0, %1, %2) <{dimensions = array<i64: 1>}> ({
    ^bb0(%a: tensor<f32>, %i: tensor<i32>, %b: tensor<f32>, %j: tensor<i32>):
      %larger = "stablehlo.compare"(%a, %b) <{comparison_direction = #stablehlo<comparison_direction GT>}> : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %equal = "stablehlo.compare"(%a, %b) <{comparison_direction = #stablehlo<comparison_direction EQ>}> : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %earlier = "stablehlo.compare"(%i, %j) <{comparison_direction = #stablehlo<comparison_direction LT>}> : (tensor<i32>, tensor<i32>) -> tensor<i1>
      %nanA = "stablehlo.compare"(%a, %a) <{comparison_direction = #stablehlo<comparison_direction NE>}> : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %numberB = "stablehlo.compare"(%b, %b) <{comparison_direction = #stablehlo<comparison_direction EQ>}> : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %nanB = "stablehlo.compare"(%b, %b) <{comparison_direction = #stablehlo<comparison_direction NE>}> : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %onlyA = "stablehlo.and"(%nanA, %numberB) : (tensor<i1>, tensor<i1>) -> tensor<i1>
      %wins = "stablehlo.or"(%larger, %onlyA) : (tensor<i1>, tensor<i1>) -> tensor<i1>
      %bothNaN = "stablehlo.and"(%nanA, %nanB) : (tensor<i1>, tensor<i1>) -> tensor<i1>
      %alike = "stablehlo.or"(%equal, %bothNaN) : (tensor<i1>, tensor<i1>) -> tensor<i1>
      %tie = "stablehlo.and"(%alike, %earlier) : (tensor<i1>, tensor<i1>) -> tensor<i1>
      %first = "stablehlo.or"(%wins, %tie) : (tensor<i1>, tensor<i1>) -> tensor<i1>
      %v = "stablehlo.select"(%first, %a, %b) : (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<f32>
      %k = "stablehlo.select"(%first, %i, %j) : (tensor<i1>, tensor<i32>, tensor<i32>) -> tensor<i32>
      "stablehlo.return"(%v, %k) : (tensor<f32>, tensor<i32>) -> ()
    }) : (tensor<2x5xf32>, tensor<2x5xi32>, tensor<f32>, tensor<i32>) -> (tensor<2xf32>, tensor<2xi32>)
    %4 = "stablehlo.constant"() <{value = dense<256.0> : tensor<f32>}> : () -> tensor<f32>
    %5 = "stablehlo.broadcast_in_dim"(%4) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<2x5xf32>
    %6 = "stablehlo.compare"(%arg0, %5) <{comparison_direction = #stablehlo<comparison_direction GE>}> : (tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<2x5xi1>
    %7 = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
    %8 = "stablehlo.broadcast_in_dim"(%7) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<2x5xf32>
    %9 = "stablehlo.compare"(%arg0, %8) <{comparison_direction = #stablehlo<comparison_direction LE>}> : (tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<2x5xi1>
    %10 = "stablehlo.compare"(%arg0, %arg0) <{comparison_direction = #stablehlo<comparison_direction EQ>}> : (tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<2x5xi1>
    %11 = "stablehlo.convert"(%arg0) : (tensor<2x5xf32>) -> tensor<2x5xui8>
    %12 = "stablehlo.constant"() <{value = dense<0> : tensor<ui8>}> : () -> tensor<ui8>
    %13 = "stablehlo.broadcast_in_dim"(%12) <{broadcast_dimensions = array<i64>}> : (tensor<ui8>) -> tensor<2x5xui8>
    %14 = "stablehlo.select"(%10, %11, %13) : (tensor<2x5xi1>, tensor<2x5xui8>, tensor<2x5xui8>) -> tensor<2x5xui8>
    %15 = "stablehlo.constant"() <{value = dense<255> : tensor<ui8>}> : () -> tensor<ui8>
    %16 = "stablehlo.broadcast_in_dim"(%15) <{broadcast_dimensions = array<i64>}> : (tensor<ui8>) -> tensor<2x5xui8>
    %17 = "stablehlo.select"(%9, %13, %14) : (tensor<2x5xi1>, tensor<2x5xui8>, tensor<2x5xui8>) -> tensor<2x5xui8>
    %18 = "stablehlo.select"(%6, %16, %17) : (tensor<2x5xi1>, tensor<2x5xui8>, tensor<2x5xui8>) -> tensor<2x5xui8>
    func.return %3#1, %18 : tensor<2xi32>, tensor<2x5xui8>
  }
}
