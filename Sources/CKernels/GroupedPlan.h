#pragma once
#include "Range.h"
#include "include/Grouped.h"

/// Rows and columns of a filter.
enum { groupedTaps = 3 };

/// The most columns of a tile.
enum { groupedColumnsAVX512 = 14, groupedColumnsAVX2 = 8 };

/// Columns of the source that a tile of `columns` outputs sees.
static inline int grouped_reach(const CKGrouped *c, int columns) {
  return (columns - 1) * c->stride + groupedTaps;
}

/// Whether groups are whole vectors, whose inputs are read one by one; smaller ones are spread over
/// the lanes of their outputs first.
static inline bool has_whole_vectors(const CKGrouped *c) {
  return c->groupChannels % (int)c->vectors == 0;
}

/// Vectors in the copy of a pixel.
static inline ptrdiff_t copied_vectors(const CKGrouped *c) {
  return has_whole_vectors(c) ? c->groupChannels / (int)c->vectors : c->groupChannels;
}

/// The most columns of a strip, whose three rows stay in the first-level cache with the filters.
static inline int strip_columns(const CKGrouped *c) {
  enum { mostBytes = 32 << 10, pixelBytes = groupedTaps * sizeof(float) };
  int columns = c->vectors == CKVectorsAVX512 ? groupedColumnsAVX512 : groupedColumnsAVX2;
  const ptrdiff_t bytes = copied_vectors(c) * c->vectors * pixelBytes;
  while (columns > 1 && grouped_reach(c, columns) * bytes > mostBytes) columns--;
  return columns;
}

void grouped_run_avx512(
    const CKGrouped *convolution, const float *source, const float *filters, const float *bias,
    float *destination, float *scratch, int thread);
void grouped_run_avx2(
    const CKGrouped *convolution, const float *source, const float *filters, const float *bias,
    float *destination, float *scratch, int thread);
