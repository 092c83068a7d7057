// Compiled once for each instruction set; see TrainingNormAVX512.c.
#include <string.h>

#include "Vector.h"
#include "Stretch.h"
#include "VectorActivation.h"

typedef double LooseDoubles __attribute__((ext_vector_type(LANES), aligned(sizeof(double))));

enum {
  /// Pixels that are summed in `float`: few enough to stay in the first-level cache between two
  /// looks at them.
  longestStretch = 256,
  /// Sums side by side, as one addition takes several times as long as the next one has to wait.
  sumsAtOnce = 4,
  /// Larger results leave the second-level caches of a few cores.
  streamedBytes = 8 << 20,
};

/// A vector of channels: how many there are, and how many lie in memory.
typedef struct {
  int first, channels, memory;
  ptrdiff_t place;
} Block;

INLINE Block block_at(const CKTrainingNorm *c, ptrdiff_t index) {
  const int first = (int)index * LANES, left = c->channels - first;
  const int channels = left < LANES ? left : LANES;
  return (Block){
      first, channels, c->strides.pixel == LANES ? LANES : channels, index * c->strides.block};
}

/// Calls `body(count)` with a number that the compiler knows where vectors are whole.
#define WITH_COUNT(block, body) \
  if ((block).memory == LANES) { body(LANES); } \
  else { body((block).memory); }

#define WITH_ACTIVATION(c, body) \
  switch ((c)->activation) { \
  case CKActivationRelu: body(CKActivationRelu); break; \
  case CKActivationClippedRelu: body(CKActivationClippedRelu); break; \
  case CKActivationSwish: body(CKActivationSwish); break; \
  default: body(CKActivationNone); break; \
  }

// No functions: a vector of doubles may be wider than what one can return.
#define to_doubles(x) __builtin_convertvector(x, Doubles)
#define to_floats(x) __builtin_convertvector(x, Vector)

/// Two numbers for each channel: mean and sum of squared distances, or two sums.
typedef struct {
  Doubles first, second;
} Pair;

INLINE Pair load_pair(const double *from) {
  return (Pair){*(const LooseDoubles *)from, *(const LooseDoubles *)(from + LANES)};
}

INLINE void store_pair(double *to, Pair pair) {
  *(LooseDoubles *)to = pair.first;
  *(LooseDoubles *)(to + LANES) = pair.second;
}

INLINE double *sums_of(const CKTrainingNorm *c, double *sums, ptrdiff_t block, int thread) {
  return sums + 2 * LANES * (thread * ceiling(c->channels, LANES) + block);
}

/// Mean and squared distances of both parts (Chan, Golub and LeVeque 1983).
INLINE Pair joined(Pair a, double countA, Pair b, double countB) {
  const Doubles step = b.first - a.first;
  const double part = countB / (countA + countB);
  return (Pair){a.first + step * part, a.second + b.second + step * step * (countA * part)};
}

/// Mean and squared distances of a stretch, with a correction of the mean's rounding.
INLINE Pair measure(const float *x, ptrdiff_t pixel, int pixels, const int count) {
  Vector sum[sumsAtOnce], rest[sumsAtOnce], square[sumsAtOnce];
  UNROLL for (int j = 0; j < sumsAtOnce; j++) sum[j] = rest[j] = square[j] = (Vector)0;
  int p = 0;
  for (; p + sumsAtOnce <= pixels; p += sumsAtOnce)
    UNROLL for (int j = 0; j < sumsAtOnce; j++) sum[j] += load_some(x + (p + j) * pixel, count);
  for (; p < pixels; p++) sum[0] += load_some(x + p * pixel, count);
  const Vector middle = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / (float)pixels;
  for (p = 0; p + sumsAtOnce <= pixels; p += sumsAtOnce)
    UNROLL for (int j = 0; j < sumsAtOnce; j++) {
      const Vector distance = load_some(x + (p + j) * pixel, count) - middle;
      rest[j] += distance;
      square[j] += distance * distance;
    }
  for (; p < pixels; p++) {
    const Vector distance = load_some(x + p * pixel, count) - middle;
    rest[0] += distance;
    square[0] += distance * distance;
  }
  const Doubles left = to_doubles((rest[0] + rest[1]) + (rest[2] + rest[3]));
  const Doubles correction = left / pixels;
  return (Pair){
      to_doubles(middle) + correction,
      to_doubles((square[0] + square[1]) + (square[2] + square[3])) - correction * left};
}

