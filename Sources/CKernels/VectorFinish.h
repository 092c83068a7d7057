// Activations of many vectors, out of line: their code is too long for every tile's kernel.

/// Whether a kernel applies it itself.
INLINE bool is_brief(CKActivation activation) {
  return activation == CKActivationNone || activation == CKActivationRelu
      || activation == CKActivationClippedRelu;
}

/// Lower and upper bounds of a brief activation.
INLINE Vector lower_bound(CKActivation activation) {
  return activation == CKActivationNone ? (Vector)-__builtin_inff() : (Vector)0;
}

INLINE Vector upper_bound(CKActivation activation, float parameter) {
  return activation == CKActivationClippedRelu ? (Vector)parameter : (Vector)__builtin_inff();
}

/// Applies an activation to `count` vectors and stores them by rows of `blocks` neighbours.
__attribute__((noinline, unused)) static void activate_rows(
    CKActivation activation, float parameter, const Vector *from, int count, float *to, int blocks,
    ptrdiff_t row) {
  enum { group = 4 };
  const ptrdiff_t gap = row - blocks * LANES;
  int left = blocks;
  for (; count > 0; count -= group, from += group) {
    Vector x[group];
    UNROLL for (int j = 0; j < group; j++) x[j] = from[j < count ? j : 0];
    activate(activation, parameter, x, group);
    UNROLL for (int j = 0; j < group; j++) {
      if (j >= count) return;
      store(to, x[j]);
      to += LANES;
      if (--left > 0) continue;
      left = blocks;
      to += gap;
    }
  }
}
