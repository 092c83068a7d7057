// "Benchmark" of mxnet-finetuner: fine-tuning 8000 images, data loading included.

extension PublishedTable {
  /// Fine-tuning, images per second and memory.
  public static let finetuner = PublishedTable(
    name: "finetuner", title: "Fine-tuning",
    source: "mxnet-finetuner, Benchmark", machine: "NVIDIA TITAN X (Maxwell), 12 GiB",
    method: "Whole steps of SGD with momentum 0.9 on 8000 images, data loading included; mean of "
      + "the readings. Networks end in one new fully connected layer (head cut). Memory is that "
      + "of the process, on its device where it has one of its own.",
    peers: .sections,
    sections: [
      section(
        "Speed (images/sec)",
        rows: networks.map { network in
          Row(network.title, entries(network, .imagesPerSecond, network.speed))
        }),
      section(
        "Memory usage (MiB)", and: ["Reference accuracy (imagenet1k Top-5)"],
        rows: networks.map { network in
          Row(
            network.title,
            entries(network, .processMemory, network.memory) + [.words(network.accuracy)])
        }),
    ])

  private static let batches = [10, 20, 30, 40]

  private static func section(_ title: String, and more: [String] = [], rows: [Row]) -> Section {
    Section(
      title, corner: "model", columns: batches.map { "batch size \($0)" } + more, rows: rows)
  }

  private static func entries(
    _ network: Network, _ figure: ReportFigure, _ published: [String]
  ) -> [Entry] {
    zip(batches, published).map { batch, published in
      .figure(
        figure,
        of: PublishedCell(
          network.model, mode: "pipeline", batch: batch, head: "cut", rules: PublishedRules()),
        published: published)
    }
  }

  private typealias Network = (
    title: String, model: String, speed: [String], memory: [String], accuracy: String
  )

  private static let noMemory = "out of memory"

  /// In the order of the page, speed and memory at batches 10, 20, 30, 40.
  private static let networks: [Network] = [
    (
      "CaffeNet", "caffenet", ["755.64", "1054.47", "1019.24", "1077.63"],
      ["430", "496", "631", "716"], "78.3%"
    ),
    (
      "SqueezeNet", "squeezenet1_1", ["458.27", "579.37", "534.68", "549.55"],
      ["608", "937", "1331", "1672"], "78.8%"
    ),
    (
      "NIN", "nin", ["443.88", "516.21", "612.83", "656.14"], ["650", "902", "1062", "1222"],
      "81.3%"
    ),
    (
      "ResNet-18", "resnet18_v2", ["257.40", "308.30", "331.57", "339.09"],
      ["814", "1163", "1497", "1853"], "88.7%"
    ),
    (
      "ResNet-34", "resnet34_v2", ["149.88", "182.69", "201.75", "207.49"],
      ["1127", "1619", "2094", "2598"], "91.0%"
    ),
    (
      "Inception-BN", "inception_bn", ["147.60", "183.82", "193.74", "203.86"],
      ["1007", "1569", "2212", "2772"], "90.8%"
    ),
    (
      "ResNet-50", "resnet50_v2", ["88.55", "102.44", "109.98", "111.04"],
      ["1875", "3080", "4265", "5483"], "92.6%"
    ),
    (
      "Inception-v3", "inception_v3_mx", ["67.11", "75.90", "80.67", "82.34"],
      ["2075", "3509", "4944", "6383"], "93.3%"
    ),
    (
      "VGG16", "vgg16", ["56.38", "58.01", "59.80", "59.35"], ["1738", "2960", "4751", "5977"],
      "89.8%"
    ),
    (
      "ResNet-101", "resnet101_v2", ["53.42", "63.28", "68.14", "68.35"],
      ["2791", "4576", "6341", "8158"], "93.3%"
    ),
    (
      "VGG19", "vgg19", ["45.02", "46.88", "48.62", "48.28"], ["1920", "3242", "5133", "6458"],
      "89.8%"
    ),
    (
      "ResNet-152", "resnet152_v2", ["37.88", "44.89", "48.48", "48.62"],
      ["3790", "6296", "8777", "11330"], "93.1%"
    ),
    (
      "ResNet-200", "resnet200_v2", ["22.58", "25.61", "27.17", "27.32"],
      ["2051", "2769", "3471", "4201"], "unknown"
    ),
    (
      "ResNeXt-50", "resnext50_mx", ["53.30", "64.40", "71.07", "72.96"],
      ["2248", "3863", "5468", "7089"], "93.3%"
    ),
    (
      "ResNeXt-101", "resnext101_mx", ["31.76", "39.56", "42.90", "43.99"],
      ["3350", "5749", "8126", "10539"], "94.1%"
    ),
    (
      "ResNeXt-101-64x4d", "resnext101_64x4d_mx", ["18.22", "23.08", noMemory, noMemory],
      ["5140", "8679", noMemory, noMemory], "94.3%"
    ),
  ]
}
