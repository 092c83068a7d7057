import Apus
import ApusOneDNN

/// A training whose loss is no number, without which times of it would not be worth anything.
struct NonFiniteLoss: Error {
  var loss: Double
  /// How many steps were run, the one with this loss among them.
  var steps: Int
  /// Where the first NaN or infinity is; `nil` where none is found.
  var origin: NonFiniteError.Origin?
}

extension NonFiniteLoss: CustomStringConvertible {
  var description: String {
    let count = steps == 1 ? "1 step" : "\(steps) steps"
    let place = origin.map { "; the first NaN or infinity is in \($0)" } ?? ""
    return "training: the loss must be finite, got \(loss) after \(count)\(place)\n"
      + "  hint: begin with smaller weights (--weights), in fp16 try bf16 or fp32, or take a network"
      + " with batch norms"
  }
}

extension CellRunner {
  /// Measures a training; of a loss that is no number it finds out where the first one appears.
  func tracingLoss<Result>(
    _ cell: Cell, _ network: Network, _ graph: Graph, _ measure: () throws -> Result
  ) throws -> Result {
    do {
      return try measure()
    } catch let error as NonFiniteLoss {
      // Whatever goes wrong on the way, the loss is what is to be told.
      throw (try? trace(error, cell, network, graph)) ?? error
    }
  }

  /// Runs the training again, whose memory is free by now, up to the loss that is no number. Its step
  /// may have begun with parameters that the step before has spoilt: that one is looked at first.
  private func trace(
    _ error: NonFiniteLoss, _ cell: Cell, _ network: Network, _ graph: Graph
  ) throws -> NonFiniteLoss {
    var error = error
    let arguments = try TrainingRun.arguments(
      images: images(cell, network), labels: labels(cell, network))
    let states = try statesBefore(&error, network.session(backend(cell), graph), arguments)
    for state in states where error.origin == nil {
      error.origin = try firstNonFinite(in: graph, from: state, arguments, on: backend(cell))?
        .origin
    }
    return error
  }

  /// The states in which the last two steps began.
  private func statesBefore(
    _ error: inout NonFiniteLoss, _ session: Session, _ arguments: [String: HostTensor]
  ) throws -> [TrainingState] {
    var states: [TrainingState] = []
    for step in 1...error.steps where !isInterrupted() {
      states = states.suffix(1) + [try session.trainingState()]
      let loss = try session.run(arguments, batch: 0)["loss"]?.doubles.first ?? .nan
      if !loss.isFinite {
        (error.loss, error.steps) = (loss, step)
        break
      }
    }
    return states
  }

  /// Why a cell did not fit, with what would make it smaller.
  func outOfMemory(_ error: BackendError, _ cell: Cell, _ network: Network) -> String {
    guard cell.mode != .infer else { return error.description }
    let (options, has) = (network.options, network.model.options)
    let switches = [
      has.contains(.checkpoint) && options.checkpoint != .stages ? "--checkpoint stages" : nil,
      has.contains(.norm) && options.norm != .inPlace ? "--norm inplace-abn" : nil,
    ].compactMap { $0 }
    if switches.isEmpty { return error.description }
    return error.description + ", or train with \(switches.joined(separator: " or "))"
  }
}
