#pragma once
#include "Im2colPlan.h"

/// The numbers that follow from a `CKIm2col` of plain images.
typedef struct {
  int panels;
  /// Elements of the source that an output sees.
  ptrdiff_t filterRows;
  /// Columns of a copied row that are a stride apart and lie side by side, and all of its floats.
  ptrdiff_t phase, row;
  /// Rows of outputs that are computed from one copy, and the rows of an image in that.
  int bandRows, copiedRows;
} StemPlan;

/// Whether the images are plain, so that this and not `im2col_plan` is how they are read.
static inline bool is_plain(const CKIm2col *convolution) { return convolution->source.pixel == 1; }

StemPlan stem_plan(const CKIm2col *convolution);

/// The size of one thread's scratch memory in floats.
ptrdiff_t stem_scratch_floats(const CKIm2col *convolution);

/// Floats before those of the copy: what says where the filters see it.
static inline ptrdiff_t offset_floats(const StemPlan *plan) {
  return ceiling(plan->filterRows * (ptrdiff_t)sizeof(ptrdiff_t), 64) * 64 / (ptrdiff_t)sizeof(float);
}

void stem_run_avx512(
    const CKIm2col *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread);
void stem_run_avx2(
    const CKIm2col *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread);
