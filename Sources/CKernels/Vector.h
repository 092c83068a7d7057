// Vectors of LANES floats; included once for each instruction set.
#define INLINE static inline __attribute__((always_inline))
/// Before a loop of few turns, so that arrays indexed in it live in registers.
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float Vector __attribute__((ext_vector_type(LANES)));
/// As many numbers of twice the size; no function may return them where registers are too narrow.
typedef double Doubles __attribute__((ext_vector_type(LANES)));
/// A vector anywhere in memory.
typedef float Loose __attribute__((ext_vector_type(LANES), aligned(sizeof(float))));

INLINE Vector load(const float *from) { return *(const Loose *)from; }
INLINE void store(float *to, Vector value) { *(Loose *)to = value; }
/// Stores to memory rather than to the caches; `to` must be aligned to a vector.
INLINE void stream(float *to, Vector value) { __builtin_nontemporal_store(value, (Vector *)to); }

/// The larger and the smaller of two numbers, or `x` where it is NaN.
INLINE Vector larger(Vector bound, Vector x) { return x < bound ? bound : x; }
INLINE Vector smaller(Vector bound, Vector x) { return x > bound ? bound : x; }

/// The first `count` numbers, zeros after them.
INLINE Vector load_some(const float *from, const int count) {
  if (count == LANES) return load(from);
  Vector value = (Vector)0;
  for (int lane = 0; lane < count; lane++) value[lane] = from[lane];
  return value;
}

INLINE void store_some(float *to, Vector value, const int count) {
  if (count == LANES) return store(to, value);
  for (int lane = 0; lane < count; lane++) to[lane] = value[lane];
}
