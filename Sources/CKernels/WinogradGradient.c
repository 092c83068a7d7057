#include "WinogradGradientPlan.h"

enum {
  cacheLine = 64,
  cacheLineFloats = cacheLine / sizeof(float),
  /// What of a second-level cache a thread's tiles and sums may fill.
  cachedBytes = 3 << 19,
  /// Fewer tiles would read and write the sums too often for what they add.
  fewestTiles = 28,
  /// More tiles of a panel would leave the first-level cache.
  mostTiles = 192,
};

bool ck_winograd_gradient_is_valid(const CKWinograd *c) {
  return c->tile == 4 && c->filterHeight == 3 && c->filterWidth == 3 && ck_winograd_is_valid(c);
}

/// An odd number of cache lines, so that one tile's points do not all fall into one cache set.
static ptrdiff_t point_stride(ptrdiff_t floats) {
  return (ceiling(floats, cacheLineFloats) | 1) * cacheLineFloats;
}

WinogradGradientPlan winograd_gradient_plan(const CKWinograd *c) {
  const WinogradPlan tiles = winograd_plan(c);
  WinogradGradientPlan plan = {
      .points = tiles.points,
      .lanes = tiles.lanes,
      .inputBlocks = tiles.inputBlocks,
      .outputBlocks = tiles.outputBlocks,
      .panels = tiles.panels,
      .outputHeight = tiles.outputHeight,
      .outputWidth = tiles.outputWidth,
      .tiles = tiles.tiles,
  };
  const ptrdiff_t inputs = (ptrdiff_t)plan.inputBlocks * plan.lanes;
  const ptrdiff_t outputs = (ptrdiff_t)plan.outputBlocks * plan.lanes;
  const ptrdiff_t pointBytes = plan.points * (ptrdiff_t)sizeof(float);
  const ptrdiff_t cached = (cachedBytes - inputs * outputs * pointBytes) /
      ((inputs + outputs) * pointBytes);
  const bool fits = cached >= fewestTiles;
  plan.groups = fits ? c->threads : 1;
  plan.members = fits ? 1 : c->threads;
  const ptrdiff_t most = fits && cached < mostTiles ? cached : mostTiles;
  const ptrdiff_t own = ceiling(plan.tiles, plan.groups);
  plan.chunks = (int)ceiling(own, most);
  plan.chunk = (int)ceiling(own, plan.chunks);
  plan.sourceStride = point_stride(plan.chunk * inputs);
  plan.gradientStride = point_stride(plan.chunk * outputs);
  plan.sumStride = point_stride(inputs * outputs);
  return plan;
}

int32_t ck_winograd_gradient_phases(const CKWinograd *c) {
  const WinogradGradientPlan plan = winograd_gradient_plan(c);
  return 1 + (plan.members == 1 ? 1 : 2 * plan.chunks);
}

size_t ck_winograd_gradient_scratch_size(const CKWinograd *c) {
  const WinogradGradientPlan plan = winograd_gradient_plan(c);
  float *none = NULL;
  const float *end = winograd_gradient_bias(&plan, none, c->threads);
  return (size_t)(end - none) * sizeof(float) + cacheLine;
}

void ck_winograd_gradient_run(
    const CKWinograd *c, const float *source, const float *gradient, float *filters, float *bias,
    void *scratch, int32_t phase, int32_t thread) {
  float *aligned = (float *)(((uintptr_t)scratch + cacheLine - 1) & ~(uintptr_t)(cacheLine - 1));
  if (c->vectors == CKVectorsAVX512)
    winograd_gradient_run_avx512(c, source, gradient, filters, bias, aligned, phase, thread);
  else
    winograd_gradient_run_avx2(c, source, gradient, filters, bias, aligned, phase, thread);
}
