#include "ExpandedDepthwisePlan.h"

enum { cacheLine = 64, largestSize = 1 << 30, smallPixels = 256 };

/// The second convolution alone, as if all channels were neighbours.
static CKDepthwise depthwise_of(const CKExpandedDepthwise *c) {
  return (CKDepthwise){
      .vectors = c->vectors,
      .images = c->images,
      .channels = c->channels,
      .height = c->height,
      .width = c->width,
      .filterHeight = c->filterHeight,
      .filterWidth = c->filterWidth,
      .verticalStride = c->verticalStride,
      .horizontalStride = c->horizontalStride,
      .top = c->top,
      .left = c->left,
      .bottom = c->bottom,
      .right = c->right,
      .source = {.pixel = c->channels},
      .destination = {.pixel = c->channels},
      .threads = c->threads,
  };
}

bool ck_expanded_depthwise_is_valid(const CKExpandedDepthwise *c) {
  const CKDepthwise depthwise = depthwise_of(c);
  if (!ck_depthwise_is_valid(&depthwise) || c->inputs < 1 || c->inputs > largestSize) return false;
  if (c->channels % (int)c->vectors == 0) return true;
  // The channels of a whole block that are beyond the last one must stay zero.
  const bool keepsZero =
      c->activation != CKActivationSigmoid && c->activation != CKActivationHardSigmoid;
  return keepsZero && c->destination.pixel == (ptrdiff_t)c->vectors;
}

/// Each thread has as many tasks, and what a task keeps stays in the second-level cache. Rows between
/// two bands are computed twice.
static void cut_work(const CKExpandedDepthwise *c, ExpandedDepthwisePlan *plan) {
  enum { ringBytes = 3 << 18 };
  const ptrdiff_t bytes = (plan->isSmall ? 1 : plan->blocks) * ring_floats(c, plan) * (ptrdiff_t)sizeof(float);
  const ptrdiff_t needed = ceiling(bytes, ringBytes);
  const int fewest = needed < plan->panels ? (int)needed : plan->panels;
  double best = 0;
  for (int parts = fewest; parts <= plan->panels && parts < fewest + c->threads; parts++)
    for (int bands = 1; bands <= c->threads && bands <= plan->outputHeight; bands++) {
      const double rows =
          (ceiling(plan->outputHeight, bands) - 1) * c->verticalStride + c->filterHeight;
      const double tasks = ceiling((ptrdiff_t)c->images * parts * bands, c->threads);
      // Every task reads the source, which takes about as long as one block does.
      const double time = tasks * rows * (ceiling(plan->panels, parts) * panelBlocks + 1);
      if (best > 0 && time >= best) continue;
      best = time;
      plan->parts = parts;
      plan->bands = bands;
    }
}

ExpandedDepthwisePlan expanded_depthwise_plan(const CKExpandedDepthwise *c) {
  const CKDepthwise depthwise = depthwise_of(c);
  ExpandedDepthwisePlan plan = {
      .lanes = (int)c->vectors,
      .outputHeight = ck_depthwise_output_height(&depthwise),
      .outputWidth = ck_depthwise_output_width(&depthwise),
      .readsSource = c->source.pixel == (ptrdiff_t)c->vectors
          && c->source.row == (ptrdiff_t)c->vectors * c->width,
      .isSmall = (int64_t)c->height * c->width <= smallPixels,
  };
  plan.ringRows = plan.isSmall || c->filterHeight > c->height ? c->height : c->filterHeight;
  plan.inputBlocks = (int)ceiling(c->inputs, plan.lanes);
  plan.blocks = (int)ceiling(c->channels, plan.lanes);
  plan.panels = (int)ceiling(plan.blocks, panelBlocks);
  cut_work(c, &plan);
  return plan;
}

size_t ck_expanded_depthwise_filter_count(const CKExpandedDepthwise *c) {
  const size_t lanes = c->vectors;
  return (size_t)c->filterHeight * c->filterWidth * ceiling(c->channels, lanes) * lanes;
}

/// From `[channels][taps]` to `[blocks][taps][lanes]`.
void ck_expanded_depthwise_pack_filters(
    const CKExpandedDepthwise *c, const float *filters, float *packed) {
  const ptrdiff_t taps = (ptrdiff_t)c->filterHeight * c->filterWidth, lanes = c->vectors;
  for (ptrdiff_t first = 0; first < c->channels; first += lanes)
    for (ptrdiff_t tap = 0; tap < taps; tap++)
      for (ptrdiff_t i = first; i < first + lanes; i++)
        *packed++ = i < c->channels ? filters[i * taps + tap] : 0;
}

size_t ck_expanded_depthwise_row_sum_count(const CKExpandedDepthwise *c) {
  const CKDepthwise depthwise = depthwise_of(c);
  return ck_depthwise_row_sum_count(&depthwise);
}

size_t ck_expanded_depthwise_scratch_size(const CKExpandedDepthwise *c) {
  const ExpandedDepthwisePlan plan = expanded_depthwise_plan(c);
  const ptrdiff_t biases = 2 * (ptrdiff_t)plan.blocks * plan.lanes;
  const ptrdiff_t ring = task_blocks(&plan) * ring_floats(c, &plan);
  return (size_t)(biases + ring + gathered_floats(c, &plan)) * sizeof(float) + cacheLine;
}

void ck_expanded_depthwise_run(
    const CKExpandedDepthwise *c, const float *source, CKExpandedDepthwiseFilters filters,
    float *destination, float *rowSums, void *scratch, int32_t thread) {
  float *aligned = (float *)(((uintptr_t)scratch + cacheLine - 1) & ~(uintptr_t)(cacheLine - 1));
  if (c->vectors == CKVectorsAVX512)
    expanded_depthwise_run_avx512(c, source, &filters, destination, rowSums, aligned, thread);
  else
    expanded_depthwise_run_avx2(c, source, &filters, destination, rowSums, aligned, thread);
}

void ck_expanded_depthwise_means(
    const CKExpandedDepthwise *c, const float *rowSums, float *means, int32_t thread,
    int32_t threads) {
  const CKDepthwise depthwise = depthwise_of(c);
  ck_depthwise_means(&depthwise, rowSums, means, thread, threads);
}
