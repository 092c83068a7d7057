#include "ActivatedNormPlan.h"

size_t ck_activated_norm_sum_count(const CKActivatedNorm *c) {
  return 2 * (size_t)c->threads * (size_t)c->channels;
}

void ck_activated_norm_measure(
    const CKActivatedNorm *c, const float *images, double *sums, int32_t thread) {
  if (c->vectors == CKVectorsAVX512) activated_norm_measure_avx512(c, images, sums, thread);
  else activated_norm_measure_avx2(c, images, sums, thread);
}

/// Means and squared distances of the threads' pixels are joined as in Chan, Golub and LeVeque 1983
/// ("Algorithms for computing the sample variance").
void ck_activated_norm_finish(
    const CKActivatedNorm *c, const double *sums, float *mean, float *variance, int32_t thread) {
  const Range channels = part((Range){0, c->channels}, thread, c->threads);
  for (ptrdiff_t channel = channels.start; channel < channels.end; channel++) {
    double count = 0, average = 0, squares = 0;
    for (int other = 0; other < c->threads; other++) {
      const Range share = activated_norm_share(c, other);
      const double more = (double)(share.end - share.start);
      if (more == 0) continue;
      const double *own = sums + 2 * (ptrdiff_t)other * c->channels + channel;
      const double step = own[0] - average;
      squares += own[c->channels] + step * step * count * more / (count + more);
      average += step * more / (count + more);
      count += more;
    }
    mean[channel] = (float)average;
    variance[channel] = (float)(squares / count);
  }
}

void ck_activated_norm_run(
    const CKActivatedNorm *c, const float *images, const float *scale, const float *offset,
    const float *mean, const float *variance, float *results, int32_t thread) {
  if (c->vectors == CKVectorsAVX512)
    activated_norm_run_avx512(c, images, scale, offset, mean, variance, results, thread);
  else activated_norm_run_avx2(c, images, scale, offset, mean, variance, results, thread);
}

void ck_activated_norm_sum_gradients(
    const CKActivatedNorm *c, const float *y, const float *scale, const float *offset,
    const float *dy, double *sums, int32_t thread) {
  if (c->vectors == CKVectorsAVX512)
    activated_norm_sum_gradients_avx512(c, y, scale, offset, dy, sums, thread);
  else activated_norm_sum_gradients_avx2(c, y, scale, offset, dy, sums, thread);
}

void ck_activated_norm_finish_gradients(
    const CKActivatedNorm *c, const double *sums, const float *scale, float *dscale,
    float *doffset, int32_t thread) {
  const Range channels = part((Range){0, c->channels}, thread, c->threads);
  for (ptrdiff_t channel = channels.start; channel < channels.end; channel++) {
    double offsets = 0, scales = 0;
    for (int other = 0; other < c->threads; other++) {
      const double *own = sums + 2 * (ptrdiff_t)other * c->channels + channel;
      offsets += own[0];
      scales += own[c->channels];
    }
    doffset[channel] = (float)offsets;
    dscale[channel] = (float)(scale[channel] < 0 ? -scales : scales);
  }
}

void ck_activated_norm_run_gradient(
    const CKActivatedNorm *c, const float *y, const float *scale, const float *offset,
    const float *variance, const float *dy, const float *dscale,
    const float *doffset, float *results, int32_t thread) {
  if (c->vectors == CKVectorsAVX512)
    activated_norm_run_gradient_avx512(
        c, y, scale, offset, variance, dy, dscale, doffset, results,
        thread);
  else
    activated_norm_run_gradient_avx2(
        c, y, scale, offset, variance, dy, dscale, doffset, results,
        thread);
}
