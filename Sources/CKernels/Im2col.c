#include "StemPlan.h"

enum { cacheLine = 64, largestSize = 1 << 30, largestCopy = 1 << 20, rowsAVX512 = 14, rowsAVX2 = 6, longestRow = 1536 };

bool ck_im2col_is_valid(const CKIm2col *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  const int32_t sizes[] = {
      c->images, c->inputs, c->outputs, c->height, c->width, c->outputHeight, c->outputWidth,
      c->filterHeight, c->filterWidth, c->verticalStride, c->horizontalStride, c->verticalDilation,
      c->horizontalDilation,
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i] < 1 || sizes[i] > largestSize) return false;
  if (c->top < 0 || c->left < 0 || c->top > largestSize || c->left > largestSize) return false;
  const double row = (double)c->inputs * c->filterHeight * c->filterWidth;
  const double pixels = (double)c->images * c->outputHeight * c->outputWidth;
  // The channels of a whole block that are beyond the outputs must stay zero.
  const bool keepsZero =
      c->activation != CKActivationSigmoid && c->activation != CKActivationHardSigmoid;
  if (!keepsZero && c->destination.pixel == (ptrdiff_t)c->vectors
      && c->outputs % (int)c->vectors != 0)
    return false;
  // The rows of plain images that one row of outputs needs are copied.
  const double columns = (double)(c->outputWidth + 1) * c->horizontalStride
      + (double)c->filterWidth * c->horizontalDilation;
  const double copied = columns * c->filterHeight * c->verticalDilation * c->inputs;
  if (is_plain(c) && copied > largestCopy) return false;
  return c->threads >= 1 && row <= largestSize && pixels <= largestSize;
}

static bool sees_one_pixel(const CKIm2col *c) {
  return c->filterHeight == 1 && c->filterWidth == 1 && c->verticalStride == 1 && c->horizontalStride == 1
      && c->top == 0 && c->left == 0 && c->outputHeight == c->height && c->outputWidth == c->width;
}

/// Cuts the pixels into chunks whose rows stay in the second-level cache.
static void cut_chunks(const CKIm2col *c, Im2colPlan *plan, ptrdiff_t pixels) {
  enum { rowBytes = 1 << 20, mostPixels = 224 };
  const int columns = plan->lanes == CKVectorsAVX512 ? rowsAVX512 : rowsAVX2;
  ptrdiff_t chunk = rowBytes / (plan->passRow * (ptrdiff_t)sizeof(float));
  chunk = chunk > mostPixels ? mostPixels : chunk / columns * columns;
  if (chunk < columns) chunk = columns;
  const ptrdiff_t area = (ptrdiff_t)c->outputHeight * c->outputWidth;
  const bool liesInRows = sees_one_pixel(c) && c->source.pixel == plan->lanes
      && c->source.row == (ptrdiff_t)c->width * plan->lanes;
  // The pixels of small images share filters with other images.
  plan->readsSource = liesInRows && (c->images == 1 || area >= chunk);
  plan->runPixels = plan->readsSource ? area : pixels;
  plan->runs = pixels / plan->runPixels;
  if (chunk > plan->runPixels) chunk = plan->runPixels;
  plan->runChunks = (int)ceiling(plan->runPixels, chunk);
  plan->chunk = (int)ceiling(plan->runPixels, plan->runChunks);
}

/// Few pixels are shared by all threads, each for some of the outputs, many pixels by all outputs;
/// then there are as many chunks for each thread.
static void cut_work(const CKIm2col *c, Im2colPlan *plan) {
  // In multiplications of a vector, for a vector that is gathered and for bytes from elsewhere.
  enum { gather = 4, bytesFetched = 4 };
  const double sourceSize = (double)c->images * c->height * c->width * c->inputs * sizeof(float);
  const int fewest = plan->runChunks;
  double best = 0;
  for (int parts = 1; parts <= c->threads && parts <= plan->panels; parts++) {
    const int chunkParts = c->threads / parts;
    const bool isEven = plan->runs % chunkParts == 0 || plan->runPixels < chunkParts;
    const int runChunks = isEven ? fewest : (int)ceiling(fewest, chunkParts) * chunkParts;
    const double chunk = ceiling(plan->runPixels, runChunks);
    const double chunks = ceiling(plan->runs * runChunks, chunkParts);
    const double panels = ceiling(plan->panels, parts);
    const double blocks = parts == 1 ? plan->outputBlocks : panels * panelBlocks;
    const double rows = chunks * chunk * plan->row;
    const double gathered = plan->readsSource ? 0 : rows / plan->lanes * gather;
    const double filters = chunks * blocks * plan->lanes * plan->row * sizeof(float);
    const double time =
        rows * blocks + gathered + (filters + sourceSize / chunkParts) / bytesFetched;
    if (parts > 1 && time >= best) continue;
    best = time;
    plan->chunkParts = chunkParts;
    plan->panelParts = parts;
    plan->runChunks = runChunks;
    plan->chunk = (int)chunk;
  }
}

