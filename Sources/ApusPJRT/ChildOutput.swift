import Foundation

/// Runs a program for what it prints.
package enum ChildOutput {
  /// The standard output of a program that ends well and in time; `nil` otherwise.
  ///
  /// - Parameter arguments: the program's path, then its arguments.
  package static func of(
    _ arguments: [String], environment: [String: String], seconds: Double
  ) -> String? {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    // Programs that other threads start must not hold the pipe open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let child = spawn(arguments, environment, output: ends[1])
    close(ends[1])
    guard let child else { return nil }
    let output = read(ends[0], until: ContinuousClock.now + .seconds(seconds))
    if output == nil { kill(child, SIGKILL) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 { if errno != EINTR { return nil } }
    return status == 0 ? output.map { String(decoding: $0, as: UTF8.self) } : nil
  }

  private static func spawn(
    _ arguments: [String], _ environment: [String: String], output: Int32
  ) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var argv = arguments.map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var child: pid_t = 0
    return posix_spawn(&child, arguments[0], &actions, nil, &argv, &envp) == 0 ? child : nil
  }

  /// All that comes through a pipe; `nil` where its end is not reached in time.
  private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]?
  {
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while output.count < 1 << 20 {
      let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&waiting, 1, Int32(left.rounded(.up))) > 0 || errno == EINTR else {
        return nil
      }
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return output }
      if count < 0 && errno != EINTR { return nil }
      output += chunk.prefix(max(count, 0))
    }
    return nil
  }
}
