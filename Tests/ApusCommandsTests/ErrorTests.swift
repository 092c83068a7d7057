import ApusRuntime
import Foundation
import Testing

/// Arguments, in the workspace, that must be refused.
struct ErrorRow: Sendable, CustomTestStringConvertible {
  let arguments: [String]
  let exitCode: Int32
  /// The first line of standard error, or how it begins.
  let message: String
  let startsOnly: Bool
  let parts: [String]

  init(
    _ arguments: String, _ exitCode: Int32, _ message: String, startsOnly: Bool = false,
    containing parts: String...
  ) {
    self.startsOnly = startsOnly
    self.arguments = arguments.split(separator: " ").map(String.init)
    self.exitCode = exitCode
    self.message = message
    self.parts = parts
  }

  var testDescription: String { arguments.joined(separator: " ") }
}

extension CommandTests {
  @Suite struct ErrorTests {
    @Test("wrong usage is explained with exit code 64", arguments: ErrorRow.usage)
    func usage(row: ErrorRow) async throws { try await check(row) }

    @Test("files that cannot be used are explained", arguments: ErrorRow.files)
    func files(row: ErrorRow) async throws { try await check(row) }

    @Test("what a run cannot do is explained", arguments: ErrorRow.runs)
    func runs(row: ErrorRow) async throws { try await check(row) }

    @Test("weight files that cannot be used are explained", arguments: ErrorRow.weightFiles)
    func weightFiles(row: ErrorRow) async throws { try await check(row) }

    private func check(_ row: ErrorRow) async throws {
      let run = try await Tool.run(row.arguments, in: Workspace.folder)
      expectNoCrash(run)
      #expect(run.exitCode == row.exitCode)
      let lines = run.errors.split(separator: "\n", omittingEmptySubsequences: false)
      let first = lines.first.map(String.init) ?? ""
      let message = "Error: " + row.message
      #expect(
        row.startsOnly ? first.hasPrefix(message) : first == message, "\(run.errors)")
      #expect(lines.count { $0.hasPrefix("Error:") } == 1)
      for part in row.parts { #expect(run.errors.contains(part), "\(run.errors)") }
      #expect(run.output.isEmpty)
    }
  }
}

private let classify = "predict -m resnet18 --weights resnet18.safetensors"

