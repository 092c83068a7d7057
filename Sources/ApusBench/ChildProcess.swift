import Foundation

/// A program that runs as a child until it ends, or until something is enough.
///
/// It is spawned, never forked: threads of this process do not survive a fork, and their locks do.
public struct ChildProcess: Sendable {
  /// What the child may take.
  public struct Limits: Hashable, Sendable {
    public var time: Duration?
    public var residentBytes: Int?

    public init(time: Duration? = nil, residentBytes: Int? = nil) {
      self.time = time
      self.residentBytes = residentBytes
    }
  }

  /// Why a child is no more.
  public enum End: Hashable, Sendable {
    case exited(code: Int32)
    /// By a signal that this process did not send.
    case signalled(Int32)
    case timedOut
    case tooLarge(residentBytes: Int)
    /// Because someone asked this process to stop.
    case interrupted
  }

  public struct Outcome: Hashable, Sendable {
    public let end: End
    /// What the child wrote to ``resultDescriptor``.
    public let result: Data
    /// The last it wrote to its standard output and standard error.
    public let messages: String
    public let duration: Duration
  }

  /// The number under which a child has the stream for its result. Standard output is not for that:
  /// libraries print there.
  public static let resultDescriptor: Int32 = 3

  /// How long an interrupted child may take to hand over what it has.
  private static let grace = Duration.seconds(2)
  private static let pollInterval: Int32 = 50

  public let path: String
  public let arguments: [String]
  public let environment: [String: String]

  /// - Parameter arguments: without the program's name.
  public init(_ path: String, _ arguments: [String], environment: [String: String]) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
  }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - isInterrupted: asked again and again; true ends the child, by `SIGTERM` first.
  ///   - report: gets what the child writes to standard output and standard error.
  public func run(
    _ limits: Limits = Limits(), isInterrupted: () -> Bool = { false }, report: (Data) -> Void
  ) throws(SpawnError) -> Outcome {
    let start = ContinuousClock.now
    let (process, streams) = try spawn()
    var result = ChildStream(streams.result)
    var messages = ChildStream(streams.messages)
    defer {
      result.close()
      messages.close()
    }
    var cause: End?
    var interruption: ContinuousClock.Instant?
    var status: Int32 = 0
    while true {
      ChildStream.wait(for: [result, messages], milliseconds: Self.pollInterval)
      result.read()
      report(messages.read())
      if waitpid(process, &status, WNOHANG) == process { break }
      if interruption == nil, isInterrupted() {
        interruption = .now
        cause = cause ?? .interrupted
        kill(process, SIGTERM)
      }
      cause = cause ?? excess(of: process, since: start, limits)
      let isPatient =
        cause == .interrupted && interruption.map { ContinuousClock.now - $0 < Self.grace } ?? true
      if cause != nil && !isPatient { kill(process, SIGKILL) }
    }
    result.read()
    report(messages.read())
    return Outcome(
      end: cause ?? Self.end(status), result: result.data, messages: messages.tail,
      duration: ContinuousClock.now - start)
  }

  /// What of the limits is passed.
  private func excess(
    of process: pid_t, since start: ContinuousClock.Instant, _ limits: Limits
  ) -> End? {
    if let time = limits.time, ContinuousClock.now - start > time { return .timedOut }
    if let limit = limits.residentBytes,
      let resident = ProcessMemory.residentBytes(of: process), resident > limit
    {
      return .tooLarge(residentBytes: resident)
    }
    return nil
  }

  private static func end(_ status: Int32) -> End {
    let signal = status & 0x7f
    return signal == 0 ? .exited(code: (status >> 8) & 0xff) : .signalled(signal)
  }
}

extension ChildProcess {
  /// Starts the program, and returns the reading ends of its streams.
  private func spawn() throws(SpawnError) -> (pid_t, (result: Int32, messages: Int32)) {
    let result = try Pipe()
    let messages: Pipe
    do throws(SpawnError) {
      messages = try Pipe()
    } catch {
      result.closeBoth()
      throw error
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, messages.writing, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, messages.writing, STDERR_FILENO)
    posix_spawn_file_actions_adddup2(&actions, result.writing, Self.resultDescriptor)
    var argv = ([path] + arguments).map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, path, &actions, nil, &argv, &envp)
    // The reader learns of the child's end only when nobody else can write.
    close(result.writing)
    close(messages.writing)
    guard code == 0 else {
      close(result.reading)
      close(messages.reading)
      throw SpawnError(program: path, code: code)
    }
    return (process, (result.reading, messages.reading))
  }
}

/// A program that could not be started.
public struct SpawnError: Error, Hashable, Sendable, CustomStringConvertible {
  public let program: String
  /// The system's error number.
  public let code: Int32

  public var description: String {
    "\(program): cannot be started: \(String(cString: strerror(code)))"
  }
}

/// The two ends of a pipe, which children do not inherit.
private struct Pipe {
  let reading, writing: Int32

  init() throws(SpawnError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SpawnError(program: "pipe", code: errno) }
    (reading, writing) = (Self.moved(ends[0]), Self.moved(ends[1]))
  }

  func closeBoth() {
    close(reading)
    close(writing)
  }

  /// The descriptor under a number beyond those that children have, and not for them.
  private static func moved(_ descriptor: Int32) -> Int32 {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, ChildProcess.resultDescriptor + 1)
    guard copy >= 0 else { return descriptor }
    close(descriptor)
    return copy
  }
}
