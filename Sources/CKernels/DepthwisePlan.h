#pragma once
#include "Range.h"
#include "include/Depthwise.h"

/// The most columns of a tile.
enum { columnsAVX512 = 14, columnsAVX2 = 8 };

/// The numbers that follow from a `CKDepthwise`.
typedef struct {
  int outputHeight, outputWidth;
  /// Vectors of channels. The last one begins where a whole vector still ends with the channels.
  int blocks;
  /// Tiles of columns in a row of outputs.
  int tiles;
  /// How many parts the rows of all images and the blocks are cut in; a thread computes one part of
  /// each.
  int rowParts, blockParts;
} DepthwisePlan;

DepthwisePlan depthwise_plan(const CKDepthwise *convolution);

void depthwise_run_avx512(
    const CKDepthwise *convolution, const float *source, const float *filters, const float *bias,
    float *destination, float *rowSums, int thread);
void depthwise_run_avx2(
    const CKDepthwise *convolution, const float *source, const float *filters, const float *bias,
    float *destination, float *rowSums, int thread);
