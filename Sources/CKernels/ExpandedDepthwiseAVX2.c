#include <immintrin.h>

#include "ExpandedDepthwisePlan.h"

// Sixteen registers: 2 × 6 sums, two vectors of filters and one element of the source.
#define LANES 8
#define COLUMNS 6
#define VARIANT(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "ExpandedDepthwiseRun.h"
#pragma clang attribute pop
