#include "StemPlan.h"

StemPlan stem_plan(const CKIm2col *c) {
  // The copy mostly stays in the first-level cache.
  enum { copyFloats = 1 << 14 };
  StemPlan plan = {.filterRows = (ptrdiff_t)c->inputs * c->filterHeight * c->filterWidth};
  plan.panels = (int)ceiling(c->outputs, panelBlocks * (int)c->vectors);
  plan.phase = c->outputWidth
      + (ptrdiff_t)(c->filterWidth - 1) * c->horizontalDilation / c->horizontalStride;
  plan.row = plan.phase * c->horizontalStride;
  const int reach = (c->filterHeight - 1) * c->verticalDilation + 1;
  const ptrdiff_t affordable = copyFloats / (plan.row * c->inputs) - reach;
  const ptrdiff_t rows = affordable > 0 ? affordable / c->verticalStride + 1 : 1;
  plan.bandRows = rows < c->outputHeight ? (int)rows : c->outputHeight;
  plan.copiedRows = (plan.bandRows - 1) * c->verticalStride + reach;
  return plan;
}

ptrdiff_t stem_scratch_floats(const CKIm2col *c) {
  const StemPlan plan = stem_plan(c);
  return offset_floats(&plan) + c->inputs * plan.copiedRows * plan.row;
}
