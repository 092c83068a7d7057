import Apus
import ArgumentParser
import Foundation
import Synchronization

/// The command line. A program of one's own registers more networks and gets every subcommand for
/// them: `ApusCommand.main(Catalogue(Catalogue.zoo.models + [myNetwork]))`.
public struct ApusCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract: "Build, run and measure image networks.",
    version: "0.1.0",
    subcommands: [
      Predict.self, Bench.self, Models.self, Inspect.self, Convert.self, Export.self, Profile.self,
      Compare.self, ReportCommand.self, PlanCommand.self, Doctor.self,
    ])

  /// The networks that the subcommands know.
  static let catalogue = Mutex(Catalogue.zoo)

  public init() {}

  /// Runs the command line with the given networks and exits.
  public static func main(_ networks: Catalogue) -> Never {
    catalogue.withLock { $0 = networks }
    Console.reserveClosedStreams()
    // A file beyond the limit of its size shall be an error of `write`, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    main()
    exit()
  }

  /// The network of that name.
  ///
  /// - Throws: a usage error that suggests the nearest name.
  static func model(named name: String) throws(ValidationError) -> Model {
    let catalogue = catalogue.withLock { $0 }
    if let model = catalogue[name] { return model }
    let remedy = catalogue.nearest(to: name).map { "did you mean \($0)?" }
    throw ValidationError(
      "must be one of the names that `apus models` lists, got \"\(name.printable)\""
        + (remedy.map { "; \($0)" } ?? ""))
  }
}
