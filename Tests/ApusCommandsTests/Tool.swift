import ApusTestSupport
import Foundation
import Testing

/// The program `apus` as it was built beside the tests.
enum Tool {
  /// Where the program's standard output goes.
  enum Destination {
    case captured
    case file(String)
    case closed
    /// A pipe whose reader has gone, as `head` leaves behind.
    case brokenPipe
  }

  /// What became of a run.
  struct Run {
    /// `nil` where a signal ended it.
    let exitCode: Int32?
    let signal: Int32?
    let output: String
    let errors: String
    let timedOut: Bool
  }

  struct Failure: Error { let reason: String }

  /// Runs the program with the given arguments and waits for its end.
  ///
  /// - Parameters:
  ///   - folder: the working directory.
  ///   - limit: what the shell does before, such as `ulimit -f 1`.
  ///   - seconds: the time after which the program is killed, which fails the test.
  ///   - interrupt: asked again and again with what standard output and standard error have got so
  ///     far; sends Ctrl-C, or the given signal, once when true.
  static func run(
    _ arguments: [String], in folder: String, output: Destination = .captured,
    errors: Destination = .captured, limit: String = "true", within seconds: Double = 60,
    sending interruption: Int32 = SIGINT,
    interruptWhen interrupt: ((_ output: String, _ errors: String) -> Bool)? = nil
  ) async throws -> Run {
    let streams = try TemporaryFolder()
    let (outputPath, errorsPath) = (streams.path + "/out", streams.path + "/err")
    let shell = [
      "/bin/sh", "-c", "cd \"$1\" && shift && \(limit) && exec \"$@\"", "sh", folder, path,
    ]
    let process = try spawn(
      shell + arguments, output: (output, outputPath), errors: (errors, errorsPath))
    let start = ContinuousClock.now
    var isInterrupted = false
    var timedOut = false
    var status: Int32 = 0
    while waitpid(process, &status, WNOHANG) == 0 {
      if let interrupt, !isInterrupted, interrupt(text(outputPath), text(errorsPath)) {
        kill(process, interruption)
        isInterrupted = true
      }
      if !timedOut, start.duration(to: .now) > .seconds(seconds) {
        timedOut = true
        kill(process, SIGKILL)
      }
      try? await Task.sleep(for: .milliseconds(5))
    }
    let signal = status & 0x7f
    #expect(!timedOut, "apus \(arguments.joined(separator: " ")) ran for \(seconds) s")
    return Run(
      exitCode: signal == 0 ? (status >> 8) & 0xff : nil, signal: signal == 0 ? nil : signal,
      output: text(outputPath), errors: text(errorsPath), timedOut: timedOut)
  }

  /// The build folder holds both the program and the resources of the tests.
  private static let path = Bundle.module.bundleURL.deletingLastPathComponent()
    .appendingPathComponent("apus").path

  /// Where programs keep what they find out, for all tests of one process.
  private static let cache: String = {
    let path = NSTemporaryDirectory() + "apus-cache-\(getpid())"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }()

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }

  private static func spawn(
    _ arguments: [String], output: (Destination, String), errors: (Destination, String)
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    var pipes: [Int32] = []
    defer { for descriptor in pipes { close(descriptor) } }
    for (stream, (destination, captured)) in [(STDOUT_FILENO, output), (STDERR_FILENO, errors)] {
      let flags = O_WRONLY | O_CREAT | O_TRUNC
      switch destination {
      case .captured: posix_spawn_file_actions_addopen(&actions, stream, captured, flags, 0o600)
      case .file(let path): posix_spawn_file_actions_addopen(&actions, stream, path, flags, 0o600)
      case .closed: posix_spawn_file_actions_addclose(&actions, stream)
      case .brokenPipe:
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(reason: "no pipe") }
        close(ends[0])
        pipes.append(ends[1])
        posix_spawn_file_actions_adddup2(&actions, ends[1], stream)
        posix_spawn_file_actions_addclose(&actions, ends[1])
      }
    }
    // Whatever the tests' own process ignores or blocks, a program in a shell gets signals.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    sigaddset(&signals, SIGINT)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    return try spawn(arguments, actions, attributes)
  }

  private static func spawn(
    _ arguments: [String], _ actions: posix_spawn_file_actions_t, _ attributes: posix_spawnattr_t
  ) throws -> pid_t {
    var environment = ProcessInfo.processInfo.environment
    environment["COLUMNS"] = "80"
    // Threads of several programs at once would wait for each other's turns.
    environment["OMP_WAIT_POLICY"] = "passive"
    environment["XDG_CACHE_HOME"] = cache
    var argv = arguments.map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var (actions, attributes) = (actions, attributes)
    var process: pid_t = 0
    let code = posix_spawn(&process, arguments[0], &actions, &attributes, &argv, &envp)
    guard code == 0 else {
      throw Failure(reason: "\(arguments[0]): \(String(cString: strerror(code)))")
    }
    return process
  }
}

/// Expects that a run ended in good order: no signal, no trace of a crash.
func expectNoCrash(_ run: Tool.Run, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(run.signal == nil, "\(run.errors.suffix(2000))", sourceLocation: sourceLocation)
  for trace in ["Fatal error", "Crash", "Backtrace", "Thread 0", "Assertion", "terminate called"] {
    #expect(
      !run.errors.contains(trace), "\(run.errors.prefix(2000))", sourceLocation: sourceLocation)
  }
}
