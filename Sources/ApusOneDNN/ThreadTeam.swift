import CGomp

/// The threads of GNU OpenMP, which the library's primitives run on too: a second pool beside it
/// would make both wait for each other's turns.
public enum ThreadTeam {
  /// Calls `body` on each thread of the calling thread's team with that thread's number.
  public static func run(threads: Int, _ body: (_ thread: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        GOMP_parallel(
          { data in
            guard let data else { return }
            let body = data.assumingMemoryBound(to: ((Int) -> Void).self).pointee
            body(Int(omp_get_thread_num()))
          }, UnsafeMutableRawPointer(mutating: pointer), UInt32(threads), 0)
      }
    }
  }

  /// Calls `body` with the context on each thread of the calling thread's team; unlike a closure,
  /// this allocates nothing.
  static func run(
    threads: Int, _ context: UnsafeMutableRawPointer,
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> Void
  ) { GOMP_parallel(body, context, UInt32(threads), 0) }

  /// Sets the team size of regions that the calling thread starts.
  static func setSize(_ threads: Int) { omp_set_num_threads(Int32(threads)) }

  /// The team size OpenMP would choose by itself.
  public static var defaultSize: Int { Int(omp_get_max_threads()) }
}
