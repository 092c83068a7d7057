#include <immintrin.h>

#include "PointwisePlan.h"

// Thirty-two registers: 2 × 14 or 3 × 9 sums, the filters of two or three, one of the source.
#define LANES 16
#define VARIANT(name) name##_avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "PointwiseRun.h"
#pragma clang attribute pop
