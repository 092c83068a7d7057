#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_SWIFT(name) __attribute__((swift_name(#name)))
#define CK_CLOSED __attribute__((enum_extensibility(closed)))

/// The vector instructions that a kernel is made of, by how many numbers they hold.
typedef enum CK_CLOSED CK_SWIFT(Vectors) CKVectors : int32_t {
  CKVectorsNone = 0,
  /// AVX2 and FMA, and F16C, which every processor with those has.
  CKVectorsAVX2 CK_SWIFT(avx2) = 8,
  /// AVX-512 F, BW, DQ and VL.
  CKVectorsAVX512 CK_SWIFT(avx512) = 16,
} CKVectors;

/// The widest vectors that this processor and its operating system offer.
CKVectors ck_widest_vectors(void) CK_SWIFT(getter:CKVectors.widest());

/// What is applied to each output after bias and residual. All of them map NaN to NaN, and all but
/// the two sigmoids zero to zero. Exponentials beyond ±87 are those of ±87.
typedef enum CK_CLOSED CK_SWIFT(FusedActivation) CKActivation : int32_t {
  CKActivationNone,
  /// max(x, 0)
  CKActivationRelu,
  /// min(max(x, 0), parameter) for a parameter that is not negative
  CKActivationClippedRelu,
  /// x where x > 0, else parameter · x
  CKActivationLeakyRelu,
  /// x where x > 0, else parameter · (eˣ − 1)
  CKActivationElu,
  /// x / (1 + e⁻ˣ)
  CKActivationSwish,
  /// x · min(max(x/6 + 1/2, 0), 1)
  CKActivationHardSwish,
  /// x · tanh(log(1 + eˣ))
  CKActivationMish,
  /// 1 / (1 + e⁻ˣ)
  CKActivationSigmoid,
  /// min(max(x/6 + 1/2, 0), 1)
  CKActivationHardSigmoid,
} CKActivation;

/// Where the pixels of images with neighbouring channels lie, in floats from the first channel of
/// the first one.
typedef struct CK_SWIFT(PixelStrides) CKPixelStrides {
  ptrdiff_t image, row, pixel;
} CKPixelStrides;

/// Where the elements of images lie whose channels are neighbours, in blocks of `channels` (all of
/// them, if there is one block), in floats: to the next image, block and pixel. Pixels lie evenly.
typedef struct CK_SWIFT(ChannelBlocks) CKChannelBlocks {
  ptrdiff_t image, block, pixel;
  int32_t channels;
} CKChannelBlocks;
