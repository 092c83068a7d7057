// One thread's share, in chunks of tiles of pixels. Included once for each instruction set.
#include <string.h>

#include "Vector.h"

#include "VectorActivation.h"
#include "VectorFinish.h"
#include "PointwiseProduct.h"

typedef struct {
  const CKPointwise *shape;
  PointwisePlan plan;
  const float *source, *filters, *scale, *residual;
  float *destination;
  /// The bias with zeros after it, the copy of a chunk's pixels, and one image's filters.
  float *bias, *copy, *scaledFilters;
} Work;

/// Neighbouring pixels of a run, and where their first one lies.
typedef struct {
  ptrdiff_t source, destination;
  int image, count;
} Place;

static Place place_of_tile(const Work *work, ptrdiff_t index) {
  const PointwisePlan *plan = &work->plan;
  const CKPixelStrides *from = &work->shape->source, *to = &work->shape->destination;
  const ptrdiff_t run = index / plan->runTiles, tile = index % plan->runTiles;
  const ptrdiff_t image = run / plan->imageRuns, row = run % plan->imageRuns;
  const Range pixels = part((Range){0, plan->runPixels}, (int)tile, (int)plan->runTiles);
  return (Place){
      .source = image * from->image + row * from->row + pixels.start * from->pixel,
      .destination = image * to->image + row * to->row + pixels.start * to->pixel,
      .image = (int)image,
      .count = (int)(pixels.end - pixels.start),
  };
}

/// Copies the pixels of a tile, multiplied by their image's scale if pixels are scaled.
static void copy_tile(const Work *work, const Place *place, float *to) {
  const int inputs = work->shape->inputs;
  const float *from = work->source + place->source;
  const bool scales = work->shape->isScaled && !work->plan.scalesFilters;
  const float *scale = work->scale + (scales ? (ptrdiff_t)place->image * inputs : 0);
  for (int j = 0; j < place->count; j++) {
    int i = 0;
    if (scales) {
      for (; i + LANES <= inputs; i += LANES) store(to + i, load(from + i) * load(scale + i));
      for (; i < inputs; i++) to[i] = from[i] * scale[i];
    } else {
      memcpy(to, from, (size_t)inputs * sizeof(float));
    }
    from += work->shape->source.pixel;
    to += work->plan.copyStride;
  }
}

static void scale_filters(const Work *work, int image, Range panels) {
  const int inputs = work->shape->inputs;
  const float *scale = work->scale + (ptrdiff_t)image * inputs;
  for (int panel = (int)panels.start; panel < panels.end; panel++) {
    const ptrdiff_t start = panel_start(&work->plan, panel, inputs);
    const int width = panel_units(&work->plan, panel) * unitFloats;
    const float *from = work->filters + start;
    float *to = work->scaledFilters + start;
    for (int i = 0; i < inputs; i++)
      for (int j = 0; j < width; j += unitFloats, from += unitFloats, to += unitFloats)
        *(LooseHalf *)to = *(const LooseHalf *)from * scale[i];
  }
}

/// One panel's outputs of a tile, in parts where so many sums are too many for the registers.
static void multiply_tile(const PointwiseTile *tile, int units, int count) {
  if (units * unitFloats <= 2 * LANES || count <= wideRows) {
    multiplications[units - 1][count - 1](tile);
    return;
  }
  PointwiseTile rows = *tile;
  const int parts = (int)ceiling(count, wideRows);
  for (int i = 0; i < parts; i++) {
    const Range range = part((Range){0, count}, i, parts);
    rows.source = tile->source + range.start * tile->sourcePixel;
    rows.destination = tile->destination + range.start * tile->destinationPixel;
    if (tile->residual) rows.residual = tile->residual + range.start * tile->destinationPixel;
    multiplications[units - 1][range.end - range.start - 1](&rows);
  }
}

static void run_panel(const Work *work, const Place *places, int tiles, int panel) {
  const CKPointwise *shape = work->shape;
  const PointwisePlan *plan = &work->plan;
  const int units = panel_units(plan, panel), first = panel * plan->panelUnits * unitFloats;
  const int left = shape->outputs - first, width = units * unitFloats;
  PointwiseTile tile = {
      .sourcePixel = plan->copies ? plan->copyStride : shape->source.pixel,
      .filters = (plan->scalesFilters ? work->scaledFilters : work->filters)
          + panel_start(plan, panel, shape->inputs),
      .bias = work->bias + first,
      .destinationPixel = shape->destination.pixel,
      .inputs = shape->inputs,
      .outputs = left < width ? left : width,
      .activation = shape->activation,
      .parameter = shape->parameter,
  };
  for (int i = 0; i < tiles; i++) {
    const Place *place = &places[i];
    tile.source = plan->copies ? work->copy + i * plan->tilePixels * plan->copyStride
                               : work->source + place->source;
    tile.destination = work->destination + place->destination + first;
    if (work->residual) tile.residual = work->residual + place->destination + first;
    multiply_tile(&tile, units, place->count);
  }
}

static void run_tiles(const Work *work, Range tiles, Range panels) {
  Place places[mostChunkTiles];
  const PointwisePlan *plan = &work->plan;
  int scaledImage = -1;
  for (ptrdiff_t start = tiles.start; start < tiles.end;) {
    int count = 0;
    for (; count < plan->chunk && start + count < tiles.end; count++) {
      places[count] = place_of_tile(work, start + count);
      if (plan->scalesFilters && places[count].image != places[0].image) break;
      if (plan->copies)
        copy_tile(work, &places[count], work->copy + count * plan->tilePixels * plan->copyStride);
    }
    if (plan->scalesFilters && places[0].image != scaledImage) {
      scaledImage = places[0].image;
      scale_filters(work, scaledImage, panels);
    }
    for (int panel = (int)panels.start; panel < panels.end; panel++)
      run_panel(work, places, count, panel);
    start += count;
  }
}

void VARIANT(pointwise_run)(
    const CKPointwise *convolution, const float *source, const float *filters, const float *bias,
    const float *scale, const float *residual, float *destination, float *scratch, int thread) {
  Work work = {
      .shape = convolution,
      .plan = pointwise_plan(convolution),
      .source = source,
      .filters = filters,
      .scale = scale,
      .residual = residual,
      .destination = destination,
      .bias = scratch,
  };
  const PointwisePlan *plan = &work.plan;
  if (thread >= plan->tileParts * plan->panelParts) return;
  const size_t outputs = bias ? (size_t)convolution->outputs : 0;
  if (bias) memcpy(work.bias, bias, outputs * sizeof(float));
  memset(work.bias + outputs, 0, ((size_t)plan->biasFloats - outputs) * sizeof(float));
  work.copy = scratch + plan->biasFloats;
  work.scaledFilters =
      work.copy + (plan->copies ? plan->chunk * plan->tilePixels * plan->copyStride : 0);
  const Range tiles = part((Range){0, plan->tiles}, thread / plan->panelParts, plan->tileParts);
  const Range panels = part((Range){0, plan->panels}, thread % plan->panelParts, plan->panelParts);
  run_tiles(&work, tiles, panels);
}
