import ApusIR

/// What an imported Python name means to the pickle machine: a closed list; the rest is foreign.
struct PickleGlobal: Hashable {
  /// How the machine acts when the name is called. Nothing is ever executed.
  enum Role: Hashable {
    case orderedDictionary
    case rebuildTensor
    /// Like `rebuildTensor`, with the element type as an argument.
    case rebuildTypedTensor
    case rebuildParameter
    case storage(ElementType)
    case element(ElementType)
    /// Its first argument is its value.
    case passThrough
    case dictionary
    /// Gives an object nobody looks into.
    case inert
    case foreign
  }

  let module: String
  let member: String
  let role: Role

  var name: String { "\(module).\(member)" }

  init(module: String, member: String) {
    // Python 2 called the built-in module by another name; protocol 2 still does.
    let module = module == "__builtin__" ? "builtins" : module
    self.module = module
    self.member = member
    role = Self.roles["\(module).\(member)"] ?? Self.torchRole(module, member) ?? .foreign
  }

  private static let roles: [String: Role] = {
    var roles: [String: Role] = [
      "collections.OrderedDict": .orderedDictionary,
      "collections.defaultdict": .dictionary,
      "builtins.dict": .dictionary,
      "torch._utils._rebuild_tensor": .rebuildTensor,
      "torch._utils._rebuild_tensor_v2": .rebuildTensor,
      "torch._utils._rebuild_tensor_v3": .rebuildTypedTensor,
      "torch._utils._rebuild_parameter": .rebuildParameter,
      "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
      "torch.Size": .passThrough,
    ]
    for name in [
      "argparse.Namespace", "builtins.bytearray", "builtins.complex", "builtins.frozenset",
      "builtins.set", "builtins.slice", "_codecs.encode", "collections.Counter",
      "collections.deque", "numpy.dtype", "numpy.core.multiarray.scalar",
      "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
      "numpy._core.multiarray._reconstruct", "numpy.ndarray", "pathlib.Path",
      "pathlib.PosixPath", "pathlib.PurePosixPath", "torch.device",
    ] {
      roles[name] = .inert
    }
    return roles
  }()

  private static func torchRole(_ module: String, _ member: String) -> Role? {
    switch module {
    case "torch", "torch.cuda", "torch.storage":
      if member.hasSuffix("Storage"), let type = storages[String(member.dropLast(7))] {
        return .storage(type)
      }
      return module == "torch" ? elements[member].map(Role.element) : nil
    default: return nil
    }
  }

  private static let storages: [String: ElementType] = [
    "Float": .init(.float32), "Double": .init(.float64), "Half": .init(.float16),
    "BFloat16": .init(.bfloat16), "Long": .init(.int64), "Int": .init(.int32),
    "Short": .init(.int16), "Char": .init(.int8), "Byte": .init(.uint8), "Bool": .init(.bool),
    "Untyped": .init(.uint8),
    "ComplexFloat": .init(unsupported: "complex64", bits: 64),
    "ComplexDouble": .init(unsupported: "complex128", bits: 128),
    "QInt8": .init(unsupported: "qint8", bits: 8), "QUInt8": .init(unsupported: "quint8", bits: 8),
    "QInt32": .init(unsupported: "qint32", bits: 32),
  ]

  private static let elements: [String: ElementType] = {
    var table: [String: ElementType] = [:]
    for dtype in DType.allCases { table[dtype.rawValue] = ElementType(dtype) }
    for (name, bits) in [
      ("uint16", 16), ("uint32", 32), ("uint64", 64), ("complex32", 32), ("complex64", 64),
      ("complex128", 128), ("float8_e4m3fn", 8), ("float8_e5m2", 8), ("float8_e4m3fnuz", 8),
      ("float8_e5m2fnuz", 8), ("float8_e8m0fnu", 8), ("qint8", 8), ("quint8", 8), ("qint32", 32),
    ] {
      table[name] = ElementType(unsupported: name, bits: bits)
    }
    return table
  }()
}
