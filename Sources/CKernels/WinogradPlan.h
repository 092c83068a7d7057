#pragma once
#include "Range.h"
#include "include/Winograd.h"

/// Filters of this many blocks of outputs lie together: what one call of the product computes.
enum { panelBlocks = 2 };

/// The numbers that follow from a `CKWinograd`.
typedef struct {
  /// Multiplications per tile and pair of channels, (t+2)².
  int points;
  int lanes, inputBlocks, outputBlocks, panels;
  int outputHeight, outputWidth, tileRows, tileColumns;
  ptrdiff_t tiles;
  /// The largest number of tiles transformed at a time.
  int chunk;
  /// Floats from one point to the next in the transformed source.
  ptrdiff_t pointStride;
  /// How many parts the tiles and the panels are cut in; a thread computes one part of each.
  int tileParts, panelParts;
} WinogradPlan;

WinogradPlan winograd_plan(const CKWinograd *convolution);

/// Floats from one panel of transformed filters to the next.
static inline ptrdiff_t panel_stride(const WinogradPlan *plan, int inputs) {
  return (ptrdiff_t)plan->points * inputs * panelBlocks * plan->lanes;
}

/// The transform of three values to points: [1, x, x²] over the product of a point's differences
/// from the other ones, and [0, 0, 1] at infinity.
typedef struct {
  float rows[6][3];
} WinogradMatrix;

WinogradMatrix winograd_matrix(int tile);

void winograd_transform_filters_avx512(
    const CKWinograd *convolution, const float *filters, float *transformed, int thread,
    int threads);
void winograd_transform_filters_avx2(
    const CKWinograd *convolution, const float *filters, float *transformed, int thread,
    int threads);
void winograd_run_avx512(
    const CKWinograd *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread);
void winograd_run_avx2(
    const CKWinograd *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, float *scratch, int thread);