static Pair measure_block(const CKTrainingNorm *c, Block block, const float *images, Range pixels) {
  Pair all = {0, 0};
  double before = 0;
  for (Range left = pixels; left.start < left.end;) {
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    const float *x = images + stretch.place + block.place;
    Pair more;
#define BODY(n) more = measure(x, c->strides.pixel, stretch.pixels, n)
    WITH_COUNT(block, BODY)
#undef BODY
    all = joined(all, before, more, stretch.pixels);
    before += stretch.pixels;
  }
  return all;
}

/// What makes z of x.
typedef struct {
  Vector mean, factor, offset;
} Channel;

INLINE Vector inner(Channel channel, Vector x) {
  return (x - channel.mean) * channel.factor + channel.offset;
}

/// `1 / √(variance + ε)`
INLINE Vector deviation_inverse(const CKTrainingNorm *c, Vector variance) {
  return 1 / __builtin_elementwise_sqrt(variance + (float)c->epsilon);
}

INLINE void normalize(
    const CKTrainingNorm *c, const CKActivation activation, Channel channel, const float *x,
    const float *residual, float *y, int pixels, bool streams, const int count) {
  const ptrdiff_t pixel = c->strides.pixel;
  for (int p = 0; p < pixels; p++) {
    Vector z = inner(channel, load_some(x + p * pixel, count));
    if (residual) z += load_some(residual + p * pixel, count);
    activate(activation, c->parameter, &z, 1);
    if (streams) stream(y + p * pixel, z);
    else store_some(y + p * pixel, z, count);
  }
}

/// Whether results go to memory at once: the caches would drop them before they are read again.
static bool streams(const CKTrainingNorm *c, const float *results) {
  const size_t places = (size_t)(c->strides.image | c->strides.block | c->strides.pixel);
  const bool isAligned = ((uintptr_t)results | places * sizeof(float)) % sizeof(Vector) == 0;
  const size_t size = (size_t)c->images * (size_t)c->pixels * (size_t)c->channels * sizeof(float);
  return isAligned && size > streamedBytes;
}

static void normalize_block(
    const CKTrainingNorm *c, Block block, Channel channel, const float *images,
    const float *residual, float *results, Range pixels) {
  const bool goesToMemory = block.memory == LANES && streams(c, results);
  for (Range left = pixels; left.start < left.end;) {
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    const ptrdiff_t place = stretch.place + block.place;
    const float *added = residual ? residual + place : NULL;
#define BODY(activation) \
  if (block.memory < LANES) \
    normalize(c, activation, channel, images + place, added, results + place, stretch.pixels, \
        false, block.memory); \
  else if (goesToMemory) \
    normalize(c, activation, channel, images + place, added, results + place, stretch.pixels, \
        true, LANES); \
  else \
    normalize(c, activation, channel, images + place, added, results + place, stretch.pixels, \
        false, LANES)
    WITH_ACTIVATION(c, BODY)
#undef BODY
  }
}

/// The pixels of all images that a thread works on.
static Range own_pixels(const CKTrainingNorm *c, int thread) {
  const Range all = {0, c->images * c->pixels};
  return training_norm_has_own_blocks(c) ? all : part(all, thread, c->threads);
}

static Range own_blocks(const CKTrainingNorm *c, int thread) {
  const Range all = {0, ceiling(c->channels, LANES)};
  return training_norm_has_own_blocks(c) ? part(all, thread, c->threads) : all;
}

/// What all threads measured.
static Pair joined_sums(const CKTrainingNorm *c, double *sums, ptrdiff_t block) {
  Pair all = {0, 0};
  double before = 0;
  for (int thread = 0; thread < c->threads; thread++) {
    const Range share = own_pixels(c, thread);
    const double more = (double)(share.end - share.start);
    if (more > 0) all = joined(all, before, load_pair(sums_of(c, sums, block, thread)), more);
    before += more;
  }
  return all;
}

