// One thread's share of the gradient of filters. Included once for each instruction set, after
// WinogradRun.h.

enum { halfLanes = LANES / 2 };

/// From four values to the points: the transpose of how outputs are made.
INLINE void gradient_values4(const Vector x[4], Vector y[6]) {
  const Vector even1 = x[0] + x[2] * P2, odd1 = x[1] * P1 + x[3] * P3;
  const Vector even2 = x[0] + x[2] * Q2, odd2 = x[1] * Q1 + x[3] * Q3;
  y[0] = x[0];
  y[1] = even1 + odd1;
  y[2] = even1 - odd1;
  y[3] = even2 + odd2;
  y[4] = even2 - odd2;
  y[5] = x[3];
}

/// From 4×4 gradients to 36 points that lie `stride` apart; returns the sum of the gradients.
static Vector transform_gradient4(
    const float *from, ptrdiff_t row, ptrdiff_t pixel, float *to, ptrdiff_t stride) {
  Vector columns[4][6], sum = (Vector)0;
  UNROLL for (int j = 0; j < 4; j++) {
    Vector x[4];
    UNROLL for (int i = 0; i < 4; i++) x[i] = load(from + i * row + j * pixel);
    gradient_values4(x, columns[j]);
    sum += (x[0] + x[1]) + (x[2] + x[3]);
  }
  UNROLL for (int i = 0; i < 6; i++) {
    const Vector x[4] = {columns[0][i], columns[1][i], columns[2][i], columns[3][i]};
    Vector points[6];
    gradient_values4(x, points);
    UNROLL for (int j = 0; j < 6; j++) store(to + (6 * i + j) * stride, points[j]);
  }
  return sum;
}

typedef struct {
  const CKWinograd *shape;
  WinogradGradientPlan plan;
  /// How the tiles of the source are read.
  Work source;
  const float *gradient;
  /// The thread's sums of gradients, or null.
  float *bias;
  WinogradGradientMemory memory;
} GradientWork;

/// The gradients of a tile's outputs that lie in the image, and zeros for the rest.
static const float *gradient_patch(
    const GradientWork *work, Tile tile, int block, float *patch, ptrdiff_t *row,
    ptrdiff_t *pixel) {
  const CKImageStrides *strides = &work->shape->destination;
  const int top = tile.row * 4, left = tile.column * 4;
  const int channels = channels_in_memory(strides->pixel, work->shape->outputs, block);
  const float *from = work->gradient + tile.image * strides->image + block * strides->block
      + top * strides->row + left * strides->pixel;
  const int rows = smallest(work->plan.outputHeight - top, 4);
  const int columns = smallest(work->plan.outputWidth - left, 4);
  *row = strides->row;
  *pixel = strides->pixel;
  if (rows == 4 && columns == 4 && channels == LANES) return from;
  memset(patch, 0, 16 * LANES * sizeof(float));
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      memcpy(
          patch + (4 * i + j) * LANES, from + i * strides->row + j * strides->pixel,
          (size_t)channels * sizeof(float));
  *row = 4 * LANES;
  *pixel = LANES;
  return patch;
}

static void transform_gradient(const GradientWork *work, Tile tile, int block, float *to) {
  float patch[16 * LANES];
  ptrdiff_t row, pixel;
  const float *from = gradient_patch(work, tile, block, patch, &row, &pixel);
  const Vector sum = transform_gradient4(from, row, pixel, to, work->plan.gradientStride);
  if (!work->bias) return;
  float *bias = work->bias + block * LANES;
  store(bias, load(bias) + sum);
}

/// Transforms blocks of the source and of the gradient of the tiles `own`, some of those of a chunk.
static void transform_blocks(
    const GradientWork *work, Range chunk, Range own, Range inputs, Range outputs) {
  const ptrdiff_t count = chunk.end - chunk.start;
  Tile tile = tile_at(&work->source.plan, own.start);
  for (ptrdiff_t i = own.start - chunk.start; i < own.end - chunk.start; i++) {
    for (ptrdiff_t block = inputs.start; block < inputs.end; block++)
      transform_block(
          &work->source, tile, (int)block, work->memory.source + (block * count + i) * LANES);
    for (ptrdiff_t block = outputs.start; block < outputs.end; block++)
      transform_gradient(
          work, tile, (int)block, work->memory.gradient + (block * count + i) * LANES);
    tile = tile_after(&work->source.plan, tile);
  }
}

