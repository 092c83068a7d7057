#pragma once
#include "Range.h"
#include "WinogradPoints.h"
#include "include/Winograd.h"

/// Filters of this many blocks of outputs lie together: what one call of the product computes.
enum { panelBlocks = 2 };

/// The numbers that follow from a `CKWinograd`.
typedef struct {
  /// The outputs of a tile, and the pixels that it reads.
  int tileHeight, tileWidth, patchHeight, patchWidth;
  /// Multiplications per tile and pair of channels, as many as it reads pixels.
  int points;
  int lanes, inputBlocks, outputBlocks, panels;
  /// How many inputs are summed before their sum is added to that of others.
  int stretch;
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

/// The transform of a filter's values to points: [1, x, x², …] over the product of a point's
/// differences from the other ones, and […, 0, 1] at infinity.
typedef struct {
  int points, taps;
  double rows[winogradMostPoints][winogradMostTaps];
} WinogradMatrix;

/// - Parameter points: how many; 1 is infinity alone, where one value stays itself.
WinogradMatrix winograd_matrix(int points, int taps);

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
