// The product of filters and rows: sums over what the filters see of some vectors of outputs times
// some pixels, all of them held in registers, and finished on the way to memory.

typedef struct {
  /// `[taps][inputs][blocks · LANES]`
  const float *filters;
  /// What is read next, which this product fetches some bytes of for each row of its filters.
  const char *next;
  ptrdiff_t nextStep;
  /// `[taps][input blocks][pixels][LANES]`, from the first pixel wanted on.
  const float *source;
  int taps, inputs;
  /// Floats from block to block of the source, and of the destination.
  ptrdiff_t sourceBlock, destinationBlock;
  /// Of the first block of outputs.
  float *destination;
  const float *residual;
  /// Where each pixel lies in the destination.
  const ptrdiff_t *places;
  Vector bias[panelBlocks];
  /// How many of the outputs lie in memory.
  int outputs;
  CKActivation activation;
  float parameter;
} Product;

/// Residual and activation of `[blocks][pixels]` sums, and only as many outputs as there are.
__attribute__((noinline)) static void finish_slowly(
    const Product *p, Vector *sums, int blocks, int pixels) {
  for (int b = 0; b < blocks; b++) {
    const int left = p->outputs - b * LANES;
    const size_t size = (size_t)(left < LANES ? left : LANES) * sizeof(float);
    for (int j = 0; j < pixels; j++) {
      const ptrdiff_t place = p->places[j] + b * p->destinationBlock;
      Vector x = sums[b * pixels + j], added = (Vector)0;
      if (p->residual) memcpy(&added, p->residual + place, size);
      x += added;
      activate(p->activation, p->parameter, &x, 1);
      memcpy(p->destination + place, &x, size);
    }
  }
}

INLINE void finish(
    const Product *p, Vector sums[panelBlocks][COLUMNS], const int blocks, const int pixels) {
  if (!is_brief(p->activation) || p->outputs < blocks * LANES) {
    Vector spilled[panelBlocks * COLUMNS];
    UNROLL for (int b = 0; b < blocks; b++)
      UNROLL for (int j = 0; j < pixels; j++) spilled[b * pixels + j] = sums[b][j];
    finish_slowly(p, spilled, blocks, pixels);
    return;
  }
  const Vector lower = lower_bound(p->activation), upper = upper_bound(p->activation, p->parameter);
  UNROLL for (int j = 0; j < pixels; j++) {
    const ptrdiff_t place = p->places[j];
    UNROLL for (int b = 0; b < blocks; b++) {
      Vector x = sums[b][j];
      if (p->residual) x += load(p->residual + place + b * p->destinationBlock);
      store(p->destination + place + b * p->destinationBlock, smaller(upper, larger(lower, x)));
    }
  }
}

INLINE void multiply(const Product *p, const int blocks, const int pixels) {
  Vector sums[panelBlocks][COLUMNS];
  UNROLL for (int b = 0; b < blocks; b++)
    UNROLL for (int j = 0; j < pixels; j++) sums[b][j] = p->bias[b];
  const float *filters = p->filters, *source = p->source;
  const char *next = p->next;
  for (int tap = 0; tap < p->taps; tap++)
    for (int left = p->inputs; left > 0; left -= LANES, source += p->sourceBlock) {
      const int count = left < LANES ? left : LANES;
      for (int i = 0; i < count; i++, filters += blocks * LANES, next += p->nextStep) {
        __builtin_prefetch(next, 0, 2);
        // Another thread may have made the source.
        __builtin_prefetch(source + 2 * p->sourceBlock + i * LANES);
        Vector weights[panelBlocks];
        UNROLL for (int b = 0; b < blocks; b++) weights[b] = load(filters + b * LANES);
        UNROLL for (int j = 0; j < pixels; j++) {
          const float value = source[j * LANES + i];
          UNROLL for (int b = 0; b < blocks; b++) sums[b][j] += weights[b] * value;
        }
      }
    }
  finish(p, sums, blocks, pixels);
}

#include "ProductTable.h"
