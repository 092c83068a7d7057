#include <immintrin.h>

#include "PixelSumPlan.h"

#define LANES 16
#define VARIANT(name) name##_avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "PixelSumRun.h"
#pragma clang attribute pop
