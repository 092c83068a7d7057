// The product of filters and source at one point: sums over all inputs of some vectors of filters
// times some tiles, all of them held in registers.

typedef struct {
  /// `[inputs][blocks · LANES]`
  const float *filters;
  /// `[input blocks][tiles][LANES]`, from the first tile wanted on.
  const float *source;
  /// `[blocks][tiles][points][LANES]`, from the point and the first tile wanted on.
  float *products;
  /// What is read next, which this product fetches some bytes of for each input: many filters are
  /// too large for the caches, and it takes all the time there is to fetch them evenly.
  const char *next;
  ptrdiff_t nextStep, nextLine;
  int inputs;
  /// Whether products are added to those that are there.
  bool adds;
  /// Floats from block to block of the source, and from block to block and tile to tile of the
  /// products.
  ptrdiff_t sourceBlock, productBlock, productTile;
} Product;

INLINE void multiply(const Product *p, const int blocks, const int tiles) {
  Vector sums[panelBlocks][COLUMNS];
  UNROLL for (int b = 0; b < blocks; b++)
    UNROLL for (int j = 0; j < tiles; j++) sums[b][j] = (Vector)0;
  const float *filters = p->filters, *source = p->source;
  const char *next = p->next;
  for (int left = p->inputs; left > 0; left -= LANES, source += p->sourceBlock) {
    const int count = left < LANES ? left : LANES;
    for (int i = 0; i < count; i++, filters += blocks * LANES, next += p->nextStep) {
      __builtin_prefetch(next, 0, 2);
      __builtin_prefetch(next + p->nextLine, 0, 2);
      Vector weights[panelBlocks];
      UNROLL for (int b = 0; b < blocks; b++) weights[b] = load(filters + b * LANES);
      UNROLL for (int j = 0; j < tiles; j++) {
        const float value = source[j * LANES + i];
        UNROLL for (int b = 0; b < blocks; b++) sums[b][j] += weights[b] * value;
      }
    }
  }
  UNROLL for (int b = 0; b < blocks; b++) {
    float *to = p->products + b * p->productBlock;
    if (p->adds)
      UNROLL for (int j = 0; j < tiles; j++) sums[b][j] += load(to + j * p->productTile);
    UNROLL for (int j = 0; j < tiles; j++) store(to + j * p->productTile, sums[b][j]);
  }
}

#include "ProductTable.h"
