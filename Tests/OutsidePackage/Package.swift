// swift-tools-version: 6.0
import PackageDescription

/// Depends on Apus as any other package would; `scripts/test` builds and runs it.
let package = Package(
  name: "outside",
  dependencies: [.package(name: "apus", path: "../..")],
  targets: [
    .executableTarget(
      name: "Outside",
      dependencies: [
        .product(name: "Apus", package: "apus"),
        .product(name: "ApusOneDNN", package: "apus"),
        .product(name: "ApusCommands", package: "apus"),
      ])
  ]
)
