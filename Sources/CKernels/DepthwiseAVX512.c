#include <immintrin.h>

#include "DepthwisePlan.h"

// Thirty-two registers: the sums of 14 columns, a row of 3 or 5 filters, vectors of the source.
#define LANES 16
#define VARIANT(name) name##_avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "DepthwiseRun.h"
#pragma clang attribute pop
