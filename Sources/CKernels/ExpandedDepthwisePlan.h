#pragma once
#include "DepthwisePlan.h"
#include "Im2colPlan.h"
#include "include/ExpandedDepthwise.h"

/// The numbers that follow from a `CKExpandedDepthwise`.
typedef struct {
  int lanes, inputBlocks, blocks, panels;
  int outputHeight, outputWidth;
  /// Whether the product reads the source itself: it is in blocks whose pixels lie evenly.
  bool readsSource;
  /// Whether images are so small that all rows of one panel are made before they are read; else each
  /// row of outputs is computed when there is what it needs, of all panels.
  bool isSmall;
  /// How many rows of what lies between are kept.
  int ringRows;
  /// How many parts the panels and an image's rows of outputs are cut in; a task is one part of each.
  int parts, bands;
} ExpandedDepthwisePlan;

ExpandedDepthwisePlan expanded_depthwise_plan(const CKExpandedDepthwise *convolutions);

/// Floats of the rows that are kept of one block.
static inline ptrdiff_t ring_floats(
    const CKExpandedDepthwise *c, const ExpandedDepthwisePlan *plan) {
  return (ptrdiff_t)plan->ringRows * c->width * plan->lanes;
}

/// Blocks of which a task keeps rows, at most.
static inline ptrdiff_t task_blocks(const ExpandedDepthwisePlan *plan) {
  return (plan->isSmall ? 1 : ceiling(plan->panels, plan->parts)) * panelBlocks;
}

/// Floats of the rows of the source that are gathered: as many as are kept.
static inline ptrdiff_t gathered_floats(
    const CKExpandedDepthwise *c, const ExpandedDepthwisePlan *plan) {
  return plan->readsSource ? 0 : plan->inputBlocks * ring_floats(c, plan);
}

void expanded_depthwise_run_avx512(
    const CKExpandedDepthwise *convolutions, const float *source,
    const CKExpandedDepthwiseFilters *filters, float *destination, float *rowSums, float *scratch,
    int thread);
void expanded_depthwise_run_avx2(
    const CKExpandedDepthwise *convolutions, const float *source,
    const CKExpandedDepthwiseFilters *filters, float *destination, float *rowSums, float *scratch,
    int thread);
