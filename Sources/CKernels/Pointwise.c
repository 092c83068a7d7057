#include "PointwisePlan.h"

enum { cacheLine = 64, cacheLineFloats = 16, largestSize = 1 << 30 };

bool ck_pointwise_is_valid(const CKPointwise *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  const int32_t sizes[] = {c->images, c->inputs, c->outputs, c->height, c->width};
  for (int i = 0; i < 5; i++)
    if (sizes[i] < 1 || sizes[i] > largestSize) return false;
  return c->threads >= 1 && c->destination.pixel >= c->outputs;
}

/// Few pixels are shared by all threads, each for some of the outputs, many pixels by all outputs.
static void cut(const CKPointwise *c, PointwisePlan *plan) {
  enum { bytesFetched = 8 };
  double best = 0;
  for (int parts = 1; parts <= c->threads && parts <= plan->panels; parts++) {
    const int tileParts = c->threads / parts;
    const double tiles = ceiling(plan->tiles, tileParts), panels = ceiling(plan->panels, parts);
    const double filters = panels * plan->panelUnits * unitFloats * c->inputs;
    // In multiplications of a vector of 16 and a pixel.
    const double pixels = tiles * plan->runPixels / plan->runTiles;
    const double time = filters * pixels / 16 + filters * sizeof(float) / bytesFetched;
    if (parts > 1 && time >= best) continue;
    best = time;
    plan->tileParts = tileParts;
    plan->panelParts = parts;
  }
}

static void find_runs(const CKPointwise *c, PointwisePlan *plan) {
  const CKPixelStrides *from = &c->source, *to = &c->destination;
  const ptrdiff_t area = (ptrdiff_t)c->height * c->width;
  const bool joinsRows = c->height == 1
      || (from->row == c->width * from->pixel && to->row == c->width * to->pixel);
  const bool joinsImages = joinsRows && !c->isScaled
      && (c->images == 1
          || (from->image == area * from->pixel && to->image == area * to->pixel));
  plan->runPixels = joinsImages ? c->images * area : joinsRows ? area : c->width;
  plan->imageRuns = joinsRows ? 1 : c->height;
  plan->runs = joinsImages ? 1 : c->images * plan->imageRuns;
}

PointwisePlan pointwise_plan(const CKPointwise *c) {
  enum { nearBytes = 16 << 10, farBytes = 192 << 10, filterBytes = 384 << 10 };
  const int lanes = (int)c->vectors, panelUnits = 2 * lanes / unitFloats;
  PointwisePlan plan = {.panelUnits = panelUnits};
  plan.units = (int)ceiling(c->outputs, unitFloats);
  const int rest = plan.units % panelUnits;
  plan.panels = plan.units / panelUnits + (rest > panelUnits / 2 ? 1 : 0);
  if (plan.panels == 0) plan.panels = 1;
  plan.biasFloats = ceiling(plan.units * unitFloats, cacheLineFloats) * cacheLineFloats;
  find_runs(c, &plan);
  const bool isWide = plan.panels == 1 && plan.units > panelUnits;
  if (lanes == CKVectorsAVX512)
    plan.tilePixels = isWide ? wideRowsAVX512 : rowsAVX512;
  else
    plan.tilePixels = isWide ? wideRowsAVX2 : rowsAVX2;
  plan.runTiles = ceiling(plan.runPixels, plan.tilePixels);
  plan.tiles = plan.runs * plan.runTiles;
  cut(c, &plan);
  const ptrdiff_t area = (ptrdiff_t)c->height * c->width;
  plan.scalesFilters = c->isScaled && area >= c->outputs;
  const bool collides = plan.panels > 1 && c->source.pixel % 512 == 0;
  plan.copies = (c->isScaled && !plan.scalesFilters) || collides;
  // An odd number of cache lines, so that a tile's pixels do not all fall into one cache set.
  plan.copyStride = (ceiling(c->inputs, cacheLineFloats) | 1) * cacheLineFloats;
  const ptrdiff_t filters = panel_start(&plan, plan.panels, c->inputs) / plan.panelParts;
  const ptrdiff_t tileBytes = plan.tilePixels * c->inputs * (ptrdiff_t)sizeof(float);
  const bool isFar = filters * (ptrdiff_t)sizeof(float) > filterBytes;
  const ptrdiff_t chunk = (isFar ? farBytes : nearBytes) / tileBytes;
  plan.chunk = (int)(chunk < 1 ? 1 : chunk > mostChunkTiles ? mostChunkTiles : chunk);
  if (plan.chunk > plan.tiles) plan.chunk = (int)plan.tiles;
  return plan;
}

size_t ck_pointwise_filter_count(const CKPointwise *c) {
  return (size_t)ceiling(c->outputs, unitFloats) * unitFloats * c->inputs;
}

void ck_pointwise_pack_filters(
    const CKPointwise *c, const float *filters, float *packed, int32_t thread, int32_t threads) {
  const PointwisePlan plan = pointwise_plan(c);
  const Range share = part((Range){0, plan.panels}, thread, threads);
  for (int panel = (int)share.start; panel < share.end; panel++) {
    const int width = panel_units(&plan, panel) * unitFloats;
    const int first = panel * plan.panelUnits * unitFloats;
    float *to = packed + panel_start(&plan, panel, c->inputs);
    for (int input = 0; input < c->inputs; input++)
      for (int i = 0; i < width; i++, to++)
        *to = first + i < c->outputs ? filters[(ptrdiff_t)(first + i) * c->inputs + input] : 0;
  }
}

/// The bias with zeros after it, the copy of a chunk and scaled filters, each from a cache line on.
size_t ck_pointwise_scratch_size(const CKPointwise *c) {
  const PointwisePlan plan = pointwise_plan(c);
  ptrdiff_t floats = plan.biasFloats;
  if (plan.copies) floats += plan.chunk * plan.tilePixels * plan.copyStride;
  if (plan.scalesFilters) floats += panel_start(&plan, plan.panels, c->inputs);
  return (size_t)floats * sizeof(float) + cacheLine;
}

void ck_pointwise_run(
    const CKPointwise *c, const float *source, const float *filters, const float *bias,
    const float *scale, const float *residual, float *destination, void *scratch,
    int32_t thread) {
  float *aligned = (float *)(((uintptr_t)scratch + cacheLine - 1) & ~(uintptr_t)(cacheLine - 1));
  if (c->vectors == CKVectorsAVX512)
    pointwise_run_avx512(
        c, source, filters, bias, scale, residual, destination, aligned, thread);
  else
    pointwise_run_avx2(c, source, filters, bias, scale, residual, destination, aligned, thread);
}
