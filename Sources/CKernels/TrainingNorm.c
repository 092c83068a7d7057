#include "TrainingNormPlan.h"

bool ck_training_norm_is_valid(const CKTrainingNorm *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  if (c->images < 1 || c->channels < 1 || c->pixels < 1 || c->threads < 1) return false;
  return c->activation == CKActivationNone || c->activation == CKActivationRelu
      || c->activation == CKActivationClippedRelu || c->activation == CKActivationSwish;
}

int32_t ck_training_norm_phases(const CKTrainingNorm *c) {
  return training_norm_has_own_blocks(c) ? 1 : 2;
}

size_t ck_training_norm_sum_count(const CKTrainingNorm *c) {
  return 2 * (size_t)c->threads * (size_t)ceiling(c->channels, c->vectors) * c->vectors;
}

void ck_training_norm_run(
    const CKTrainingNorm *c, const float *images, const CKTrainingNormChannels *channels,
    const float *residual, float *results, double *sums, int32_t phase, int32_t thread) {
  if (c->vectors == CKVectorsAVX512)
    training_norm_run_avx512(c, images, channels, residual, results, sums, phase, thread);
  else
    training_norm_run_avx2(c, images, channels, residual, results, sums, phase, thread);
}

void ck_training_norm_run_gradient(
    const CKTrainingNorm *c, const float *images, const CKTrainingNormChannels *channels,
    const float *gradient, float *dscale, float *doffset, float *results, double *sums,
    int32_t phase, int32_t thread) {
  if (c->vectors == CKVectorsAVX512)
    training_norm_run_gradient_avx512(
        c, images, channels, gradient, dscale, doffset, results, sums, phase, thread);
  else
    training_norm_run_gradient_avx2(
        c, images, channels, gradient, dscale, doffset, results, sums, phase, thread);
}