void VARIANT(training_norm_run)(
    const CKTrainingNorm *c, const float *images, const CKTrainingNormChannels *channels,
    const float *residual, float *results, double *sums, int phase, int thread) {
  const bool isAlone = training_norm_has_own_blocks(c);
  const Range blocks = own_blocks(c, thread), pixels = own_pixels(c, thread);
  for (ptrdiff_t index = blocks.start; index < blocks.end; index++) {
    const Block block = block_at(c, index);
    Pair measured;
    if (isAlone || phase == 0) measured = measure_block(c, block, images, pixels);
    if (!isAlone && phase == 0) {
      store_pair(sums_of(c, sums, index, thread), measured);
      continue;
    }
    if (!isAlone) measured = joined_sums(c, sums, index);
    const double count = (double)c->images * (double)c->pixels;
    const Vector middle = to_floats(measured.first);
    const Vector spread = to_floats(measured.second / count);
    const Channel channel = {
        middle,
        load_some(channels->scale + block.first, block.channels) * deviation_inverse(c, spread),
        load_some(channels->offset + block.first, block.channels)};
    if (isAlone || thread == 0) {
      store_some(channels->mean + block.first, middle, block.channels);
      store_some(channels->variance + block.first, spread, block.channels);
    }
    normalize_block(c, block, channel, images, residual, results, pixels);
  }
  __builtin_ia32_sfence();
}

/// The gradient of z from that of y.
INLINE Vector inner_gradient(
    const CKTrainingNorm *c, const CKActivation activation, Channel channel, Vector x, Vector dy) {
  if (activation == CKActivationNone) return dy;
  const Vector z = inner(channel, x);
  if (activation == CKActivationRelu) return z > 0 ? dy : (Vector)0;
  if (activation == CKActivationClippedRelu)
    return (z > 0 & z < c->parameter) ? dy : (Vector)0;
  const Vector s = sigmoid(z);
  return dy * (s * (1 + z * (1 - s)));
}

/// Whether the gradient of z takes so long to make that the first look at it leaves it in memory.
INLINE bool is_kept(const CKActivation activation) { return activation == CKActivationSwish; }

/// The sums of the gradient of z, and of its products with the distances from the mean.
INLINE Pair sum_stretch(
    const CKTrainingNorm *c, const CKActivation activation, Channel channel, const float *x,
    const float *dy, float *kept, int pixels, const int count) {
  const ptrdiff_t pixel = c->strides.pixel;
  Vector sum[sumsAtOnce], product[sumsAtOnce];
  UNROLL for (int j = 0; j < sumsAtOnce; j++) sum[j] = product[j] = (Vector)0;
  int p = 0;
  for (; p + sumsAtOnce <= pixels; p += sumsAtOnce)
    UNROLL for (int j = 0; j < sumsAtOnce; j++) {
      const ptrdiff_t place = (p + j) * pixel;
      const Vector value = load_some(x + place, count);
      const Vector dz =
          inner_gradient(c, activation, channel, value, load_some(dy + place, count));
      if (is_kept(activation)) store_some(kept + place, dz, count);
      sum[j] += dz;
      product[j] += dz * (value - channel.mean);
    }
  for (; p < pixels; p++) {
    const ptrdiff_t place = p * pixel;
    const Vector value = load_some(x + place, count);
    const Vector dz = inner_gradient(c, activation, channel, value, load_some(dy + place, count));
    if (is_kept(activation)) store_some(kept + place, dz, count);
    sum[0] += dz;
    product[0] += dz * (value - channel.mean);
  }
  return (Pair){
      to_doubles((sum[0] + sum[1]) + (sum[2] + sum[3])),
      to_doubles((product[0] + product[1]) + (product[2] + product[3]))};
}

static Pair sum_block(
    const CKTrainingNorm *c, Block block, Channel channel, const float *images, const float *dy,
    float *kept, Range pixels) {
  Pair all = {0, 0};
  for (Range left = pixels; left.start < left.end;) {
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    const ptrdiff_t place = stretch.place + block.place;
    Pair more = {0, 0};
#define COUNTED(n) \
  more = sum_stretch(c, activation, channel, images + place, dy + place, kept + place, \
      stretch.pixels, n)
#define BODY(which) \
  { \
    const CKActivation activation = which; \
    WITH_COUNT(block, COUNTED) \
  }
    WITH_ACTIVATION(c, BODY)
#undef BODY
#undef COUNTED
    all.first += more.first;
    all.second += more.second;
  }
  return all;
}