extension ErrorRow {
  static let usage: [ErrorRow] =
    [
      ErrorRow("frobnicate", 64, "Unexpected argument 'frobnicate'"),
      ErrorRow("bench", 64, "Missing expected argument '--model <model>'"),
      ErrorRow("bench -m resnet18 --frob 3", 64, "Unknown option '--frob'"),
      ErrorRow("inspect", 64, "Missing expected argument '<file>'"),
      ErrorRow(
        "predict -m resnet18 landscape.jpg", 64, "Missing expected argument '--weights <weights>'"),
      ErrorRow(
        classify, 64, "give pictures or --tensor FILE, not both: got 0 pictures and no --tensor"),
      ErrorRow(
        classify + " landscape.jpg --tensor small.npy", 64,
        "give pictures or --tensor FILE, not both: got 1 pictures and --tensor small.npy"),
      ErrorRow(
        classify + " --tensor small.npy --image-size 64", 64,
        "--image-size: does not apply to --tensor, whose size is its own"),
      ErrorRow(
        classify + " landscape.jpg --top-k 2000", 64,
        "--top-k: must be at most the number of classes, 1000, got 2000"),
      ErrorRow(
        classify + " landscape.jpg --image-size 100000", 64,
        "--image-size: the image size must be between 1 and 7168 pixels, got 100000"),
      ErrorRow(
        classify + " --tensor small.npy --normalization raw", 64,
        "--normalization: must come with coloured pictures, got --tensor"),
      ErrorRow(
        "predict -m lenet --weights x.pth landscape.jpg --normalization raw", 64,
        "--normalization: must come with coloured pictures, got a network for grey ones"),
      ErrorRow(
        "models resnet18 --head cut --dropout 0.5", 64,
        "resnet18: must be built without the option dropout, which its definition does not have;"
          + " it has activation, branch-activation, checkpoint, head, norm, padding, stem,"
          + " zero-branch"),
      ErrorRow(
        "models *net* --stem deep", 64,
        "alexnet: must be built without the option stem, which its definition does not have;"
          + " it has activation, checkpoint, dropout, head"),
      ErrorRow(
        "bench -m resnet18 --norm inplace-abn --activation mish", 64,
        "resnet18: norm inplace-abn must have an activation that can be inverted (leaky-relu, elu or"
          + " identity), got mish"),
      ErrorRow(
        "bench -m resnet18 --norm inplace-abn --zero-branch", 64,
        "resnet18: norm inplace-abn must have scales that do not begin at 0, by which it divides,"
          + " got zero-branch"),
      ErrorRow(
        "models vgg16 --norm abn", 64,
        "vgg16: must be built without the option norm, which its definition does not have; it has"
          + " activation, checkpoint, dropout, head"),
      ErrorRow(
        "bench -m vgg16 --dropout 1.5", 64,
        "vgg16: dropout must be at least 0 and below 1, got 1.5"),
      ErrorRow(
        "convert a.pth b.pth -m vgg16 --dropout nan", 64,
        "vgg16: dropout must be at least 0 and below 1, got nan"),
      ErrorRow(
        "models tf_efficientnet_b0 --drop-connect -0.1", 64,
        "tf_efficientnet_b0: drop-connect must be at least 0 and below 1, got -0.1"),
      ErrorRow(
        "models xyz", 64,
        "pattern: must match the name of a network, got \"xyz\"; see `apus models`",
        containing: "Usage: apus models"),
      ErrorRow(
        "bench -m resnet18,resnet34 --weights resnet18.safetensors", 64,
        "--weights: must be of one network, got 2; measure each by itself"),
      ErrorRow(
        "bench -m resnet18 --min-time 100s", 64,
        "measuring rules: min-time must be at most max-time, got 100.0 seconds and 60.0 seconds; "
          + "raise max-time or lower min-time"),
      ErrorRow(
        "bench -m resnet18 --mode train --iterations 3", 64,
        "--iterations: must come with --runs, got it alone"),
      ErrorRow(
        "bench -m lenet --resume", 64,
        "--resume: must come with --output, the run to go on with"),
      ErrorRow("bench -m lenet --timeout 0s", 64, "--timeout: must be more than 0 s, got 0 s"),
      ErrorRow(
        "bench -m lenet -b 1,max --device cpu,xla:cpu", 64,
        "-b max: must come with the device cpu, whose memory is planned, got xla:cpu; give numbers"),
      ErrorRow(
        "bench -m vgg16,alexnet --norm abn", 64,
        "vgg16: must be built without the option norm, which its definition does not have; it has"
          + " activation, checkpoint, dropout, head"),
      ErrorRow(
        "models resnet18 --norm bn,abn", 64,
        "--head, --norm, --activation and --checkpoint: must be one value each, got lists, which"
          + " only `apus bench` takes"),
      ErrorRow("plan", 64, "Missing expected argument '--model <model>'"),
      ErrorRow(
        "plan -m resnet18,lenet --dropout 0.5", 64,
        "resnet18: must be built without the option dropout, which its definition does not have;"
          + " it has activation, branch-activation, checkpoint, head, norm, padding, stem,"
          + " zero-branch"),
      ErrorRow(
        "bench -m resnet18 --min-time 0 --max-time 0s", 64,
        "measuring rules: max-time must be more than 0 s, got 0.0 seconds"),
      ErrorRow(
        classify + " landscape.jpg --format xml", 64,
        "The value 'xml' is invalid for '--format <format>'. "
          + "Please provide one of 'table' and 'json'."),
      ErrorRow(
        classify + " landscape.jpg --execution lazy", 64,
        "The value 'lazy' is invalid for '--execution <execution>'. "
          + "Please provide one of 'eager' and 'compiled'."),
    ] + values

