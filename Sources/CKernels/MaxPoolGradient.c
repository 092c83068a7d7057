#include "MaxPoolGradientPlan.h"

void ck_max_pool_gradient_run(
    const CKMaxPoolGradient *pool, const float *images, const float *gradient, float *destination,
    int32_t thread) {
  if (pool->vectors == CKVectorsAVX512)
    max_pool_gradient_run_avx512(pool, images, gradient, destination, thread);
  else
    max_pool_gradient_run_avx2(pool, images, gradient, destination, thread);
}
