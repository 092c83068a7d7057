// The product of filters and rows: sums over what the filters see of some vectors of outputs times
// some pixels, all of them held in registers, and finished on the way to memory.

#include "PanelFinish.h"

typedef struct {
  /// `[taps][inputs][blocks · LANES]`
  const float *filters;
  /// What is read next, which this product fetches some bytes of for each row of its filters.
  const char *next;
  ptrdiff_t nextStep;
  /// `[taps][input blocks][pixels][LANES]`, from the first pixel wanted on.
  const float *source;
  int taps, inputs;
  /// Floats from block to block, and to what of the source is fetched meanwhile.
  ptrdiff_t sourceBlock, ahead;
  Vector bias[panelBlocks];
  Finish finish;
} Product;

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
        __builtin_prefetch(source + p->ahead + i * LANES);
        Vector weights[panelBlocks];
        UNROLL for (int b = 0; b < blocks; b++) weights[b] = load(filters + b * LANES);
        UNROLL for (int j = 0; j < pixels; j++) {
          const float value = source[j * LANES + i];
          UNROLL for (int b = 0; b < blocks; b++) sums[b][j] += weights[b] * value;
        }
      }
    }
  finish(&p->finish, sums, blocks, pixels);
}

#include "ProductTable.h"
