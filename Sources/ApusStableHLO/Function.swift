import ApusIR

/// A value in the text, with the type it has there.
struct Term: Hashable {
  let name: String
  let type: TensorType
}

/// A value of the graph; the function knows in which orders the text has it.
struct Emitted {
  let type: TensorType
  fileprivate let id: Int
}

/// The body of `main` while it is written.
///
/// Constants, iotas and broadcasts are written when an op reads them, in the order it wants.
struct Function {
  let allowsTF32: Bool
  private(set) var lines: [String] = []
  private var values: [Entry] = []
  private var inputs: ArraySlice<PhysicalType>
  private var nameCount = 0
  private var splats: [Splat: Term] = [:]

  private struct Entry {
    let origin: Origin
    var forms: [(order: [Int], term: Term)] = []
  }

  private enum Origin {
    /// The result of an op in the text: it has at least one form.
    case written
    case constant(Constant)
    case iota(Iota)
    case broadcast(Emitted, axes: [Int])
  }

  private struct Splat: Hashable {
    let literal: String
    let type: TensorType
  }

  init(inputs: [PhysicalType], allowsTF32: Bool) {
    self.inputs = inputs[...]
    self.allowsTF32 = allowsTF32
  }

  /// Writes an op.
  ///
  /// - Parameters:
  ///   - attributes: `name = value`.
  ///   - region: the block that folds two values, if the op has one.
  mutating func write(
    _ op: String, _ operands: [Term], _ attributes: [String] = [], region: String? = nil,
    to types: [TensorType]
  ) -> [Term] {
    let name = "%\(nameCount)"
    nameCount += 1
    let spellings = types.map(\.spelling)
    lines.append(
      name + (types.count == 1 ? "" : ":\(types.count)") + " = \"stablehlo.\(op)\"("
        + operands.map(\.name).joined(separator: ", ") + ")"
        + (attributes.isEmpty ? "" : " <{\(attributes.joined(separator: ", "))}>")
        + (region.map { " ({\n\($0)\n    })" } ?? "") + " : ("
        + operands.map(\.type.spelling).joined(separator: ", ") + ") -> "
        + (types.count == 1 ? spellings[0] : "(\(spellings.joined(separator: ", ")))"))
    return types.indices.map { index in
      Term(name: types.count == 1 ? name : "\(name)#\(index)", type: types[index])
    }
  }

  /// Writes an op with one result.
  mutating func apply(
    _ op: String, _ operands: [Term], _ attributes: [String] = [], region: String? = nil,
    to type: TensorType
  ) -> Term {
    write(op, operands, attributes, region: region, to: [type])[0]
  }

  /// Writes an op on elements, with a result of the first operand's type.
  mutating func map(_ op: String, _ operands: Term...) -> Term {
    apply(op, operands, to: operands[0].type)
  }

  /// One value repeated, written once.
  mutating func splat(_ value: Double, _ type: TensorType) -> Term {
    let splat = Splat(literal: type.dtype.literal(value), type: type)
    if let known = splats[splat] { return known }
    let term: Term
    if type.rank == 0 {
      term = apply(
        "constant", [], ["value = dense<\(splat.literal)> : \(type.spelling)"], to: type)
    } else {
      // A dense splat would be a whole array to XLA until it simplifies.
      term = broadcast(self.splat(value, TensorType(type.dtype, [])), to: type, places: [])
    }
    splats[splat] = term
    return term
  }

  /// Repeats a value; its axes become those at ascending `places` of the result.
  mutating func broadcast(_ term: Term, to type: TensorType, places: [Int]) -> Term {
    term.type == type
      ? term
      : apply(
        "broadcast_in_dim", [term], ["broadcast_dimensions = \(spelled(places))"], to: type)
  }

  /// The same bytes under another shape.
  mutating func reshape(_ term: Term, to shape: Shape) -> Term {
    shape == term.type.shape
      ? term : apply("reshape", [term], to: TensorType(term.type.dtype, shape))
  }

  /// Axes in another order: place `i` of the result is place `permutation[i]` of the operand.
  mutating func transpose(_ term: Term, _ permutation: [Int]) -> Term {
    let shape = Shape(permutation.map { term.type.shape[$0] })
    return apply(
      "transpose", [term], ["permutation = \(spelled(permutation))"],
      to: TensorType(term.type.dtype, shape))
  }
}

