// What happens to some vectors of outputs of some pixels on the way to memory, after all of them were
// summed in registers.

typedef struct {
  /// Of the first block of outputs.
  float *destination;
  /// The same place in what is added before the activation, or null.
  const float *residual;
  /// Where each pixel lies in the destination.
  const ptrdiff_t *places;
  /// Floats from block to block.
  ptrdiff_t destinationBlock;
  /// How many of the outputs lie in memory.
  int outputs;
  CKActivation activation;
  float parameter;
} Finish;

/// Activations too long for every product's code, and only as many outputs as there are.
/// `[blocks][pixels]` sums are followed by memory for `group` more.
__attribute__((noinline)) static void finish_slowly(
    const Finish *f, Vector *sums, int blocks, int pixels) {
  enum { group = 4 };
  const int count = blocks * pixels;
  for (int b = 0; b < blocks && f->residual; b++) {
    const int left = f->outputs - b * LANES;
    const size_t size = (size_t)(left < LANES ? left : LANES) * sizeof(float);
    for (int j = 0; j < pixels; j++) {
      Vector added = (Vector)0;
      memcpy(&added, f->residual + f->places[j] + b * f->destinationBlock, size);
      sums[b * pixels + j] += added;
    }
  }
  for (int i = 0; i < group; i++) sums[count + i] = (Vector)0;
  for (int i = 0; i < count; i += group) activate(f->activation, f->parameter, sums + i, group);
  for (int b = 0; b < blocks; b++) {
    const int left = f->outputs - b * LANES;
    float *to = f->destination + b * f->destinationBlock;
    for (int j = 0; j < pixels; j++) {
      if (left >= LANES)
        store(to + f->places[j], sums[b * pixels + j]);
      else
        memcpy(to + f->places[j], &sums[b * pixels + j], (size_t)left * sizeof(float));
    }
  }
}

INLINE void finish(
    const Finish *f, Vector sums[panelBlocks][COLUMNS], const int blocks, const int pixels) {
  if (!is_brief(f->activation) || f->outputs < blocks * LANES) {
    Vector spilled[panelBlocks * COLUMNS + 4];
    UNROLL for (int b = 0; b < blocks; b++)
      UNROLL for (int j = 0; j < pixels; j++) spilled[b * pixels + j] = sums[b][j];
    finish_slowly(f, spilled, blocks, pixels);
    return;
  }
  const Vector lower = lower_bound(f->activation), upper = upper_bound(f->activation, f->parameter);
  UNROLL for (int j = 0; j < pixels; j++) {
    const ptrdiff_t place = f->places[j];
    UNROLL for (int b = 0; b < blocks; b++) {
      Vector x = sums[b][j];
      if (f->residual) x += load(f->residual + place + b * f->destinationBlock);
      store(f->destination + place + b * f->destinationBlock, smaller(upper, larger(lower, x)));
    }
  }
}
