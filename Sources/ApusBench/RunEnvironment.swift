/// Where a run was made, as `env.json` of its folder keeps it.
public struct RunEnvironment: Codable, Hashable, Sendable {
  /// Version of the format.
  public var schema = 1
  /// Of the program.
  public var version: String
  /// The words of the command line, after the program's name.
  public var command: [String]
  /// When the run began, in ISO 8601.
  public var date: String
  public var machine: MachineState
  /// Variables that change how libraries compute.
  public var variables: [String: String]

  public init(
    version: String, command: [String], date: String, machine: MachineState,
    variables: [String: String]
  ) {
    self.version = version
    self.command = command
    self.date = date
    self.machine = machine
    let prefixes = [
      "OMP_", "GOMP_", "KMP_", "DNNL_", "ONEDNN_", "XLA_", "APUS_", "CUDA_", "MALLOC_",
    ]
    self.variables = variables.filter { name, _ in prefixes.contains(where: name.hasPrefix) }
  }
}
