#include <immintrin.h>

#include "GroupedPlan.h"

// Thirty-two registers: the sums of 14 columns, a row of filters, one vector of the source.
#define LANES 16
#define COLUMNS 14
#define VARIANT(name) name##_avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "GroupedRun.h"
#pragma clang attribute pop