/// Reads images and gradients in the order in which they lie.
static void transform_tiles(const GradientWork *work, Range chunk, Range own) {
  const Range none = {0, 0};
  const int inputs = work->plan.inputBlocks, outputs = work->plan.outputBlocks;
  const int innerInputs = work->shape->source.pixel == LANES ? 1 : inputs;
  const int innerOutputs = work->shape->destination.pixel == LANES ? 1 : outputs;
  for (int i = 0; i < inputs; i += innerInputs)
    transform_blocks(work, chunk, own, (Range){i, i + innerInputs}, none);
  for (int i = 0; i < outputs; i += innerOutputs)
    transform_blocks(work, chunk, own, none, (Range){i, i + innerOutputs});
}

/// Adds the products of half a block of inputs with `blocks` blocks of outputs to their sums, or
/// starts these.
INLINE void add_products(
    const float *source, const float *gradient, ptrdiff_t count, float *sums, bool isFirst,
    const int blocks) {
  Vector s[halfLanes][panelBlocks];
  UNROLL for (int i = 0; i < halfLanes; i++)
    UNROLL for (int b = 0; b < blocks; b++)
      s[i][b] = isFirst ? (Vector)0 : load(sums + (i * blocks + b) * LANES);
  for (ptrdiff_t t = 0; t < count; t++) {
    Vector g[panelBlocks];
    UNROLL for (int b = 0; b < blocks; b++) g[b] = load(gradient + (b * count + t) * LANES);
    UNROLL for (int i = 0; i < halfLanes; i++) {
      const float value = source[t * LANES + i];
      UNROLL for (int b = 0; b < blocks; b++) s[i][b] += g[b] * value;
    }
  }
  UNROLL for (int i = 0; i < halfLanes; i++)
    UNROLL for (int b = 0; b < blocks; b++) store(sums + (i * blocks + b) * LANES, s[i][b]);
}

static void add_products1(
    const float *source, const float *gradient, ptrdiff_t count, float *sums, bool isFirst) {
  add_products(source, gradient, count, sums, isFirst, 1);
}

static void add_products2(
    const float *source, const float *gradient, ptrdiff_t count, float *sums, bool isFirst) {
  add_products(source, gradient, count, sums, isFirst, 2);
}

/// Multiplies the tiles of a chunk for some pairs of a point and a panel of outputs.
static void multiply_tiles(
    const GradientWork *work, ptrdiff_t count, Range pairs, bool isFirst) {
  const WinogradGradientPlan *plan = &work->plan;
  for (ptrdiff_t pair = pairs.start; pair < pairs.end; pair++) {
    const ptrdiff_t point = pair / plan->panels, panel = pair % plan->panels;
    const int blocks = smallest(plan->outputBlocks - (int)panel * panelBlocks, panelBlocks);
    const float *gradient = work->memory.gradient + point * plan->gradientStride
        + panel * panelBlocks * count * LANES;
    const float *source = work->memory.source + point * plan->sourceStride;
    float *sums = work->memory.sums + point * plan->sumStride
        + panel * panelBlocks * LANES * plan->inputBlocks * LANES;
    for (int block = 0; block < plan->inputBlocks; block++, source += count * LANES)
      for (int half = 0; half < LANES; half += halfLanes, sums += halfLanes * blocks * LANES)
        (blocks == 1 ? add_products1 : add_products2)(
            source + half, gradient, count, sums, isFirst);
  }
}

/// The transform of sums back to filters: the transpose of how filters are transformed.
INLINE void filter_values(const float (*matrix)[3], const Vector x[6], Vector y[3]) {
  UNROLL for (int k = 0; k < 3; k++) {
    y[k] = x[0] * matrix[0][k];
    UNROLL for (int point = 1; point < 6; point++) y[k] += x[point] * matrix[point][k];
  }
}

/// Writes the gradient of the filters of one input and a block of outputs.
static void finish_filters(
    const CKWinograd *shape, const float (*matrix)[3], const Vector points[36], int input, int block,
    float *filters) {
  Vector rows[3][6], values[9];
  UNROLL for (int j = 0; j < 6; j++) {
    Vector x[6], y[3];
    UNROLL for (int i = 0; i < 6; i++) x[i] = points[6 * i + j];
    filter_values(matrix, x, y);
    UNROLL for (int k = 0; k < 3; k++) rows[k][j] = y[k];
  }
  UNROLL for (int k = 0; k < 3; k++) filter_values(matrix, rows[k], values + 3 * k);
  const int count = smallest(shape->outputs - block * LANES, LANES);
  float *to = filters + ((ptrdiff_t)block * LANES * shape->inputs + input) * 9;
  for (int lane = 0; lane < count; lane++, to += (ptrdiff_t)shape->inputs * 9)
    UNROLL for (int k = 0; k < 9; k++) to[k] = values[k][lane];
}

