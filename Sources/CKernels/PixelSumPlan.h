#pragma once
#include "Range.h"
#include "include/PixelSum.h"

void pixel_sum_run_avx512(
    const CKPixelSum *sum, const float *images, const float *factors, float *sums, int thread);
void pixel_sum_run_avx2(
    const CKPixelSum *sum, const float *images, const float *factors, float *sums, int thread);
