#include <immintrin.h>

#include "ElementwisePlan.h"

#define LANES 8
#define VARIANT(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "ElementwiseRun.h"
#pragma clang attribute pop
