#pragma once
#include "Vectors.h"

/// Where the elements of a tensor of images lie, in floats from its first one.
///
/// A block is as many neighbouring channels as a vector holds. Where `pixel` is that number
/// (`nChw8c`, `nChw16c`), the last block is whole in memory and what lies beyond the channels is
/// zero; elsewhere (`nhwc`) it does not exist and is never touched.
typedef struct CK_SWIFT(ImageStrides) CKImageStrides {
  ptrdiff_t image, block, row, pixel;
} CKImageStrides;

/// A convolution with stride 1, without groups or dilation, as F(t×t, r×r) of Lavin and Gray 2015
/// (arXiv 1509.09308): a tile of t×t outputs takes (t+r−1)² multiplications for each pair of
/// channels instead of r²t². Where filters are a row or a column so are the tiles, F(t, r), which
/// take t+r−1 multiplications instead of rt.
///
/// A NaN or an infinity in the source reaches all outputs of the tiles that read it. Memory need
/// not be aligned, but the kernel is fastest where all of it is to 64 bytes.
typedef struct CK_SWIFT(Winograd) CKWinograd {
  CKVectors vectors;
  /// The side t of a tile of outputs, 4 or 2. 3×3 filters of 2 take 16/36 of the memory of those of
  /// 4, so they pay where the filters, not the arithmetic, are what takes time.
  int32_t tile;
  /// 3×3; 5×5 in tiles of 2, as larger ones round too much; 1×r or r×1, where r is 3, 5 or 7.
  int32_t filterHeight, filterWidth;
  int32_t images, inputs, outputs;
  /// The size of a source image.
  int32_t height, width;
  /// Rows and columns of zeros around a source image.
  int32_t top, left, bottom, right;
  CKImageStrides source, destination;
  CKActivation activation;
  float parameter;
  /// How many threads share the work.
  int32_t threads;
  /// The most tiles that a thread transforms at a time, or 0 for a number that suits the caches.
  /// Multiples of 14 fit AVX-512, of 6 AVX2.
  int32_t chunk;
  /// Whether this computes the gradient of the images of another convolution, whose filters are
  /// given: `[inputs, outputs, filterHeight, filterWidth]`, which are turned by 180°.
  bool isTransposed;
} CKWinograd;

/// Whether these fields describe a convolution that this processor can compute.
bool ck_winograd_is_valid(const CKWinograd *convolution) CK_SWIFT(getter:CKWinograd.isValid(self:));

/// The size of the transformed filters in floats.
///
/// It depends on `vectors`, `tile`, the size of filters, `inputs` and `outputs` only, and the
/// transformed filters on these and `isTransposed`.
size_t ck_winograd_filter_count(const CKWinograd *convolution)
    CK_SWIFT(getter:CKWinograd.filterCount(self:));

/// Transforms share `thread` of `threads` of the filters.
///
/// - Parameters:
///   - filters: `[outputs, inputs, filterHeight, filterWidth]`, row-major; with inputs and outputs
///     exchanged where the kernel is transposed.
///   - transformed: `filterCount` floats.
void ck_winograd_transform_filters(
    const CKWinograd *convolution, const float *filters, float *transformed, int32_t thread,
    int32_t threads) CK_SWIFT(CKWinograd.transform(self:filters:into:thread:of:));

/// The size of one thread's scratch memory in bytes.
size_t ck_winograd_scratch_size(const CKWinograd *convolution)
    CK_SWIFT(getter:CKWinograd.scratchSize(self:));

/// Computes the share of one thread.
///
/// No share waits for another, and how the work is shared or cut changes no bit of the outputs.
///
/// - Parameters:
///   - filters: what `ck_winograd_transform_filters` wrote.
///   - bias: `[outputs]`, or null.
///   - residual: what is added before the activation, or null. It lies like the destination, and
///     may be the destination.
///   - scratch: memory of `ck_winograd_scratch_size` for this thread alone.
void ck_winograd_run(
    const CKWinograd *convolution, const float *source, const float *filters, const float *bias,
    const float *residual, float *destination, void *scratch, int32_t thread)
    CK_SWIFT(CKWinograd.run(self:source:filters:bias:residual:destination:scratch:thread:));
