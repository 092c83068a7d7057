#include "PointwiseGradientPlan.h"

bool ck_pointwise_gradient_is_valid(const CKPointwiseGradient *c) {
  const bool hasVectors = c->vectors == CKVectorsAVX2 || c->vectors == CKVectorsAVX512;
  if (!hasVectors || c->vectors > ck_widest_vectors()) return false;
  if (c->images < 1 || c->inputs < 1 || c->outputs < 1 || c->pixels < 1 || c->threads < 1)
    return false;
  return c->source.pixel == c->vectors && c->gradient.pixel == c->vectors;
}

size_t ck_pointwise_gradient_scratch_size(const CKPointwiseGradient *c) {
  const size_t inputs = (size_t)ceiling(c->inputs, c->vectors) * c->vectors;
  const size_t outputs = (size_t)ceiling(c->outputs, c->vectors) * c->vectors;
  return inputs * outputs * sizeof(float) + 64;
}

void ck_pointwise_gradient_run(
    const CKPointwiseGradient *c, const float *source, const float *gradient, float *filters,
    void *scratch, int32_t thread) {
  float *aligned = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
  if (c->vectors == CKVectorsAVX512)
    pointwise_gradient_run_avx512(c, source, gradient, filters, aligned, thread);
  else pointwise_gradient_run_avx2(c, source, gradient, filters, aligned, thread);
}