/// Transforms a thread's share of the sums of all groups.
static void finish_gradient(const GradientWork *work, float *scratch, float *filters, int thread) {
  const WinogradGradientPlan *plan = &work->plan;
  const CKWinograd *shape = work->shape;
  const WinogradMatrix exact = winograd_matrix(6, 3);
  float matrix[6][3];
  for (int point = 0; point < 6; point++)
    for (int k = 0; k < 3; k++) matrix[point][k] = (float)exact.rows[point][k];
  const Range share = part(
      (Range){0, (ptrdiff_t)plan->outputBlocks * shape->inputs}, thread, shape->threads);
  for (ptrdiff_t i = share.start; i < share.end; i++) {
    const int block = (int)(i / shape->inputs), input = (int)(i % shape->inputs);
    const int panel = block / panelBlocks;
    const int blocks = smallest(plan->outputBlocks - panel * panelBlocks, panelBlocks);
    const ptrdiff_t place = (ptrdiff_t)panel * panelBlocks * LANES * plan->inputBlocks * LANES
        + ((ptrdiff_t)input * blocks + block % panelBlocks) * LANES;
    Vector points[36];
    for (int point = 0; point < 36; point++) points[point] = (Vector)0;
    for (int group = 0; group < plan->groups; group++) {
      const float *sums = winograd_gradient_memory(plan, scratch, group).sums + place;
      for (int point = 0; point < 36; point++) points[point] += load(sums + point * plan->sumStride);
    }
    finish_filters(shape, matrix, points, input, block, filters);
  }
}

static void finish_bias(const GradientWork *work, float *scratch, float *bias, int thread) {
  const CKWinograd *shape = work->shape;
  const Range share = part((Range){0, shape->outputs}, thread, shape->threads);
  for (ptrdiff_t output = share.start; output < share.end; output++) {
    float sum = 0;
    for (int other = 0; other < shape->threads; other++)
      sum += winograd_gradient_bias(&work->plan, scratch, other)[output];
    bias[output] = sum;
  }
}

void VARIANT(winograd_gradient_run)(
    const CKWinograd *convolution, const float *source, const float *gradient, float *filters,
    float *bias, float *scratch, int phase, int thread) {
  GradientWork work = {
      .shape = convolution,
      .plan = winograd_gradient_plan(convolution),
      .source = {.shape = convolution, .plan = winograd_plan(convolution), .source = source},
      .gradient = gradient,
  };
  const WinogradGradientPlan *plan = &work.plan;
  work.source.plan.pointStride = plan->sourceStride;
  work.bias = bias ? winograd_gradient_bias(plan, scratch, thread) : NULL;
  const int group = plan->members == 1 ? thread : 0;
  work.memory = winograd_gradient_memory(plan, scratch, group);
  if (bias && phase == 0) memset(work.bias, 0, (size_t)plan->outputBlocks * LANES * sizeof(float));
  const Range tiles = part((Range){0, plan->tiles}, group, plan->groups);
  const Range pairs = {0, (ptrdiff_t)plan->points * plan->panels};
  if (phase == ck_winograd_gradient_phases(convolution) - 1) {
    finish_gradient(&work, scratch, filters, thread);
    if (bias) finish_bias(&work, scratch, bias, thread);
  } else if (plan->members == 1) {
    for (int i = 0; i < plan->chunks; i++) {
      const Range chunk = part(tiles, i, plan->chunks);
      transform_tiles(&work, chunk, chunk);
      multiply_tiles(&work, chunk.end - chunk.start, pairs, i == 0);
    }
  } else {
    const Range chunk = part(tiles, phase / 2, plan->chunks);
    if (phase % 2 == 0) transform_tiles(&work, chunk, part(chunk, thread, plan->members));
    else
      multiply_tiles(
          &work, chunk.end - chunk.start, part(pairs, thread, plan->members), phase == 1);
  }
}
