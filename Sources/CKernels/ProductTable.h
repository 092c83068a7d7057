// Each size of `multiply(const Product *, blocks, columns)`, which the file that includes this one
// defines: columns are the tiles or pixels that a product holds in registers.

#define MULTIPLY(columns) \
  static void multiply1x##columns(const Product *p) { multiply(p, 1, columns); } \
  static void multiply2x##columns(const Product *p) { multiply(p, 2, columns); }
#define NAMES(columns) {multiply1x##columns, multiply2x##columns}

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

/// By the number of columns and the number of blocks, each less one.
static void (*const multiplications[COLUMNS][panelBlocks])(const Product *) = {
    NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6),
#if COLUMNS == 14
    NAMES(7), NAMES(8), NAMES(9), NAMES(10), NAMES(11), NAMES(12), NAMES(13), NAMES(14),
#endif
};
#undef MULTIPLY
#undef NAMES
