#pragma once
#include "Range.h"
#include "include/Im2col.h"

/// Filters of this many vectors of outputs lie together: what one call of the product computes.
enum { panelBlocks = 2 };

/// The numbers that follow from a `CKIm2col`.
typedef struct {
  int lanes, inputBlocks, outputBlocks, panels;
  /// Floats that the filters see of one pixel, and at most how many of them a pass multiplies.
  ptrdiff_t row, passRow;
  /// Places in a filter, which are cut into passes: what lies between these is in the destination.
  int taps, passes;
  /// Whether the product reads the source itself.
  bool readsSource;
  /// Pixels that may be computed together, all of them or those of an image, and how many times.
  ptrdiff_t runPixels, runs;
  /// How many chunks a run is cut in, and the most pixels of one.
  int runChunks, chunk;
  /// How many parts the chunks and the panels are cut in; a thread computes one part of each.
  int chunkParts, panelParts;
} Im2colPlan;

Im2colPlan im2col_plan(const CKIm2col *convolution);

/// Floats from one panel of packed filters to the next.
static inline ptrdiff_t panel_stride(const Im2colPlan *plan) {
  return plan->row * panelBlocks * plan->lanes;
}

void im2col_run_avx512(
    const CKIm2col *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread);
void im2col_run_avx2(
    const CKIm2col *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread);
