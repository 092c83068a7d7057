#pragma once
#include "Range.h"
#include "include/TrainingNorm.h"

/// Whether each thread does all of some blocks of channels, which stay in its caches meanwhile,
/// rather than some pixels of all of them.
static inline bool training_norm_has_own_blocks(const CKTrainingNorm *c) {
  const ptrdiff_t blocks = ceiling(c->channels, c->vectors), most = ceiling(blocks, c->threads);
  // No thread may wait for another one for more than an eighth of its time.
  return 8 * (most * c->threads - blocks) <= most * c->threads;
}

#define TRAINING_NORM_VARIANTS(suffix) \
  void training_norm_run_##suffix( \
      const CKTrainingNorm *norm, const float *images, const CKTrainingNormChannels *channels, \
      const float *residual, float *results, double *sums, int phase, int thread); \
  void training_norm_run_gradient_##suffix( \
      const CKTrainingNorm *norm, const float *images, const CKTrainingNormChannels *channels, \
      const float *gradient, float *dscale, float *doffset, float *results, double *sums, \
      int phase, int thread);
TRAINING_NORM_VARIANTS(avx512)
TRAINING_NORM_VARIANTS(avx2)
