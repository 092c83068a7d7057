import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

/// A type and layout in the library's words.
final class MemoryDescription: Sendable {
  let handle: Handle

  var pointer: OpaquePointer { handle.pointer }
  var sizeInBytes: Int { dnnl_memory_desc_get_size(pointer) }

  init(_ handle: Handle) { self.handle = handle }

  /// A dense or strided tensor of `float32`.
  init(_ shape: [Int], strides: [Int]) throws(BackendError) {
    let (dims, strides) = (shape.map(Int64.init), strides.map(Int64.init))
    handle = try Self.make("dnnl_memory_desc_create_with_strides") {
      dnnl_memory_desc_create_with_strides($0, Int32(dims.count), dims, dnnl_f32, strides)
    }
  }

  /// A tensor of `float32` in one of the library's named formats, `any` among them.
  init(_ shape: [Int], tag: dnnl_format_tag_t) throws(BackendError) {
    let dims = shape.map(Int64.init)
    handle = try Self.make("dnnl_memory_desc_create_with_tag") {
      dnnl_memory_desc_create_with_tag($0, Int32(dims.count), dims, dnnl_f32, tag)
    }
  }

  /// A dense row-major tensor of `float32`; a scalar is a vector of one.
  static func rowMajor(_ shape: Shape) throws(BackendError) -> MemoryDescription {
    let shape: Shape = shape.rank == 0 ? [1] : shape
    return try MemoryDescription(shape.extents, strides: shape.rowMajorStrides)
  }

  /// A copy of a description that a primitive description owns.
  init(copying pointer: OpaquePointer) throws(BackendError) {
    handle = try Self.make("dnnl_memory_desc_clone") { dnnl_memory_desc_clone($0, pointer) }
  }

  private static func make(
    _ call: String, _ create: (UnsafeMutablePointer<OpaquePointer?>) -> dnnl_status_t
  ) throws(BackendError) -> Handle {
    try Handle(call, destroy: dnnl_memory_desc_destroy, create: create)
  }

  func isEqual(to other: MemoryDescription) -> Bool {
    dnnl_memory_desc_equal(pointer, other.pointer) != 0
  }

  /// A name that no other layout has: extents, strides, inner blocks.
  var name: String {
    var rank: Int32 = 0
    var blocks: Int32 = 0
    dnnl_memory_desc_query(pointer, dnnl_query_ndims_s32, &rank)
    dnnl_memory_desc_query(pointer, dnnl_query_inner_nblks_s32, &blocks)
    let extents = values(dnnl_query_dims, Int(rank))
    let strides = values(dnnl_query_strides, Int(rank))
    let sizes = values(dnnl_query_inner_blks, Int(blocks))
    let axes = values(dnnl_query_inner_idxs, Int(blocks))
    return extents.map(String.init).joined(separator: "x")
      + "_strides" + strides.map { "_\($0)" }.joined()
      + (blocks == 0 ? "" : "_blocks" + zip(axes, sizes).map { "_\($0)x\($1)" }.joined())
  }

  private func values(_ query: dnnl_query_t, _ count: Int) -> [Int64] {
    var first: UnsafePointer<Int64>?
    dnnl_memory_desc_query(pointer, query, &first)
    return first.map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? []
  }
}
