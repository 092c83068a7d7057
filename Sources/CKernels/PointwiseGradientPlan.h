#pragma once
#include "Range.h"
#include "include/PointwiseGradient.h"

/// Outputs of this many blocks are summed at a time.
enum { panelBlocks = 2 };

void pointwise_gradient_run_avx512(
    const CKPointwiseGradient *convolution, const float *source, const float *gradient,
    float *filters, float *scratch, int thread);
void pointwise_gradient_run_avx2(
    const CKPointwiseGradient *convolution, const float *source, const float *gradient,
    float *filters, float *scratch, int thread);
