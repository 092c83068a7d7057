// "Speed comparison of different models and their memory usage" of pytorch-tools: training steps,
// 2 warm-ups, 10 runs of 10 or 50 iterations, mean ± standard deviation of the runs' means.

extension PublishedTable {
  /// Training steps and their memory, by what saves memory.
  public static let pytorchTools = PublishedTable(
    name: "pytorch-tools", title: "Training steps: speed and memory",
    source: "pytorch-tools, Speed comparison of different models and their memory usage",
    machine: "a GPU that the page does not name",
    method: "Whole steps of SGD (learning rate 0.01, momentum 0.9, weight decay 1e-4); the loss "
      + "counts as forward, the rest as backward. 2 warm-ups, then runs of iterations: mean ± "
      + "standard deviation of the runs' means. Memory is the allocator's peak after the "
      + "warm-ups; without a device's allocator, what the process took beyond its baseline.",
    peers: .sections,
    sections: [
      whole(
        "VGG 16", iterations: "50",
        [
          (vgg("VGG 16 ABN", norm: "abn", 50), "719.29+-1.45", "17732.86"),
          (vgg("VGG 16 InplaceABN", norm: "inplace-abn", 50), "727.05+-0.73", "11857.39"),
        ]),
      whole(
        "VGG 16, recomputed", iterations: "10",
        [
          (vgg("VGG 16 Naive PostAct", "none", "post"), "652.89+-0.98", "17585.80"),
          (vgg("VGG 16 Chpnt PostAct", "stages", "post"), "847.33+-10.08", "13423.22"),
          (vgg("VGG 16 Naive PreAct", "none", "pre"), "641.53+-1.29", "17585.80"),
          (vgg("VGG 16 Chpnt PreAct", "stages", "pre"), "841.74+-12.48", "13423.22"),
        ]),
      whole(
        "Resnet50", iterations: "50",
        [
          (
            ("Resnet50 ABN", step("resnet50", 128, 50, norm: "abn", ["zero-branch"])),
            "447.21+-0.61", "10884.15"
          ),
          (
            ("Resnet50 InplaceABN", step("resnet50", 128, 50, norm: "inplace-abn")),
            "479.64+-1.32", "8888.33"
          ),
        ]),
      whole(
        "SE Resnext50_32x4", iterations: "50 at BS=128, 10 at BS=64",
        [
          (se("SE Resnext50_32x4 ABN", 128, 50, "abn"), "700.99+-0.67", "16826.77"),
          (se("SE Resnext50_32x4 InplaceABN", 128, 50, "inplace-abn"), "718.09+-2.18", "10575.54"),
          (se("SE Resnext50_32x4 ABN", 64, 10, "abn"), "394.58+-0.41", "8607.16"),
          (se("SE Resnext50_32x4 InplaceABN", 64, 10, "inplace-abn"), "410.02+-3.24", "5470.71"),
        ]),
      halves("EffNet", efficientNets),
      halves("Resnet", resNets),
    ])

  private typealias Titled = (title: String, cell: PublishedCell)
  private typealias Halves = (
    row: Titled, forward: String, backward: String, memory: String, speed: String?
  )

  private static let efficientNets: [Halves] = [
    (b("B0 rwightman 5.29M params"), "27.15+-0.03", "117.22+-3.62", "5491.36", nil),
    (b("B1 rwightman 7.79M params", "swish"), "39.05+-0.02", "151.09+-3.33", "7680.92", nil),
    (b("B2 rwightman 9.11M params"), "41.30+-0.05", "148.15+-2.87", "8064.01", nil),
    (b("B3 rwightman 12.23M params"), "53.73+-0.02", "192.05+-2.13", "10675.62", nil),
    (
      b("B1 rwightman CUDA Swish 7.79M params", "swish"), "38.65+-0.01", "145.76+-3.77", "7741.70",
      nil
    ),
    (b("B1 rwightman RELU 7.79M params", "relu"), "38.50+-0.01", "150.01+-4.07", "5767.71", nil),
    (b("B0 lukemelas 5.29M params", flavour: "tf_"), "38.59+-0.01", "141.19+-4.33", "5980.59", nil),
    (b("B1 lukemelas 7.79M params", flavour: "tf_"), "54.97+-0.01", "185.83+-5.13", "8254.66", nil),
  ]

