#include "WinogradPlan.h"
#include "WinogradPoints.h"

enum { cacheLine = 64, cacheLineFloats = 16 };

CKVectors ck_widest_vectors(void) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return CKVectorsAVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CKVectorsAVX2;
  return CKVectorsNone;
}

/// Whether a side of the source with its padding holds a filter, and is far from overflow.
static bool is_valid_side(int64_t size, int64_t before, int64_t after, int64_t filter) {
  const int64_t padded = size + before + after;
  return size >= 1 && before >= 0 && after >= 0 && padded >= filter && padded <= 1 << 30;
}

static bool is_valid_filter(int tile, int height, int width) {
  if (tile != 2 && tile != 4) return false;
  if (height == width) return height == 3 || (height == 5 && tile == 2);
  const int taps = height == 1 ? width : height;
  return (height == 1 || width == 1) && (taps == 3 || taps == 5 || taps == 7);
}

bool ck_winograd_is_valid(const CKWinograd *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  if (!is_valid_filter(c->tile, c->filterHeight, c->filterWidth)) return false;
  if (c->images < 1 || c->inputs < 1 || c->outputs < 1) return false;
  if (c->threads < 1 || c->chunk < 0) return false;
  // The channels of a whole block that are beyond the outputs must stay zero.
  const bool keepsZero =
      c->activation != CKActivationSigmoid && c->activation != CKActivationHardSigmoid;
  if (!keepsZero && c->destination.pixel == (ptrdiff_t)c->vectors
      && c->outputs % (int)c->vectors != 0)
    return false;
  return is_valid_side(c->height, c->top, c->bottom, c->filterHeight)
      && is_valid_side(c->width, c->left, c->right, c->filterWidth);
}

/// An estimate of a thread's time, in vector multiplications, where tiles and panels are cut in so
/// many parts.
static double estimate(
    const CKWinograd *c, const WinogradPlan *plan, int tileParts, int panelParts) {
  enum { transform = 7, bytesFetched = 8 };
  const double tiles = ceiling(plan->tiles, tileParts), panels = ceiling(plan->panels, panelParts);
  const double products = tiles * panels * panelBlocks * plan->points * c->inputs;
  const double blocks = plan->inputBlocks + panels * panelBlocks;
  const double transforms = tiles * blocks * plan->points * transform;
  const double chunks = ceiling((ptrdiff_t)tiles, plan->chunk);
  const double filters = chunks * panels * panel_stride(plan, c->inputs) * sizeof(float);
  return products + transforms + filters / bytesFetched;
}

/// Few tiles are shared by all threads, each for some of the outputs, many tiles by all outputs.
static void cut(const CKWinograd *c, WinogradPlan *plan) {
  double best = 0;
  for (int parts = 1; parts <= c->threads && parts <= plan->panels; parts++) {
    const int tileParts = c->threads / parts;
    const double time = estimate(c, plan, tileParts, parts);
    if (parts > 1 && time >= best) continue;
    best = time;
    plan->tileParts = tileParts;
    plan->panelParts = parts;
  }
}

WinogradPlan winograd_plan(const CKWinograd *c) {
  WinogradPlan plan = {
      .tileHeight = c->filterHeight == 1 ? 1 : c->tile,
      .tileWidth = c->filterWidth == 1 ? 1 : c->tile,
      .lanes = (int)c->vectors,
  };
  plan.patchHeight = plan.tileHeight + c->filterHeight - 1;
  plan.patchWidth = plan.tileWidth + c->filterWidth - 1;
  plan.points = plan.patchHeight * plan.patchWidth;
  plan.inputBlocks = (int)ceiling(c->inputs, plan.lanes);
  // Ten points magnify the rounding of sums nearly twice as much as F(4×4, 3×3) does; several short
  // sums round less than a long one.
  plan.stretch = plan.points == winogradMostPoints ? 64 : c->inputs;
  plan.outputBlocks = (int)ceiling(c->outputs, plan.lanes);
  plan.panels = (int)ceiling(plan.outputBlocks, panelBlocks);
  plan.outputHeight = c->height + c->top + c->bottom - c->filterHeight + 1;
  plan.outputWidth = c->width + c->left + c->right - c->filterWidth + 1;
  plan.tileRows = (int)ceiling(plan.outputHeight, plan.tileHeight);
  plan.tileColumns = (int)ceiling(plan.outputWidth, plan.tileWidth);
  plan.tiles = (ptrdiff_t)c->images * plan.tileRows * plan.tileColumns;
  // Fewer tiles read the filters too often, and the transforms of more leave the cache.
  const bool isLarge = c->inputs >= 256 && plan.tiles >= 112;
  const int usual = c->vectors == CKVectorsAVX2 ? 24 : isLarge ? 14 : 28;
  plan.chunk = c->chunk > 0 ? c->chunk : usual;
  if (plan.chunk > plan.tiles) plan.chunk = (int)plan.tiles;
  // An odd number of cache lines, so that one tile's points do not all fall into one cache set.
  const ptrdiff_t floats = (ptrdiff_t)plan.inputBlocks * plan.chunk * plan.lanes;
  const ptrdiff_t lines = ceiling(floats, cacheLineFloats);
  plan.pointStride = (lines | 1) * cacheLineFloats;
  cut(c, &plan);
  return plan;
}

size_t ck_winograd_filter_count(const CKWinograd *c) {
  const WinogradPlan plan = winograd_plan(c);
  return (size_t)plan.points * c->inputs * plan.outputBlocks * plan.lanes;
}

size_t ck_winograd_scratch_size(const CKWinograd *c) {
  const WinogradPlan plan = winograd_plan(c);
  const size_t source = (size_t)plan.pointStride * plan.points;
  const size_t products = (size_t)panelBlocks * plan.chunk * plan.points * plan.lanes;
  return (source + products) * sizeof(float) + cacheLine;
}

void ck_winograd_run(
    const CKWinograd *c, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, void *scratch, int32_t thread) {
  float *aligned = (float *)(((uintptr_t)scratch + cacheLine - 1) & ~(uintptr_t)(cacheLine - 1));
  if (c->vectors == CKVectorsAVX512)
    winograd_run_avx512(c, source, filters, bias, residual, destination, aligned, thread);
  else
    winograd_run_avx2(c, source, filters, bias, residual, destination, aligned, thread);
}
