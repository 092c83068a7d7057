#include <immintrin.h>

#include "PixelSumPlan.h"

#define LANES 8
#define VARIANT(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "PixelSumRun.h"
#pragma clang attribute pop
