#pragma once
#include "Range.h"
#include "include/MaxPoolGradient.h"

void max_pool_gradient_run_avx512(
    const CKMaxPoolGradient *pool, const float *images, const float *gradient, float *destination,
    int thread);
void max_pool_gradient_run_avx2(
    const CKMaxPoolGradient *pool, const float *images, const float *gradient, float *destination,
    int thread);
