import CPJRT
import Foundation

/// XLA ends the process over flags in the user's environment that it does not know. A child process
/// goes first.
package struct Trial: Hashable {
  /// The value of `XLA_FLAGS`; `nil` where it is not set.
  let flags: String?
  /// The description of a device that is not there; `nil` for the plugin's own.
  let target: String?

  /// - Parameter flags: instead of those of the process.
  package init(
    target: String? = nil,
    flags: String? = ProcessInfo.processInfo.environment["XLA_FLAGS"]
  ) {
    self.flags = flags.flatMap { $0.isEmpty ? nil : $0 }
    self.target = target
  }

  /// XLA itself needs a second or two on a GPU.
  private static let seconds: Int32 = 60

  private static let program = """
    module { func.func public @main(%a: tensor<2xf32>) -> tensor<2xf32> { \
    %b = stablehlo.add %a, %a : tensor<2xf32> return %b : tensor<2xf32> } }
    """

  /// What the plugin dies of; `nil` where it survives.
  func run(_ plugin: Plugin) -> PluginError? {
    if flags == nil { return nil }
    var messages = [CChar](repeating: 0, count: 16384)
    let outcome = PJRTTrial(
      plugin.functions.address, flags, target, Self.program, Self.seconds, &messages,
      messages.count)
    let words = messages.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    let said = String(decoding: words, as: UTF8.self)
    let reason =
      switch Int(outcome) {
      case PJRTTrialSurvived: nil as String?
      case PJRTTrialTimedOut: "it was not done with a small program in \(Self.seconds) s"
      case PJRTTrialNotStarted: "no child process could be started to try it"
      default: Self.lastWords(said)
      }
    return reason.map { .deadlyFlags(path: plugin.path, reason: $0) }
  }

  /// The errors in what a dying plugin wrote: lines such as
  /// `F0000 00:00:00.0 12532 parse_flags_from_env.cc:234] Unknown flag in XLA_FLAGS: --xla_foo=1`.
  package static func lastWords(_ text: String) -> String {
    let errors = text.split(separator: "\n").filter { line in
      (line.hasPrefix("E") || line.hasPrefix("F")) && line.dropFirst().first?.isNumber == true
    }
    let words = errors.prefix(3).map { line in
      line.split(separator: "] ", maxSplits: 1).last.map(String.init) ?? String(line)
    }
    return words.isEmpty ? "it died in silence" : words.joined(separator: "; ").printable
  }
}
