#include "GroupedPlan.h"

enum { cacheLine = 64, largestSize = 1 << 30, largestPadding = 1 << 10, largestCopy = 1 << 20 };

static bool is_valid_side(int32_t size, int32_t before, int32_t outputs, int32_t stride) {
  return size >= 1 && size <= largestSize && before >= 0 && before <= largestPadding
      && outputs >= 1 && outputs <= largestSize / stride;
}

bool ck_grouped_is_valid(const CKGrouped *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  if (c->images < 1 || c->channels < 1 || c->channels > largestSize || c->threads < 1) return false;
  const int lanes = (int)c->vectors, group = c->groupChannels;
  const bool fits = group == 4 || group == 8 || (group > 0 && group % lanes == 0);
  if (!fits || c->channels % lanes != 0 || c->channels % group != 0) return false;
  if (c->stride != 1 && c->stride != 2) return false;
  if (!is_valid_side(c->height, c->top, c->outputHeight, c->stride)
      || !is_valid_side(c->width, c->left, c->outputWidth, c->stride))
    return false;
  const double rows = (double)c->images * (c->channels / lanes) * c->outputHeight;
  return rows <= largestSize && group <= largestCopy / lanes;
}

size_t ck_grouped_filter_count(const CKGrouped *c) {
  return (size_t)c->channels * c->groupChannels * groupedTaps * groupedTaps;
}

/// To `[blocks][rows][inputs][columns][outputs of the block]`.
void ck_grouped_pack_filters(const CKGrouped *c, const float *filters, float *packed) {
  const int lanes = (int)c->vectors, area = groupedTaps * groupedTaps;
  for (ptrdiff_t first = 0; first < c->channels; first += lanes)
    for (int row = 0; row < groupedTaps; row++)
      for (ptrdiff_t input = 0; input < c->groupChannels; input++)
        for (int column = 0; column < groupedTaps; column++)
          for (int lane = 0; lane < lanes; lane++)
            *packed++ = filters
                [((first + lane) * c->groupChannels + input) * area + row * groupedTaps + column];
}

size_t ck_grouped_scratch_size(const CKGrouped *c) {
  const int most = strip_columns(c), columns = c->outputWidth < most ? c->outputWidth : most;
  const size_t floats =
      (size_t)groupedTaps * grouped_reach(c, columns) * copied_vectors(c) * c->vectors;
  return floats * sizeof(float) + cacheLine;
}

void ck_grouped_run(
    const CKGrouped *c, const float *source, const float *filters, const float *bias,
    float *destination, void *scratch, int32_t thread) {
  float *aligned = (float *)(((uintptr_t)scratch + cacheLine - 1) & ~(uintptr_t)(cacheLine - 1));
  if (c->vectors == CKVectorsAVX512)
    grouped_run_avx512(c, source, filters, bias, destination, aligned, thread);
  else
    grouped_run_avx2(c, source, filters, bias, destination, aligned, thread);
}
