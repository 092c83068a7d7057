// The transform of filters. Included once for each instruction set, after WinogradRun.h.

/// The filters of one input and some outputs, `[3][3][blocks]`.
typedef struct {
  Vector values[9][panelBlocks];
} Bundle;

/// Gathers filters `[outputs][inputs][3][3]`, or `[inputs][outputs][3][3]` turned by 180°.
static void gather_filters(
    const CKWinograd *c, const float *filters, int input, int output, int blocks, Bundle *to) {
  const ptrdiff_t inputStep = 9 * (c->isTransposed ? (ptrdiff_t)c->outputs : 1);
  const ptrdiff_t outputStep = 9 * (c->isTransposed ? 1 : (ptrdiff_t)c->inputs);
  const float *from = filters + input * inputStep + output * outputStep;
  float values[9][panelBlocks * LANES];
  const int count = smallest(c->outputs - output, blocks * LANES);
  if (count < blocks * LANES) memset(values, 0, sizeof(values));
  if (c->isTransposed)
    for (int lane = 0; lane < count; lane++, from += outputStep)
      UNROLL for (int i = 0; i < 9; i++) values[8 - i][lane] = from[i];
  else
    for (int lane = 0; lane < count; lane++, from += outputStep)
      UNROLL for (int i = 0; i < 9; i++) values[i][lane] = from[i];
  for (int i = 0; i < 9; i++)
    for (int b = 0; b < blocks; b++) to->values[i][b] = load(values[i] + b * LANES);
}

/// Writes point (i, j) of a bundle to `to + (i · side + j) · stride`.
INLINE void transform_bundle(
    const WinogradMatrix *matrix, const Bundle *from, float *to, ptrdiff_t stride, const int side,
    const int blocks) {
  for (int i = 0; i < side; i++) {
    const float *a = matrix->rows[i];
    Vector row[3][panelBlocks];
    UNROLL for (int j = 0; j < 3; j++)
      UNROLL for (int b = 0; b < blocks; b++)
        row[j][b] = from->values[j][b] * a[0] + from->values[3 + j][b] * a[1]
            + from->values[6 + j][b] * a[2];
    UNROLL for (int j = 0; j < side; j++, to += stride) {
      const float *c = matrix->rows[j];
      UNROLL for (int b = 0; b < blocks; b++)
        store(to + b * LANES, row[0][b] * c[0] + row[1][b] * c[1] + row[2][b] * c[2]);
    }
  }
}

void VARIANT(winograd_transform_filters)(
    const CKWinograd *c, const float *filters, float *transformed, int thread, int threads) {
  const WinogradPlan plan = winograd_plan(c);
  const WinogradMatrix matrix = winograd_matrix(c->tile);
  const Range share = part((Range){0, (ptrdiff_t)plan.panels * c->inputs}, thread, threads);
  for (ptrdiff_t i = share.start; i < share.end; i++) {
    const ptrdiff_t panel = i / c->inputs, input = i % c->inputs;
    const int first = (int)panel * panelBlocks;
    const int blocks = smallest(plan.outputBlocks - first, panelBlocks);
    Bundle bundle;
    gather_filters(c, filters, (int)input, first * LANES, blocks, &bundle);
    float *to = transformed + panel * panel_stride(&plan, c->inputs) + input * blocks * LANES;
    const ptrdiff_t stride = (ptrdiff_t)c->inputs * blocks * LANES;
    if (c->tile == 4 && blocks == 2) transform_bundle(&matrix, &bundle, to, stride, 6, 2);
    else if (c->tile == 4) transform_bundle(&matrix, &bundle, to, stride, 6, 1);
    else if (blocks == 2) transform_bundle(&matrix, &bundle, to, stride, 4, 2);
    else transform_bundle(&matrix, &bundle, to, stride, 4, 1);
  }
}
