// swift-tools-version: 6.0
import PackageDescription

/// A library target; `uses` names targets of a lower level only (docs/decisions/001-levels.md).
func library(_ name: String, uses: [String] = [], products: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: uses.map { .target(name: $0) } + products, exclude: ["README.md"])
}

/// The tests of one library.
func tests(of name: String, uses: [String] = [], resources: [Resource] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: ([name] + uses).map { .target(name: $0) },
    resources: resources)
}

/// A C library found with pkg-config; `scripts/setup` installs each of them.
func system(_ name: String, pkgConfig: String? = nil) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig)
}

let package = Package(
  name: "apus",
  products: [
    .library(name: "Apus", targets: ["Apus"]),
    .library(name: "ApusOneDNN", targets: ["ApusOneDNN"]),
    .library(name: "ApusPJRT", targets: ["ApusPJRT"]),
    .library(name: "ApusCommands", targets: ["ApusCommands"]),
    .executable(name: "apus", targets: ["ApusCLI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    library("ApusIR"),
    library("ApusTensor", uses: ["ApusIR"]),
    library("ApusRuntime", uses: ["ApusIR"]),
    library("ApusPlan", uses: ["ApusIR"]),
    library("ApusStableHLO", uses: ["ApusIR"]),
    library("ApusReference", uses: ["ApusIR", "ApusRuntime"]),
    library("ApusData", uses: ["ApusIR", "ApusRuntime", "CTurboJPEG", "CPNG", "CWebP"]),
    library("ApusAutodiff", uses: ["ApusIR", "ApusTensor"]),
    library("ApusNN", uses: ["ApusIR", "ApusTensor", "ApusRuntime", "ApusAutodiff"]),
    library("ApusPasses", uses: ["ApusIR"]),
    library(
      "ApusOneDNN",
      uses: [
        "ApusIR", "ApusRuntime", "ApusPlan", "ApusReference", "ApusPasses", "CKernels", "COneDNN",
        "CGomp",
      ]),
    .target(name: "CPJRT"),
    library(
      "ApusPJRT", uses: ["ApusIR", "ApusPasses", "ApusRuntime", "ApusStableHLO", "CPJRT"]),
    library("CKernels"),
    library("ApusModels", uses: ["ApusAutodiff", "ApusIR", "ApusTensor", "ApusNN"]),
    library(
      "Apus",
      uses: [
        "ApusIR", "ApusTensor", "ApusRuntime", "ApusPlan", "ApusReference", "ApusPasses",
        "ApusAutodiff", "ApusStableHLO", "ApusNN", "ApusModels",
      ]),
    library("ApusBench"),
    library(
      "ApusCommands", uses: ["Apus", "ApusOneDNN", "ApusPJRT", "ApusData", "ApusBench"],
      products: [.product(name: "ArgumentParser", package: "swift-argument-parser")]),
    tests(
      of: "ApusRuntime", uses: ["ApusIR", "ApusReference", "ApusTensor"],
      resources: [.copy("Fixtures")]),
    .executableTarget(name: "ApusCLI", dependencies: ["ApusCommands"]),
    library("ApusTestSupport", uses: ["ApusIR", "ApusPlan", "ApusTensor", "ApusRuntime"]),
    tests(of: "ApusBench", uses: ["ApusTestSupport"], resources: [.copy("Fixtures")]),

    tests(
      of: "ApusOneDNN",
      uses: [
        "ApusAutodiff", "ApusBench", "ApusIR", "ApusPasses", "ApusPlan", "ApusReference",
        "ApusRuntime", "ApusTensor", "ApusTestSupport",
      ]),

    tests(
      of: "ApusPJRT",
      uses: [
        "ApusAutodiff", "ApusIR", "ApusModels", "ApusReference", "ApusRuntime", "ApusStableHLO",
        "ApusTensor", "ApusTestSupport", "CPJRT",
      ]),
    tests(of: "CKernels", uses: ["ApusIR", "ApusReference", "ApusTestSupport"]),

    tests(of: "ApusData", resources: [.copy("Fixtures")]),

    // The executable is a dependency so that it is built: the tests run it.
    tests(
      of: "ApusCommands",
      uses: ["ApusCLI", "ApusIR", "ApusModels", "ApusPJRT", "ApusRuntime", "ApusTestSupport"],
      resources: [.copy("Fixtures")]),

    tests(of: "ApusIR"),
    tests(
      of: "ApusReference", uses: ["ApusIR", "ApusRuntime", "ApusTestSupport"],
      resources: [.copy("Fixtures")]),

    tests(
      of: "ApusStableHLO",
      uses: [
        "ApusIR", "ApusModels", "ApusPasses", "ApusReference", "ApusRuntime", "ApusTensor",
        "ApusTestSupport",
      ], resources: [.copy("Fixtures")]),
    tests(
      of: "ApusPlan",
      uses: ["ApusIR", "ApusPasses", "ApusTensor", "ApusRuntime", "ApusTestSupport"]),
    tests(
      of: "ApusPasses",
      uses: ["ApusIR", "ApusReference", "ApusRuntime", "ApusTensor", "ApusTestSupport"]),
    tests(
      of: "ApusTensor",
      uses: ["ApusIR", "ApusReference", "ApusRuntime", "ApusTestSupport"]),
    tests(
      of: "ApusAutodiff",
      uses: [
        "ApusIR", "ApusPasses", "ApusPlan", "ApusReference", "ApusRuntime", "ApusTensor",
        "ApusTestSupport",
      ]),
    tests(
      of: "ApusNN",
      uses: [
        "ApusIR", "ApusOneDNN", "ApusPJRT", "ApusReference", "ApusRuntime", "ApusTensor",
        "ApusTestSupport",
      ], resources: [.copy("Fixtures")]),
    tests(
      of: "ApusModels",
      uses: [
        "ApusAutodiff", "ApusIR", "ApusNN", "ApusOneDNN", "ApusPasses", "ApusPJRT", "ApusPlan",
        "ApusReference", "ApusRuntime", "ApusTensor", "ApusTestSupport",
      ], resources: [.copy("Fixtures")]),

    tests(of: "ApusTestSupport", uses: ["ApusIR", "ApusRuntime"], resources: [.copy("Fixtures")]),

    system("COneDNN", pkgConfig: "dnnl"),
    system("CGomp"),
    system("CTurboJPEG", pkgConfig: "libturbojpeg"),
    system("CPNG", pkgConfig: "libpng"),
    system("CWebP", pkgConfig: "libwebp"),
  ]
)
