// "Performance Benchmarks" in the documentation of Lux.jl: forward passes, the shortest of 100 runs
// or of as many as fit into 5 seconds.

extension PublishedTable {
  /// Forward passes of three ResNets: ours, Flax and eager.
  public static let luxResNet = PublishedTable(
    name: "lux-resnet", title: "ResNet, forward pass",
    source: "Lux.jl's documentation, Performance Benchmarks",
    machine: "NVIDIA RTX 3060 Ti, 12 GB",
    method: "Shortest of 100 synchronised runs, or of as many as fit into 5 s; inference, random "
      + "fp32 images; compiling is not counted.",
    peers: .columns,
    sections: [
      section(
        "ResNet18 (Forward Pass)", "resnet18",
        [
          (1, "0.00125634", "0.002330780", "0.00196218", "1.56", "1.86"),
          (4, "0.00295247", "0.003750324", "0.0042437", "1.44", "1.27"),
          (32, "0.0134202", "0.015712499", "0.0253424", "1.89", "1.17"),
          (128, "0.047055", "0.05045008", "0.097789", "2.08", "1.07"),
        ]),
      section(
        "ResNet34 (Forward Pass)", "resnet34",
        [
          (1, "0.00239355", "0.004539012", "0.00364651", "1.52", "1.90"),
          (4, "0.00548421", "0.00700831", "0.00725198", "1.32", "1.28"),
          (32, "0.0241452", "0.028824806", "0.042178", "1.75", "1.19"),
          (128, "0.0845379", "0.08936405", "0.159878", "1.89", "1.06"),
        ]),
      section(
        "ResNet50 (Forward Pass)", "resnet50",
        [
          (1, "0.00265636", "0.004221916", "0.00532997", "2.01", "1.59"),
          (4, "0.00690339", "0.008177042", "0.0163181", "2.36", "1.18"),
          (32, "0.0388969", "0.04150199", "0.111284", "2.86", "1.07"),
          (128, "0.141286", "0.14333295", "0.436758", "3.09", "1.01"),
        ]),
    ])

  /// The page's executions: Lux + Reactant, Flax, Lux.
  private static func section(
    _ title: String, _ model: String,
    _ rows: [(
      batch: Int, compiled: String, flax: String, eager: String, overEager: String,
      overFlax: String
    )]
  ) -> Section {
    Section(
      title, corner: "Batch Size",
      columns: [
        "Best Timing (compiled; Lux + Reactant)", "Best Timing (Flax)",
        "Best Timing (eager; Lux)", "Speedup (eager vs compiled)", "Speedup (Flax vs compiled)",
      ],
      rows: rows.map { row in
        let compiled = PublishedCell(
          model, batch: row.batch, rules: PublishedRules(iterations: 100, longest: 5))
        let (flax, eager) = (compiled.with(execution: "flax"), compiled.with(execution: "eager"))
        return Row(
          "\(row.batch)",
          [
            .figure(.shortest, of: compiled, published: row.compiled + " s"),
            .figure(.shortest, of: flax, published: row.flax + " s"),
            .figure(.shortest, of: eager, published: row.eager + " s"),
            .speedUp(of: compiled, over: eager, by: .shortest, published: row.overEager + "x"),
            .speedUp(of: compiled, over: flax, by: .shortest, published: row.overFlax + "x"),
          ])
      })
  }
}