Im2colPlan im2col_plan(const CKIm2col *c) {
  Im2colPlan plan = {.lanes = (int)c->vectors};
  plan.inputBlocks = (int)ceiling(c->inputs, plan.lanes);
  plan.outputBlocks = (int)ceiling(c->outputs, plan.lanes);
  plan.panels = (int)ceiling(plan.outputBlocks, panelBlocks);
  plan.taps = c->filterHeight * c->filterWidth;
  plan.row = (ptrdiff_t)c->inputs * plan.taps;
  // A panel's filters of one pass and those of the next one share the cache with the rows.
  const int passTaps = longestRow / c->inputs;
  plan.passes = passTaps > 1 ? (int)ceiling(plan.taps, passTaps) : plan.taps;
  plan.passRow = ceiling(plan.taps, plan.passes) * c->inputs;
  cut_chunks(c, &plan, (ptrdiff_t)c->images * c->outputHeight * c->outputWidth);
  cut_work(c, &plan);
  return plan;
}

size_t ck_im2col_filter_count(const CKIm2col *c) {
  const size_t lanes = c->vectors, row = (size_t)c->inputs * c->filterHeight * c->filterWidth;
  return row * ceiling(c->outputs, lanes) * lanes;
}

/// A panel is `[taps][inputs][blocks · lanes]`.
void ck_im2col_pack_filters(
    const CKIm2col *c, const float *filters, float *packed, int32_t thread, int32_t threads) {
  const Im2colPlan plan = im2col_plan(c);
  const ptrdiff_t taps = plan.taps;
  const Range share = part((Range){0, plan.panels}, thread, threads);
  for (int panel = (int)share.start; panel < share.end; panel++) {
    const int first = panel * panelBlocks, left = plan.outputBlocks - first;
    const int width = (left < panelBlocks ? left : panelBlocks) * plan.lanes;
    float *to = packed + panel * panel_stride(&plan);
    for (ptrdiff_t tap = 0; tap < taps; tap++)
      for (ptrdiff_t input = 0; input < c->inputs; input++)
        for (int i = 0; i < width; i++, to++) {
          const ptrdiff_t output = first * plan.lanes + i;
          *to = output < c->outputs ? filters[(output * c->inputs + input) * taps + tap] : 0;
        }
  }
}

size_t ck_im2col_scratch_size(const CKIm2col *c) {
  if (is_plain(c)) return (size_t)stem_scratch_floats(c) * sizeof(float) + cacheLine;
  const Im2colPlan plan = im2col_plan(c);
  const ptrdiff_t taps = ceiling(plan.taps, plan.passes);
  const ptrdiff_t floats = plan.readsSource ? 0 : taps * plan.inputBlocks * plan.lanes * plan.chunk;
  return (size_t)floats * sizeof(float) + cacheLine;
}

void ck_im2col_run(
    const CKIm2col *c, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, void *scratch, int32_t thread) {
  float *aligned = (float *)(((uintptr_t)scratch + cacheLine - 1) & ~(uintptr_t)(cacheLine - 1));
  const bool isWide = c->vectors == CKVectorsAVX512;
  void (*run)(
      const CKIm2col *, const float *, const float *, const float *, const float *, float *, float *,
      int) = isWide ? im2col_run_avx512 : im2col_run_avx2;
  if (is_plain(c)) run = isWide ? stem_run_avx512 : stem_run_avx2;
  run(c, source, filters, bias, residual, destination, aligned, thread);
}