// Values of the graph.
extension Function {
  /// The next argument of the function.
  mutating func input() -> Emitted {
    let index = inputs.startIndex
    let type = inputs.removeFirst()
    return define(type.logical, type.order, Term(name: "%arg\(index)", type: type.physical))
  }

  /// Adds a value that the text has in an order.
  mutating func define(_ type: TensorType, _ order: [Int], _ term: Term) -> Emitted {
    precondition(term.type == PhysicalType(type, order: order).physical)
    return add(Entry(origin: .written, forms: [(order, term)]), type)
  }

  /// Adds a constant that is written when it is read.
  mutating func define(_ constant: Constant) -> Emitted {
    add(Entry(origin: .constant(constant)), constant.type)
  }

  /// Adds indices that are written when they are read.
  mutating func define(_ iota: Iota) -> Emitted { add(Entry(origin: .iota(iota)), iota.type) }

  /// Adds a broadcast that is written when it is read.
  mutating func define(_ broadcast: Broadcast, of operand: Emitted) -> Emitted {
    add(
      Entry(origin: .broadcast(operand, axes: broadcast.axes)),
      TensorType(operand.type.dtype, broadcast.shape))
  }

  private mutating func add(_ entry: Entry, _ type: TensorType) -> Emitted {
    values.append(entry)
    return Emitted(type: type, id: values.count - 1)
  }

  /// A value as it was written first, or in the standard order.
  mutating func term(_ value: Emitted) -> (term: Term, order: [Int]) {
    let order = values[value.id].forms.first?.order ?? value.type.shape.standardOrder
    return (term(value, in: order), order)
  }

  /// A value in an order, transposed if the text does not have it.
  mutating func term(_ value: Emitted, in order: [Int]) -> Term {
    if let known = values[value.id].forms.first(where: { $0.order == order }) {
      return known.term
    }
    let term: Term
    switch values[value.id].origin {
    case .written: term = rearranged(value, to: order)
    case .constant(let constant): term = constant.emit(in: order, into: &self)
    case .iota(let iota): term = iota.emit(in: order, into: &self)
    case .broadcast(let operand, let axes):
      term = broadcast(operand, axes, to: PhysicalType(value.type, order: order))
    }
    values[value.id].forms.append((order, term))
    return term
  }

  private mutating func rearranged(_ value: Emitted, to order: [Int]) -> Term {
    let (shape, forms) = (value.type.shape, values[value.id].forms)
    if let alike = forms.first(where: { shape.lieAlike($0.order, order) }) {
      return reshape(alike.term, to: Shape(order.map { shape[$0] }))
    }
    return transpose(forms[0].term, order.map { forms[0].order.firstIndex(of: $0)! })
  }

  private mutating func broadcast(
    _ operand: Emitted, _ axes: [Int], to type: PhysicalType
  ) -> Term {
    // The operand's axes in the order in which the result has them.
    let order = type.order.compactMap { axes.firstIndex(of: $0) }
    let places = order.map { type.order.firstIndex(of: axes[$0])! }
    return broadcast(term(operand, in: order), to: type.physical, places: places)
  }

  /// The order in which most bytes of the operands are at hand; the standard one in doubt.
  func commonOrder(of operands: [Emitted]) -> [Int] {
    let standard = operands[0].type.shape.standardOrder
    let orders = operands.compactMap { values[$0.id].forms.first?.order }
    func bytes(in order: [Int]) -> Int {
      operands.filter { operand in
        values[operand.id].forms.contains { operand.type.shape.lieAlike($0.order, order) }
      }.reduce(0) { $0 + $1.type.sizeInBytes }
    }
    return orders.reduce(standard) { bytes(in: $1) > bytes(in: $0) ? $1 : $0 }
  }

  /// A value with its axes renamed: axis `i` of the result is axis `permutation[i]` of the operand.
  mutating func relabel(_ operand: Emitted, _ permutation: [Int], _ type: TensorType) -> Emitted {
    _ = term(operand)
    let forms = values[operand.id].forms.map { form in
      (order: form.order.map { permutation.firstIndex(of: $0)! }, term: form.term)
    }
    return add(Entry(origin: .written, forms: forms), type)
  }
}
