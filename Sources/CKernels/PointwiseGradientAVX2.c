#include <immintrin.h>

#include "PointwiseGradientPlan.h"

#define LANES 8
#define VARIANT(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "PointwiseGradientRun.h"
#pragma clang attribute pop
