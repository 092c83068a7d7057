#include "PixelSumPlan.h"

void ck_pixel_sum_run(
    const CKPixelSum *c, const float *images, const float *factors, float *sums, int32_t thread) {
  if (c->vectors == CKVectorsAVX512) pixel_sum_run_avx512(c, images, factors, sums, thread);
  else pixel_sum_run_avx2(c, images, factors, sums, thread);
}
