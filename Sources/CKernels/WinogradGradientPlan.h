#pragma once
#include "WinogradPlan.h"
#include "include/WinogradGradient.h"

/// The numbers that follow from the gradient of a `CKWinograd`.
typedef struct {
  /// Multiplications per tile and pair of channels.
  int points;
  int lanes, inputBlocks, outputBlocks, panels;
  int outputHeight, outputWidth;
  ptrdiff_t tiles;
  /// Groups of threads with tiles and sums of their own: one of all threads, or one of each.
  int groups, members;
  /// The largest number of tiles transformed at a time, and how often a group does that.
  int chunk, chunks;
  /// Floats from one point to the next in the transformed source and gradient, and in the sums.
  ptrdiff_t sourceStride, gradientStride, sumStride;
} WinogradGradientPlan;

WinogradGradientPlan winograd_gradient_plan(const CKWinograd *convolution);

/// A group's scratch memory.
typedef struct {
  /// `[points][input blocks][tiles][LANES]` and `[points][output blocks][tiles][LANES]`
  float *source, *gradient;
  /// `[points][panels][inputs, whole blocks][blocks of the panel][LANES]`
  float *sums;
} WinogradGradientMemory;

static inline WinogradGradientMemory winograd_gradient_memory(
    const WinogradGradientPlan *plan, float *scratch, int group) {
  const ptrdiff_t strides = plan->sourceStride + plan->gradientStride + plan->sumStride;
  float *source = scratch + group * strides * plan->points;
  float *gradient = source + plan->sourceStride * plan->points;
  return (WinogradGradientMemory){source, gradient, gradient + plan->gradientStride * plan->points};
}

/// Each thread's sums of the gradient of each output, behind the memory of all groups.
static inline float *winograd_gradient_bias(
    const WinogradGradientPlan *plan, float *scratch, int thread) {
  float *end = winograd_gradient_memory(plan, scratch, plan->groups).source;
  return end + (ptrdiff_t)thread * plan->outputBlocks * plan->lanes;
}

#define WINOGRAD_GRADIENT_VARIANTS(suffix) \
  void winograd_gradient_run_##suffix( \
      const CKWinograd *convolution, const float *source, const float *gradient, float *filters, \
      float *bias, float *scratch, int phase, int thread);
WINOGRAD_GRADIENT_VARIANTS(avx512)
WINOGRAD_GRADIENT_VARIANTS(avx2)
