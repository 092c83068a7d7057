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
    UNROLL for (int j = 0; j < tiles; j++) store(to + j * p->productTile, sums[b][j]);
  }
}

#define MULTIPLY(tiles) \
  static void multiply1x##tiles(const Product *p) { multiply(p, 1, tiles); } \
  static void multiply2x##tiles(const Product *p) { multiply(p, 2, tiles); }
#define NAMES(tiles) {multiply1x##tiles, multiply2x##tiles}

MULTIPLY(1)
MULTIPLY(2)
MULTIPLY(3)
MULTIPLY(4)
MULTIPLY(5)
MULTIPLY(6)
#if COLUMNS == 14
MULTIPLY(7)
MULTIPLY(8)
MULTIPLY(9)
MULTIPLY(10)
MULTIPLY(11)
MULTIPLY(12)
MULTIPLY(13)
MULTIPLY(14)
#endif

/// By the number of tiles and the number of blocks, each less one.
static void (*const multiplications[COLUMNS][panelBlocks])(const Product *) = {
    NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6),
#if COLUMNS == 14
    NAMES(7), NAMES(8), NAMES(9), NAMES(10), NAMES(11), NAMES(12), NAMES(13), NAMES(14),
#endif
};
#undef MULTIPLY
#undef NAMES