  private static let resNets: [Halves] = [
    (
      ("Resnet50 Baseline: 25.56M params", step("resnet50", 64, 10, precision: "fp32")),
      "59.65+-0.07", "164.39+-2.58", "5935.15", nil
    ),
    (
      ("Resnet50 AMP 25.56M params", step("resnet50", 256, 10, precision: "fp16")),
      "111.44+-0.03", "357.80+-1.61", "11226.14", "545.56"
    ),
    (deep("Leaky ReLU", "leaky-relu"), "30.81+-0.18", "103.95+-1.05", "2766.59", nil),
    (deep("ReLU", "relu"), "30.76+-0.01", "103.90+-1.10", "2932.52", nil),
    (deep("Mish", "mish"), "35.07+-0.02", "112.40+-4.26", "3739.84", nil),
    (deep("Mish Naive", "naive-mish"), "37.73+-0.01", "125.56+-5.10", "5846.58", nil),
  ]

  private static func step(
    _ model: String, _ batch: Int, _ iterations: Int, precision: String? = nil,
    norm: String = "bn", activation: String? = nil, checkpoint: String? = nil,
    order: String? = nil, stem: String = "standard", _ switches: [String] = []
  ) -> PublishedCell {
    PublishedCell(
      model, mode: "train", batch: batch, precision: precision, norm: norm,
      activation: activation, checkpoint: checkpoint, order: order, stem: stem,
      switches: switches, rules: PublishedRules(warmUps: 2, runs: 10, iterations: iterations))
  }

  private static func vgg(_ title: String, norm: String, _ iterations: Int) -> Titled {
    (title, step("vgg16_bn", 128, iterations, norm: norm))
  }

  private static func vgg(_ title: String, _ checkpoint: String, _ order: String) -> Titled {
    (title, step("vgg16_bn", 128, 10, checkpoint: checkpoint, order: order))
  }

  private static func se(
    _ title: String, _ batch: Int, _ iterations: Int, _ norm: String
  ) -> Titled {
    (title, step("legacy_seresnext50_32x4d", batch, iterations, norm: norm))
  }

  /// An EfficientNet, whose title begins with its size.
  private static func b(
    _ title: String, _ activation: String? = nil, flavour: String = ""
  ) -> Titled {
    let size = title.prefix(2).lowercased()
    return (
      "EffNet " + title, step("\(flavour)efficientnet_\(size)", 64, 10, activation: activation)
    )
  }

  private static func deep(_ title: String, _ activation: String) -> Titled {
    (
      "Resnet34 \(title) 21.82M params",
      step("resnet34", 64, 10, activation: activation, stem: "deep")
    )
  }

  private static func titled(_ row: Titled) -> String { "\(row.title), BS=\(row.cell.batchSize)" }

  private static func whole(
    _ title: String, iterations: String, _ rows: [(row: Titled, time: String, memory: String)]
  ) -> Section {
    Section(
      "\(title) (mean of 10 runs, \(iterations) iterations each)", corner: "model",
      columns: ["Step (ms)", "Max memory (MiB)"],
      rows: rows.map { row, time, memory in
        Row(
          titled(row),
          [
            .figure(.step, of: row.cell, published: time),
            .figure(.allocatedMemory, of: row.cell, published: memory),
          ])
      })
  }

  private static func halves(_ title: String, _ rows: [Halves]) -> Section {
    Section(
      "\(title) (mean of 10 runs, 10 iterations each)", corner: "model",
      columns: ["Forward (ms)", "Backward (ms)", "Max memory (MiB)", "Speed (images/s)"],
      rows: rows.map { row in
        Row(
          titled(row.row),
          [
            .figure(.forward, of: row.row.cell, published: row.forward),
            .figure(.backward, of: row.row.cell, published: row.backward),
            .figure(.allocatedMemory, of: row.row.cell, published: row.memory),
            .figure(.imagesPerSecond, of: row.row.cell, published: row.speed),
          ])
      })
  }
}
