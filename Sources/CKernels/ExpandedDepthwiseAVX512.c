#include <immintrin.h>

#include "ExpandedDepthwisePlan.h"

// Thirty-two registers: 2 × 14 sums, two vectors of filters and one element of the source.
#define LANES 16
#define COLUMNS 14
#define VARIANT(name) name##_avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "ExpandedDepthwiseRun.h"
#pragma clang attribute pop
