import Apus
import ApusBench
import ArgumentParser

/// Every combination of what a command line lists.
struct SweepMatrix {
  /// More images than that are not looked for.
  static let mostImages = 1 << 20

  /// A combination, or why there is none.
  struct Entry {
    let cell: SweepCell
    let network: Network
    /// What the network or the device does not have.
    let flaw: String?
  }

  /// A network with one combination of its options.
  struct Network {
    let model: Model
    let variant: NetworkVariant
    let options: Result<NetworkOptions, ValidationError>
  }

  /// Where and how a cell runs.
  private struct Place {
    let device: DeviceOption
    let precision: PrecisionOption
    let threads: ThreadCountOption
    let flaw: String?
  }

  let networks: [Network]
  private let places: [Place]
  private let bench: Bench

  /// - Throws: a usage error where not one combination can be measured.
  init(_ bench: Bench) throws(ValidationError) {
    self.bench = bench
    var networks: [Network] = []
    for model in bench.listedModels {
      for variant in bench.network.variants {
        networks.append(Network(model, variant))
      }
    }
    self.networks = networks
    places = Self.places(bench)
    if let network = networks.first, networks.allSatisfy({ $0.flaw != nil }) {
      _ = try network.options.get()
    }
    if let flaw = places.first?.flaw, !places.contains(where: { $0.flaw == nil }) {
      throw ValidationError(flaw)
    }
  }

  private static func places(_ bench: Bench) -> [Place] {
    var places: [Place] = []
    for device in bench.device.elements {
      for precision in bench.precision.elements {
        var flaw: String?
        do throws(ValidationError) {
          try precision.require(on: device)
        } catch {
          flaw = error.message
        }
        // XLA has threads of its own.
        for threads in device.isCPU ? bench.threads.elements : [.auto] {
          places.append(Place(device: device, precision: precision, threads: threads, flaw: flaw))
        }
      }
    }
    return places
  }

  /// All combinations, each once, those to be compared beside each other.
  ///
  /// - Parameter begun: the plan that is gone on with: the largest batch is the one it found, however
  ///   much memory is free by now.
  func entries(on machine: MachineState, begun: SweepPlan?) -> [Entry] {
    var entries: [Entry] = []
    var known: Set<SweepCell> = []
    for network in networks {
      for batch in bench.batchSize.elements {
        for mode in bench.mode.elements {
          for place in places {
            for execution in bench.execution.elements {
              let earlier = begun?.cells.dropFirst(entries.count).first
              let entry = entry(network, batch, mode, place, execution, machine, earlier)
              if known.insert(entry.cell).inserted { entries.append(entry) }
            }
          }
        }
      }
    }
    return entries
  }

  private func entry(
    _ network: Network, _ batch: BatchOption, _ mode: ModeOption, _ place: Place,
    _ execution: ExecutionOption, _ machine: MachineState, _ earlier: SweepCell?
  ) -> Entry {
    var cell = SweepCell(model: network.model.name, mode: mode.rawValue)
    network.variant.describe(&cell)
    (cell.execution, cell.device) = (execution.rawValue, place.device.description)
    cell.precision = place.precision.precision.rawValue
    cell.imageSize = bench.imageSize?.value ?? network.model.imageSize
    cell.threads = place.device.isCPU ? place.threads.count(on: machine) : nil
    var flaw = network.flaw ?? place.flaw
    switch batch {
    case .size(let size): cell.batchSize = size
    case .max where flaw == nil:
      cell.batchSize = earlier?.batchSize
      if cell.batchSize != nil && cell == earlier { break }
      do {
        cell.batchSize = try largest(cell, network, execution, mode)
      } catch {
        flaw = "\(error)"
      }
    case .max: break
    }
    return Entry(cell: cell, network: network, flaw: flaw)
  }

  /// The largest batch that is planned to fit; 1 where not even that does, which its row will say.
  private func largest(
    _ cell: SweepCell, _ network: Network, _ execution: ExecutionOption, _ mode: ModeOption
  ) throws -> Int {
    guard let limit = bench.sweep.memoryLimit?.bytes ?? HostMemory.availableSizeInBytes else {
      throw InputError(
        "-b max: the system does not say how much memory is free; give --memory-limit")
    }
    let options = try network.options.get()
    let backend = bench.cpu.backend(execution, threads: cell.threads ?? 1)
    let batch = try largestFitting(upTo: Self.mostImages) { batch in
      let graph = try network.model.graph(
        mode, batch: batch, imageSize: cell.imageSize, options)
      return try backend.memory(of: graph).total <= limit
    }
    return batch ?? 1
  }
}

extension SweepMatrix.Network {
  fileprivate init(_ model: Model, _ variant: NetworkVariant) {
    self.model = model
    self.variant = variant
    do throws(ValidationError) {
      options = .success(try variant.options(for: model))
    } catch {
      options = .failure(error)
    }
  }

  var flaw: String? {
    if case .failure(let error) = options { error.message } else { nil }
  }
}

extension NetworkVariant {
  func describe(_ cell: inout SweepCell) {
    (cell.head, cell.norm) = (given.head.rawValue, given.norm.rawValue)
    (cell.activation, cell.checkpoint) = (activation?.rawValue, given.checkpoint?.rawValue)
    cell.order = given.order?.rawValue
    cell.stem = given.stem == .standard ? nil : given.stem.rawValue
  }

  /// Whether the cell is of this combination.
  func matches(_ cell: SweepCell) -> Bool {
    var ours = cell
    describe(&ours)
    return ours == cell
  }
}

extension Model {
  /// The graph of what a mode runs.
  func graph(
    _ mode: ModeOption, batch: Int, imageSize: Int?, _ options: NetworkOptions
  ) throws -> Graph {
    guard let step = mode.step else {
      return try graph(batch: batch, imageSize: imageSize, options)
    }
    return try graph(step, batch: batch, imageSize: imageSize, options)
  }
}