  /// Values of options, each with what must hold of it.
  private static let values: [ErrorRow] = {
    func row(_ command: String, _ option: String, _ value: String, _ rule: String) -> ErrorRow {
      let name = option.split(separator: " ")[0]
      return ErrorRow(
        "\(command) \(name) \(value)", 64,
        "The value '\(value)' is invalid for '\(option)': \(rule)",
        containing: "Usage: apus \(command.split(separator: " ")[0])")
    }
    let predict = classify + " landscape.jpg"
    let bench = "bench -m resnet18"
    let number = "must be a whole number from 1 to 1073741824"
    let whole = "whole number from 1 to 1073741824"
    let memory = "must be an amount of memory such as 8GiB, 512MiB or a number of bytes"
    let threads = "must be auto or a whole number from 1 to 1024"
    let time = "must be a time of at least 0 and below 10⁶ seconds, such as 3s, 500ms or 5m"
    let names = "must be one of the names that `apus models` lists"
    var rows: [ErrorRow] = []
    for value in ["0", "-1", "abc", "1.5", "99999999999999999999"] {
      let rule = "\(number), got \"\(value)\""
      rows.append(row(predict, "-b <batch-size>", value, rule))
      rows.append(
        row(bench, "-b <batch-size>", value, "must be max or a \(whole), got \"\(value)\""))
      rows.append(row(predict, "--top-k <top-k>", value, rule))
      rows.append(row(predict, "--image-size <image-size>", value, rule))
      rows.append(row(predict, "--classes <classes>", value, rule))
      rows.append(row(bench, "--min-iterations <min-iterations>", value, rule))
    }
    for value in ["0", "-2", "1025", "all"] {
      rows.append(row(predict, "--threads <threads>", value, "\(threads), got \"\(value)\""))
      rows.append(row(bench, "--threads <threads>", value, "\(threads), got \"\(value)\""))
    }
    for value in ["-1s", "abc", "nan", "1e99", "s"] {
      rows.append(row(bench, "--min-time <min-time>", value, "\(time), got \"\(value)\""))
      rows.append(row(bench, "--max-time <max-time>", value, "\(time), got \"\(value)\""))
    }
    return rows + [
      row(bench, "-b <batch-size>", "1,,2", "a comma must stand between two values, got \"1,,2\""),
      row(bench, "-b <batch-size>", "1,", "a comma must stand between two values, got \"1,\""),
      row(bench, "-b <batch-size>", "1,x,2", "must be max or a \(whole), got \"x\""),
      row(
        bench, "--mode <mode>", "learn", "must be infer, train or forward-backward, got \"learn\""),
      row(
        bench, "--mode <mode>", "train,", "a comma must stand between two values, got \"train,\""),
      row(bench, "--runs <runs>", "0", "\(number), got \"0\""),
      row(
        "plan -m resnet18", "-b <batch-size>", "least", "must be max or a \(whole), got \"least\""),
      row("plan -m resnet18", "-b <batch-size>", "0", "must be max or a \(whole), got \"0\""),
      row("plan -m resnet18", "--memory-limit <memory-limit>", "8Gi", "\(memory), got \"8Gi\""),
      row("plan -m resnet18", "--memory-limit <memory-limit>", "0", "\(memory), got \"0\""),
      row("plan -m resnet18", "--memory-limit <memory-limit>", "-1GiB", "\(memory), got \"-1GiB\""),
      row("plan -m resnet18", "--memory-limit <memory-limit>", "nan", "\(memory), got \"nan\""),
      row(bench, "--execution <execution>", "both", "must be eager or compiled, got \"both\""),
      row("bench", "-m <model>", "resnet5", "\(names), got \"resnet5\"; did you mean resnet50?"),
      row(bench, "--norm <norm>", "bn,gn", "must be one of bn, abn, inplace-abn, got \"gn\""),
      row(bench, "--repeat <repeat>", "0", "\(number), got \"0\""),
      row(
        "bench", "-m <model>", "lenet,x*",
        "must match the name of a network, got \"x*\"; see `apus models`"),
      row("bench", "-m <model>", "resnet18,zzz", "\(names), got \"zzz\""),
      row(
        "predict landscape.jpg --weights w", "-m <model>", "ResNet-50",
        "\(names), got \"ResNet-50\"; did you mean resnet50?"),
    ]
  }()

  static let files: [ErrorRow] =
    [
      ("labels", "missing.txt", "cannot open the file: No such file or directory"),
      ("labels", "none", "cannot read the file: Is a directory"),
      (
        "labels", "short.txt", "labels must have one line for each of 1000 classes, got 999 lines"
      ),
      (
        "labels", "/dev/null", "labels must have one line for each of 1000 classes, got 0 lines"
      ),
      ("labels", "/dev/zero", "labels must be at most 67108864 bytes, got more"),
      ("labels", "binary.txt", "labels must be UTF-8 text, got other bytes"),
      ("logits", "absent/x.npy", "cannot create the file: No such file or directory"),
      ("logits", "none", "cannot create the file: Is a directory"),
      ("tensor", "missing.npy", "cannot open the file: No such file or directory"),
      ("tensor", "none", "must be a regular file, got a folder, pipe or device"),
      ("tensor", "pipe", "must be a regular file, got a folder, pipe or device"),
      ("tensor", "landscape.jpg", "npy header: must begin with \\x93NUMPY, got other bytes"),
      ("tensor", "rank3.npy", "must be float32[n, 3, h, w], got float32[3, 64, 64]"),
      ("tensor", "grey.npy", "must be float32[n, 3, h, w], got float32[3, 1, 64, 64]"),
      ("tensor", "nothing.npy", "must be float32[n, 3, h, w], got float32[1, 3, 0, 64]"),
      ("tensor", "double.npy", "must be float32[n, 3, h, w], got float64[1, 3, 2, 2]"),
      ("tensor", "weights/npy-fortran.npy", "npy header: Fortran order is not supported"),
      ("tensor", "weights/npy-big.npy", "npy header: big-endian >f4 is not supported"),
      ("tensor", "nan.npy", "must hold finite numbers, got nan"),
      ("", "missing.jpg", "cannot be read: No such file or directory"),
      ("", "pipe", "must be a regular file, but is a pipe"),
      ("", "empty.jpg", "must be a picture, but is empty (0 bytes); copy or download it again"),
      (
        "", "text.jpg",
        "must be a JPEG, PNG or WebP picture, but starts like text: \"not a picture\\n\""
      ),
      (
        "", "truncated.jpg",
        "JPEG file is truncated (it ends before its end-of-image marker); copy or download it again"
      ),
      (
        "", "bomb.png",
        "a picture must have at most 178956970 pixels and sides of at most 1000000, "
          + "got 60000 × 60000; scale it down"
      ),
      ("", "none", "holds no pictures; expected files named .jpg, .png or .webp"),
    ].map { option, file, rule in
      switch option {
      case "": ErrorRow("\(classify) \(file)", 1, "\(file): \(rule)")
      case "tensor": ErrorRow("\(classify) --tensor \(file)", 1, "\(file): \(rule)")
      default: ErrorRow("\(classify) landscape.jpg --\(option) \(file)", 1, "\(file): \(rule)")
      }
    }

