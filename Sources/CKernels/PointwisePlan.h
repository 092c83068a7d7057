#pragma once
#include "Range.h"
#include "include/Pointwise.h"

/// Filters are packed in units of this many outputs, whatever the vectors.
enum { unitFloats = 8 };

/// The most pixels of a product with up to two vectors of outputs, and with three.
enum { rowsAVX512 = 14, wideRowsAVX512 = 9, rowsAVX2 = 6, wideRowsAVX2 = 3 };

enum { mostChunkTiles = 32 };

/// The numbers that follow from a `CKPointwise`.
typedef struct {
  /// Units of outputs, and of all panels but the last, which has half as many to one and a half as
  /// many.
  int units, panelUnits, panels;
  /// Pixels that lie evenly in source and destination, and how many such runs there are in an image
  /// and in all; without a scale a run may go through all images.
  ptrdiff_t runPixels, imageRuns, runs;
  /// The most pixels of a tile, the tiles of a run and of all of them.
  ptrdiff_t tilePixels, runTiles, tiles;
  /// How many tiles are computed before the next panel of filters is.
  int chunk;
  /// How many parts the tiles and the panels are cut in; a thread computes one part of each.
  int tileParts, panelParts;
  /// Whether the pixels of a chunk are copied first: to be scaled, or because they lie a power of
  /// two apart and share few places in the caches.
  bool copies;
  /// Whether filters are scaled for each image, rather than the pixels.
  bool scalesFilters;
  /// Floats from pixel to pixel of a copy, and of the bias with zeros after it.
  ptrdiff_t copyStride, biasFloats;
} PointwisePlan;

PointwisePlan pointwise_plan(const CKPointwise *convolution);

static inline int panel_units(const PointwisePlan *plan, int panel) {
  return panel < plan->panels - 1 ? plan->panelUnits
                                  : plan->units - plan->panelUnits * (plan->panels - 1);
}

/// Where a panel's filters start; it is also where those of the one before end.
static inline ptrdiff_t panel_start(const PointwisePlan *plan, int panel, int inputs) {
  const int units = panel < plan->panels ? panel * plan->panelUnits : plan->units;
  return (ptrdiff_t)units * unitFloats * inputs;
}

void pointwise_run_avx512(
    const CKPointwise *convolution, const float *source, const float *filters, const float *bias,
    const float *scale, const float *residual, float *destination, float *scratch, int thread);
void pointwise_run_avx2(
    const CKPointwise *convolution, const float *source, const float *filters, const float *bias,
    const float *scale, const float *residual, float *destination, float *scratch, int thread);
