import ApusIR
import ApusPlan
import ApusRuntime

/// What the caller of a run gives it: arguments, which stay as they are, and the memory of what the
/// run updates.
struct RunMemory {
  /// At the places of the program's inputs.
  let inputs: [HostTensor]
  /// Where the memory of what a path names is among them.
  private let places: [String: Int]

  /// - Throws: `wrongInput`, with nothing taken over, unless all are of the program's types.
  init(_ given: [DeviceTensor], of program: OneDNNProgram) throws(BackendError) {
    let expected = program.inputs
    for (index, input) in expected.enumerated() {
      let type = index < given.count ? given[index].type : nil
      if type != input.type {
        throw .wrongInput(name: input.name, expected: input.type, given: type)
      }
    }
    var inputs: [HostTensor] = []
    inputs.reserveCapacity(expected.count)
    for (input, given) in zip(expected, given) {
      inputs.append(
        input.path == nil ? try given.hostTensor() : try Self.takenOver(given))
    }
    self.inputs = inputs
    places = program.statePlaces
  }

  /// Memory that the run may write: a copy of what others may read as well.
  private static func takenOver(_ given: DeviceTensor) throws(BackendError) -> HostTensor {
    let state: StateTensor
    if case .remote(let remote) = given, let known = remote as? StateTensor {
      state = known
    } else {
      state = StateTensor(copying: try given.hostTensor())
    }
    return HostTensor(state.type, storage: try state.takeOver(), offsetInBytes: 0)
  }

  /// Where the next value of a parameter or state belongs.
  func state(_ path: String) -> HostTensor? { places[path].map { inputs[$0] } }
}
