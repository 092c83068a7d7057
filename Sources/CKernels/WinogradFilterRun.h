// The transform of filters. Included once for each instruction set, after WinogradRun.h.
// Sums are those of `double`, so that points are rounded once.

/// The filters of one input and some outputs, `[taps][blocks]`; 5×5 are the most.
typedef struct {
  Doubles values[25][panelBlocks];
} Bundle;

/// Gathers filters `[outputs][inputs][taps]`, or `[inputs][outputs][taps]` turned by 180°.
INLINE void gather_taps(
    const CKWinograd *c, const float *filters, int input, int output, int blocks, Bundle *to,
    const int taps) {
  const ptrdiff_t inputStep = taps * (c->isTransposed ? (ptrdiff_t)c->outputs : 1);
  const ptrdiff_t outputStep = taps * (c->isTransposed ? 1 : (ptrdiff_t)c->inputs);
  const float *from = filters + input * inputStep + output * outputStep;
  float values[25][panelBlocks * LANES];
  const int count = smallest(c->outputs - output, blocks * LANES);
  if (count < blocks * LANES) memset(values, 0, (size_t)taps * sizeof(*values));
  if (c->isTransposed)
    for (int lane = 0; lane < count; lane++, from += outputStep)
      for (int i = 0; i < taps; i++) values[taps - 1 - i][lane] = from[i];
  else
    for (int lane = 0; lane < count; lane++, from += outputStep)
      for (int i = 0; i < taps; i++) values[i][lane] = from[i];
  for (int i = 0; i < taps; i++)
    for (int b = 0; b < blocks; b++)
      to->values[i][b] = __builtin_convertvector(load(values[i] + b * LANES), Doubles);
}

/// The sum of `taps` values, each of which is `step` behind the one before, times a matrix's row.
INLINE void weigh(
    const double *row, const Doubles (*values)[panelBlocks], const int step, const int taps, int b,
    Doubles *sum) {
  *sum = values[0][b] * row[0];
  for (int i = 1; i < taps; i++) *sum += values[i * step][b] * row[i];
}

/// Writes point (i, j) of a bundle to `to + (i · width + j) · stride`.
INLINE void transform_points(
    const WinogradMatrix *rows, const WinogradMatrix *columns, const Bundle *from, float *to,
    ptrdiff_t stride, const int height, const int width, const int rowTaps, const int columnTaps,
    const int blocks) {
  for (int i = 0; i < height; i++) {
    Doubles row[winogradMostTaps][panelBlocks];
    for (int j = 0; j < columnTaps; j++)
      for (int b = 0; b < blocks; b++)
        weigh(rows->rows[i], from->values + j, columnTaps, rowTaps, b, &row[j][b]);
    for (int j = 0; j < width; j++, to += stride)
      for (int b = 0; b < blocks; b++) {
        Doubles sum;
        weigh(columns->rows[j], row, 1, columnTaps, b, &sum);
        store(to + b * LANES, __builtin_convertvector(sum, Vector));
      }
  }
}

/// The usual sizes with loops that the compiler can unroll, the others with the same loops.
static void transform_bundle(
    const WinogradMatrix *rows, const WinogradMatrix *columns, const Bundle *from, float *to,
    ptrdiff_t stride, int blocks) {
  const bool isUsual = rows->taps == 3 && columns->taps == 3 && blocks == 2;
  if (isUsual && rows->points == 6)
    transform_points(rows, columns, from, to, stride, 6, 6, 3, 3, 2);
  else if (isUsual)
    transform_points(rows, columns, from, to, stride, 4, 4, 3, 3, 2);
  else
    transform_points(
        rows, columns, from, to, stride, rows->points, columns->points, rows->taps, columns->taps,
        blocks);
}

void VARIANT(winograd_transform_filters)(
    const CKWinograd *c, const float *filters, float *transformed, int thread, int threads) {
  const WinogradPlan plan = winograd_plan(c);
  const WinogradMatrix rows = winograd_matrix(plan.patchHeight, c->filterHeight);
  const WinogradMatrix columns = winograd_matrix(plan.patchWidth, c->filterWidth);
  const int taps = c->filterHeight * c->filterWidth;
  const Range share = part((Range){0, (ptrdiff_t)plan.panels * c->inputs}, thread, threads);
  for (ptrdiff_t i = share.start; i < share.end; i++) {
    const ptrdiff_t panel = i / c->inputs, input = i % c->inputs;
    const int first = (int)panel * panelBlocks;
    const int blocks = smallest(plan.outputBlocks - first, panelBlocks);
    Bundle bundle;
    if (taps == 9) gather_taps(c, filters, (int)input, first * LANES, blocks, &bundle, 9);
    else gather_taps(c, filters, (int)input, first * LANES, blocks, &bundle, taps);
    float *to = transformed + panel * panel_stride(&plan, c->inputs) + input * blocks * LANES;
    transform_bundle(&rows, &columns, &bundle, to, (ptrdiff_t)c->inputs * blocks * LANES, blocks);
  }
}
