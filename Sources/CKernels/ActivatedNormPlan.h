#pragma once
#include "Range.h"
#include "include/ActivatedNorm.h"

/// The pixels of all images that a thread works on.
static inline Range activated_norm_share(const CKActivatedNorm *norm, int thread) {
  return part((Range){0, norm->images * norm->pixels}, thread, norm->threads);
}

#define ACTIVATED_NORM_VARIANTS(suffix) \
  void activated_norm_measure_##suffix( \
      const CKActivatedNorm *norm, const float *images, double *sums, int thread); \
  void activated_norm_run_##suffix( \
      const CKActivatedNorm *norm, const float *images, const float *scale, const float *offset, \
      const float *mean, const float *variance, float *results, int thread); \
  void activated_norm_sum_gradients_##suffix( \
      const CKActivatedNorm *norm, const float *y, const float *scale, const float *offset, \
      const float *dy, double *sums, int thread); \
  void activated_norm_run_gradient_##suffix( \
      const CKActivatedNorm *norm, const float *y, const float *scale, const float *offset, \
      const float *variance, const float *dy, const float *dscale, \
      const float *doffset, float *results, int thread);
ACTIVATED_NORM_VARIANTS(avx512)
ACTIVATED_NORM_VARIANTS(avx2)
