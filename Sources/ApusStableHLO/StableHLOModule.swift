import ApusIR

/// A graph as StableHLO text, with how its inputs and outputs lie in memory.
public struct StableHLOModule: Hashable, Sendable {
  /// An MLIR module whose entry is the public function `main`.
  public let text: String
  /// The parameters of `main`, one for each input of the graph in its order.
  public let inputs: [PhysicalType]
  /// The results of `main`, one for each output of the graph in its order.
  public let outputs: [PhysicalType]

  public init(text: String, inputs: [PhysicalType], outputs: [PhysicalType]) {
    self.text = text
    self.inputs = inputs
    self.outputs = outputs
  }
}