  static let runs: [ErrorRow] = [
    ErrorRow(
      "predict -m resnet34 --weights resnet18.safetensors landscape.jpg", 1,
      "resnet18.safetensors: 80 tensors do not match the network",
      containing: "missing: layer1.2.conv1.weight: expected float32[64, 64, 3, 3]",
      "missing: layer4.2.bn2.running_var: expected float32[512]"),
    ErrorRow(
      "predict -m resnet18 --weights odd.safetensors landscape.jpg", 1,
      "odd.safetensors: 103 tensors do not match the network",
      containing: "missing: conv1.weight: expected float32[64, 3, 7, 7]",
      "wrong shape: fc.weight: expected float32[1000, 512], got float32[10, 512]",
      "unexpected: nose: got float32[3]"),
    ErrorRow(
      classify + " landscape.jpg --classes 10", 1,
      "resnet18.safetensors: 2 tensors do not match the network",
      containing: "hint: if this is meant: --allow-mismatch 'fc.*'"),
    ErrorRow(
      classify + " landscape.jpg --allow-mismatch head.*", 1,
      "resnet18.safetensors: each allowed mismatch must match a parameter or a tensor, "
        + "got 'head.*'"),
    // More than any machine has.
    ErrorRow(
      classify + " landscape.jpg --classes 1000000000 --allow-mismatch fc.*", 1,
      "resnet18: out of memory: fresh weights must fit into it, got 2052000000000 bytes; "
        + "use fewer classes"),
    ErrorRow(
      "plan -m lenet --train -b max --memory-limit 1MiB", 1,
      "lenet: a batch of 1 must fit into 1.0 MiB, got",
      startsOnly: true,
      containing: "; raise --memory-limit, or use smaller images or a smaller network"),
    ErrorRow(
      "bench -m resnet18 --mode train --weights missing.pth", 1,
      "missing.pth: cannot open the file: No such file or directory"),
    ErrorRow(
      "bench -m resnet18 --weights missing.pth", 1,
      "missing.pth: cannot open the file: No such file or directory"),
  ]

  static let weightFiles: [ErrorRow] =
    [
      ("missing", "cannot open the file: No such file or directory"),
      ("none", "must be a regular file, got a folder, pipe or device"),
      ("pipe", "must be a regular file, got a folder, pipe or device"),
      ("/dev/zero", "must be a regular file, got a folder, pipe or device"),
      (
        "empty.jpg",
        "must be safetensors, a PyTorch state dict, .npz or MXNet .params, got an empty file"
      ),
      ("text.jpg", "must be safetensors, a PyTorch state dict, .npz or MXNet .params, got text"),
      (
        "small.npy",
        "must be safetensors, a PyTorch state dict, .npz or MXNet .params, got a NumPy array"
      ),
      (
        "weights/evil-global.bin",
        "pickle: refuses to call os.system, which has no part in a state dict"
      ),
      (
        "weights/pickle.bin",
        "must be safetensors, a PyTorch state dict, .npz or MXNet .params, got a plain pickle"
      ),
      ("weights/script.bin", "must be a state dict, got a TorchScript archive"),
      (
        "weights/compressed.bin",
        "zip entry archive/data.pkl: compression is not supported"
      ),
    ].flatMap { file, rule in
      [
        ErrorRow("inspect \(file)", 1, "\(file): \(rule)"),
        ErrorRow("predict -m resnet18 landscape.jpg --weights \(file)", 1, "\(file): \(rule)"),
      ]
    }
}
