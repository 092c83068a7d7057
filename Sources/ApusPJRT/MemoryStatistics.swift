import CPJRT

/// The memory of a device, in bytes; `nil` for what its plugin does not count.
public struct MemoryStatistics: Hashable, Sendable {
  public let bytesInUse: Int
  /// The most that was in use at once since the beginning, or since the statistics were cleared.
  public let peakBytesInUse: Int?
  public let largestAllocation: Int?
  /// What this process may use.
  public let limit: Int?
  /// What the process has taken from the driver, used or not.
  public let poolBytes: Int?
  public let peakPoolBytes: Int?

  init(_ answer: PJRTDeviceMemoryStats) {
    func value(_ number: Int64, _ isSet: Bool) -> Int? { isSet ? Int(number) : nil }
    bytesInUse = Int(answer.bytes_in_use)
    peakBytesInUse = value(answer.peak_bytes_in_use, answer.peak_bytes_in_use_is_set)
    largestAllocation = value(answer.largest_alloc_size, answer.largest_alloc_size_is_set)
    limit = value(answer.bytes_limit, answer.bytes_limit_is_set)
    poolBytes = value(answer.pool_bytes, answer.pool_bytes_is_set)
    peakPoolBytes = value(answer.peak_pool_bytes, answer.peak_pool_bytes_is_set)
  }
}

/// The memory a compiled program needs on its device, known before it runs, in bytes.
public struct ProgramMemory: Hashable, Sendable {
  public let code: Int
  public let arguments: Int
  public let results: Int
  /// What of the results lies where donated arguments lay.
  public let alias: Int
  public let temporary: Int
  /// The most that is alive at once; `nil` where the compiler does not say.
  public let peak: Int?

  init(_ answer: PJRTExecutableGetCompiledMemoryStats) {
    code = Int(answer.generated_code_size_in_bytes)
    arguments = Int(answer.argument_size_in_bytes)
    results = Int(answer.output_size_in_bytes)
    alias = Int(answer.alias_size_in_bytes)
    temporary = Int(answer.temp_size_in_bytes)
    peak = answer.peak_memory_in_bytes > 0 ? Int(answer.peak_memory_in_bytes) : nil
  }
}