/// - Parameters:
///   - mean: of the gradient of z.
///   - slope: what it takes off for each unit of distance from the mean.
INLINE void gradient_of_stretch(
    const CKTrainingNorm *c, const CKActivation activation, Channel channel, Vector mean,
    Vector slope, const float *x, const float *dy, float *dx, int pixels, bool streams,
    const int count) {
  const ptrdiff_t pixel = c->strides.pixel;
  for (int p = 0; p < pixels; p++) {
    const Vector value = load_some(x + p * pixel, count);
    const Vector dz = is_kept(activation)
        ? load_some(dx + p * pixel, count)
        : inner_gradient(c, activation, channel, value, load_some(dy + p * pixel, count));
    const Vector result = channel.factor * ((dz - mean) - (value - channel.mean) * slope);
    if (streams) stream(dx + p * pixel, result);
    else store_some(dx + p * pixel, result, count);
  }
}

static void gradient_of_block(
    const CKTrainingNorm *c, Block block, Channel channel, Vector mean, Vector slope,
    const float *images, const float *dy, float *results, Range pixels) {
  // What is written over what was just read is in the caches anyhow.
  const bool goesToMemory = block.memory == LANES && dy != results
      && c->activation != CKActivationSwish && streams(c, results);
  for (Range left = pixels; left.start < left.end;) {
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    const ptrdiff_t place = stretch.place + block.place;
#define BODY(activation) \
  if (block.memory < LANES) \
    gradient_of_stretch(c, activation, channel, mean, slope, images + place, dy + place, \
        results + place, stretch.pixels, false, block.memory); \
  else if (goesToMemory) \
    gradient_of_stretch(c, activation, channel, mean, slope, images + place, dy + place, \
        results + place, stretch.pixels, true, LANES); \
  else \
    gradient_of_stretch(c, activation, channel, mean, slope, images + place, dy + place, \
        results + place, stretch.pixels, false, LANES)
    WITH_ACTIVATION(c, BODY)
#undef BODY
  }
}

void VARIANT(training_norm_run_gradient)(
    const CKTrainingNorm *c, const float *images, const CKTrainingNormChannels *channels,
    const float *gradient, float *dscale, float *doffset, float *results, double *sums,
    int phase, int thread) {
  const bool isAlone = training_norm_has_own_blocks(c);
  const Range blocks = own_blocks(c, thread), pixels = own_pixels(c, thread);
  for (ptrdiff_t index = blocks.start; index < blocks.end; index++) {
    const Block block = block_at(c, index);
    const Vector inverse =
        deviation_inverse(c, load_some(channels->variance + block.first, block.channels));
    const Channel channel = {
        load_some(channels->mean + block.first, block.channels),
        load_some(channels->scale + block.first, block.channels) * inverse,
        channels->offset ? load_some(channels->offset + block.first, block.channels) : (Vector)0};
    Pair summed = {0, 0};
    if (isAlone || phase == 0)
      summed = sum_block(c, block, channel, images, gradient, results, pixels);
    if (!isAlone && phase == 0) {
      store_pair(sums_of(c, sums, index, thread), summed);
      continue;
    }
    for (int other = 0; !isAlone && other < c->threads; other++) {
      const Pair more = load_pair(sums_of(c, sums, index, other));
      summed = (Pair){summed.first + more.first, summed.second + more.second};
    }
    const double count = (double)c->images * (double)c->pixels;
    const Doubles byDeviation = to_doubles(inverse);
    if (isAlone || thread == 0) {
      store_some(dscale + block.first, to_floats(summed.second * byDeviation), block.channels);
      store_some(doffset + block.first, to_floats(summed.first), block.channels);
    }
    gradient_of_block(
        c, block, channel, to_floats(summed.first / count),
        to_floats(summed.second / count * byDeviation * byDeviation), images, gradient, results,
        pixels);
  }
  __builtin_ia32_sfence();
}
