#include "DepthwisePlan.h"

enum { largestSize = 1 << 30 };

/// Whether a side of the source with its padding holds a filter, and is far from overflow.
static bool is_valid_side(
    int64_t size, int64_t before, int64_t after, int64_t filter, int64_t stride) {
  if (size < 1 || before < 0 || after < 0 || filter < 1 || stride < 1) return false;
  const int64_t padded = size + before + after;
  return padded >= filter && padded <= largestSize && stride <= largestSize;
}

bool ck_depthwise_is_valid(const CKDepthwise *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  if (c->images < 1 || c->channels < 1 || c->channels > largestSize || c->threads < 1) return false;
  return c->destination.pixel >= c->channels
      && is_valid_side(c->height, c->top, c->bottom, c->filterHeight, c->verticalStride)
      && is_valid_side(c->width, c->left, c->right, c->filterWidth, c->horizontalStride);
}

int32_t ck_depthwise_output_height(const CKDepthwise *c) {
  return (c->height + c->top + c->bottom - c->filterHeight) / c->verticalStride + 1;
}

int32_t ck_depthwise_output_width(const CKDepthwise *c) {
  return (c->width + c->left + c->right - c->filterWidth) / c->horizontalStride + 1;
}

DepthwisePlan depthwise_plan(const CKDepthwise *c) {
  const int columns = c->vectors == CKVectorsAVX512 ? columnsAVX512 : columnsAVX2;
  DepthwisePlan plan = {
      .outputHeight = ck_depthwise_output_height(c),
      .outputWidth = ck_depthwise_output_width(c),
      .blocks = (int)ceiling(c->channels, (int)c->vectors),
  };
  plan.tiles = (int)ceiling(plan.outputWidth, columns);
  // Rows if they can be shared evenly: neighbouring channels then stay in one thread's caches.
  const ptrdiff_t rows = (ptrdiff_t)c->images * plan.outputHeight;
  ptrdiff_t best = 0;
  for (int parts = 1; parts <= c->threads && parts <= plan.blocks; parts++) {
    const ptrdiff_t time = ceiling(rows, c->threads / parts) * ceiling(plan.blocks, parts);
    if (parts > 1 && time >= best) continue;
    best = time;
    plan.rowParts = c->threads / parts;
    plan.blockParts = parts;
  }
  return plan;
}

size_t ck_depthwise_filter_count(const CKDepthwise *c) {
  return (size_t)c->filterHeight * c->filterWidth * c->channels;
}

/// From `[channels][taps]` to `[taps][channels]`.
void ck_depthwise_pack_filters(const CKDepthwise *c, const float *filters, float *packed) {
  const ptrdiff_t taps = (ptrdiff_t)c->filterHeight * c->filterWidth;
  for (ptrdiff_t tap = 0; tap < taps; tap++)
    for (ptrdiff_t channel = 0; channel < c->channels; channel++)
      packed[tap * c->channels + channel] = filters[channel * taps + tap];
}

size_t ck_depthwise_row_sum_count(const CKDepthwise *c) {
  return (size_t)c->images * ck_depthwise_output_height(c) * c->channels;
}

void ck_depthwise_run(
    const CKDepthwise *c, const float *source, const float *filters, const float *bias,
    float *destination, float *rowSums, int32_t thread) {
  if (c->vectors == CKVectorsAVX512)
    depthwise_run_avx512(c, source, filters, bias, destination, rowSums, thread);
  else
    depthwise_run_avx2(c, source, filters, bias, destination, rowSums, thread);
}

void ck_depthwise_means(
    const CKDepthwise *c, const float *rowSums, float *means, int32_t thread, int32_t threads) {
  enum { most = 64 };
  const int height = ck_depthwise_output_height(c);
  const float area = (float)height * (float)ck_depthwise_output_width(c);
  const ptrdiff_t channels = c->channels, groups = ceiling(channels, most);
  const Range share = part((Range){0, c->images * groups}, thread, threads);
  for (ptrdiff_t i = share.start; i < share.end; i++) {
    const ptrdiff_t image = i / groups, first = i % groups * most;
    const int count = (int)(channels - first < most ? channels - first : most);
    const float *from = rowSums + image * height * channels + first;
    float sums[most] = {0};
    for (int row = 0; row < height; row++, from += channels)
      for (int j = 0; j < count; j++) sums[j] += from[j];
    for (int j = 0; j < count; j++) means[image * channels + first + j] = sums[j] / area;
  }
}
