// Compiled once for each instruction set; see ActivatedNormAVX512.c.
#include "Vector.h"
#include "Stretch.h"
#include "VectorActivation.h"

typedef int32_t Integers __attribute__((ext_vector_type(LANES)));

/// Pixels that are summed in `float`: few enough to stay in the second-level cache between two
/// looks at them.
enum { longestStretch = 64 };

/// A vector of channels, or what is left of a block.
typedef struct {
  int first, count;
  ptrdiff_t place;
} Lanes;

INLINE Lanes lanes_from(const CKActivatedNorm *c, int channel) {
  const int inBlock = channel % c->strides.channels, left = c->strides.channels - inBlock;
  return (Lanes){
      channel, left < LANES ? left : LANES,
      channel / c->strides.channels * c->strides.block + inBlock};
}

/// Calls `body(count)` with a number that the compiler knows where vectors are whole.
#define WITH_COUNT(lanes, body) \
  if ((lanes).count == LANES) { body(LANES); } \
  else { body((lanes).count); }

INLINE Vector magnitude(Vector x) { return x < 0 ? -x : x; }

/// The natural logarithm of positive normal numbers, to a few units in the last place of 1.
INLINE Vector logarithm(Vector x) {
  const Integers bits = __builtin_bit_cast(Integers, x);
  // The mantissa in [√½, √2), so that the series is short.
  const Integers shifted = bits - 0x3f3504f3;
  const Integers exponent = shifted >> 23;
  const Vector mantissa = __builtin_bit_cast(Vector, bits - (exponent << 23));
  // log m = 2 artanh s with s = (m − 1) / (m + 1)
  const Vector s = (mantissa - 1) / (mantissa + 1), q = s * s;
  const Vector series = 2 + q * (2.0f / 3 + q * (2.0f / 5 + q * (2.0f / 7 + q * (2.0f / 9))));
  return __builtin_convertvector(exponent, Vector) * 0x1.62e430p-1f + s * series;
}

/// What the activation made `y` of, and the derivative there. An ELU that has reached its bound is
/// taken for one a last place above it.
INLINE void invert(
    const CKActivation activation, float parameter, Vector y, Vector *z, Vector *derivative) {
  *z = y;
  *derivative = (Vector)1;
  if (activation == CKActivationLeakyRelu) {
    *z = y > 0 ? y : y / parameter;
    *derivative = y > 0 ? (Vector)1 : (Vector)parameter;
  } else if (activation == CKActivationElu) {
    *z = y > 0 ? y : logarithm(larger((Vector)0x1p-24f, 1 + y / parameter));
    *derivative = y > 0 ? (Vector)1 : y + parameter;
  }
}

/// Mean and squared distances of a stretch, joined with those of the `before` pixels of the thread
/// so far (Chan, Golub and LeVeque 1983, with their correction of the mean's rounding).
INLINE void measure(
    const float *x, ptrdiff_t pixel, int pixels, double before, double *means, double *squares,
    const int count) {
  Vector sum = (Vector)0;
  for (int p = 0; p < pixels; p++) sum += load_some(x + p * pixel, count);
  const Vector middle = sum / (float)pixels;
  Vector rest = (Vector)0, square = (Vector)0;
  for (int p = 0; p < pixels; p++) {
    const Vector distance = load_some(x + p * pixel, count) - middle;
    rest += distance;
    square += distance * distance;
  }
  const double part = pixels / (before + pixels);
  for (int lane = 0; lane < count; lane++) {
    const double correction = (double)rest[lane] / pixels;
    const double step = (double)middle[lane] + correction - means[lane];
    squares[lane] += (double)square[lane] - correction * rest[lane] + step * step * before * part;
    means[lane] += step * part;
  }
}

void VARIANT(activated_norm_measure)(
    const CKActivatedNorm *c, const float *images, double *sums, int thread) {
  double *means = sums + 2 * (ptrdiff_t)thread * c->channels, *squares = means + c->channels;
  for (int channel = 0; channel < 2 * c->channels; channel++) means[channel] = 0;
  const Range share = activated_norm_share(c, thread);
  for (Range left = share; left.start < left.end;) {
    const double before = (double)(left.start - share.start);
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    for (int channel = 0; channel < c->channels;) {
      const Lanes lanes = lanes_from(c, channel);
#define BODY(n) \
  measure(images + stretch.place + lanes.place, c->strides.pixel, stretch.pixels, before, \
      means + channel, squares + channel, n)
      WITH_COUNT(lanes, BODY)
#undef BODY
      channel += lanes.count;
    }
  }
}

INLINE void normalize(
    const CKActivatedNorm *c, const CKActivation activation, const float *x, int pixels,
    Vector mean, Vector factor, Vector offset, float *y, const int count) {
  for (int p = 0; p < pixels; p++) {
    Vector z = (load_some(x + p * c->strides.pixel, count) - mean) * factor + offset;
    activate(activation, c->parameter, &z, 1);
    store_some(y + p * c->strides.pixel, z, count);
  }
}

/// `(|scale| + ε) / √(variance + ε)`
INLINE Vector normalizing_factor(
    const CKActivatedNorm *c, const float *scale, const float *variance, const int count) {
  const float epsilon = (float)c->epsilon;
  return (magnitude(load_some(scale, count)) + epsilon)
      / __builtin_elementwise_sqrt(load_some(variance, count) + epsilon);
}

INLINE void run_norm(
    const CKActivatedNorm *c, const CKActivation activation, const float *images,
    const float *scale, const float *offset, const float *mean, const float *variance,
    float *results, int thread) {
  for (Range left = activated_norm_share(c, thread); left.start < left.end;) {
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    for (int channel = 0; channel < c->channels;) {
      const Lanes lanes = lanes_from(c, channel);
      const ptrdiff_t place = stretch.place + lanes.place;
#define BODY(n) \
  normalize(c, activation, images + place, stretch.pixels, load_some(mean + channel, n), \
      normalizing_factor(c, scale + channel, variance + channel, n), \
      load_some(offset + channel, n), results + place, n)
      WITH_COUNT(lanes, BODY)
#undef BODY
      channel += lanes.count;
    }
  }
}

void VARIANT(activated_norm_run)(
    const CKActivatedNorm *c, const float *images, const float *scale, const float *offset,
    const float *mean, const float *variance, float *results, int thread) {
#define RUN(activation) \
  run_norm(c, activation, images, scale, offset, mean, variance, results, thread)
  if (c->activation == CKActivationLeakyRelu) RUN(CKActivationLeakyRelu);
  else if (c->activation == CKActivationElu) RUN(CKActivationElu);
  else RUN(CKActivationNone);
#undef RUN
}

/// What the gradients of a stretch need of each channel.
typedef struct {
  Vector offset;
  /// 1 / (|scale| + ε)
  Vector inverse;
} Channel;

INLINE Channel channel_at(
    const CKActivatedNorm *c, const float *scale, const float *offset, const int count) {
  return (Channel){
      load_some(offset, count), 1 / (magnitude(load_some(scale, count)) + (float)c->epsilon)};
}

/// x̂ and dz of one pixel.
INLINE void recover(
    const CKActivatedNorm *c, const CKActivation activation, Channel channel, Vector y,
    Vector dy, Vector *standardized, Vector *inner) {
  Vector z, derivative;
  invert(activation, c->parameter, y, &z, &derivative);
  *standardized = (z - channel.offset) * channel.inverse;
  *inner = dy * derivative;
}

INLINE void sum_stretch(
    const CKActivatedNorm *c, const CKActivation activation, Channel channel, const float *y,
    const float *dy, int pixels, double *offsets, double *scales, const int count) {
  Vector sum = (Vector)0, product = (Vector)0;
  for (int p = 0; p < pixels; p++) {
    Vector standardized, inner;
    recover(
        c, activation, channel, load_some(y + p * c->strides.pixel, count),
        load_some(dy + p * c->strides.pixel, count), &standardized, &inner);
    sum += inner;
    product += inner * standardized;
  }
  for (int lane = 0; lane < count; lane++) {
    offsets[lane] += sum[lane];
    scales[lane] += product[lane];
  }
}

INLINE void sum_all(
    const CKActivatedNorm *c, const CKActivation activation, const float *y,
    const float *scale, const float *offset, const float *dy, double *sums, int thread) {
  double *offsets = sums + 2 * (ptrdiff_t)thread * c->channels, *scales = offsets + c->channels;
  for (int channel = 0; channel < 2 * c->channels; channel++) offsets[channel] = 0;
  for (Range left = activated_norm_share(c, thread); left.start < left.end;) {
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    for (int channel = 0; channel < c->channels;) {
      const Lanes lanes = lanes_from(c, channel);
      const ptrdiff_t place = stretch.place + lanes.place;
#define BODY(n) \
  sum_stretch(c, activation, channel_at(c, scale + channel, offset + channel, n), \
      y + place, dy + place, stretch.pixels, offsets + channel, scales + channel, n)
      WITH_COUNT(lanes, BODY)
#undef BODY
      channel += lanes.count;
    }
  }
}

void VARIANT(activated_norm_sum_gradients)(
    const CKActivatedNorm *c, const float *y, const float *scale, const float *offset,
    const float *dy, double *sums, int thread) {
#define RUN(activation) sum_all(c, activation, y, scale, offset, dy, sums, thread)
  if (c->activation == CKActivationLeakyRelu) RUN(CKActivationLeakyRelu);
  else if (c->activation == CKActivationElu) RUN(CKActivationElu);
  else RUN(CKActivationNone);
#undef RUN
}

/// - Parameters:
///   - mean, slope: the means of dz and dz · x̂ over all pixels.
INLINE void gradient_of_stretch(
    const CKActivatedNorm *c, const CKActivation activation, Channel channel, Vector factor,
    Vector mean, Vector slope, const float *y, const float *dy, int pixels, float *results,
    const int count) {
  for (int p = 0; p < pixels; p++) {
    const ptrdiff_t place = p * c->strides.pixel;
    Vector standardized, inner;
    recover(
        c, activation, channel, load_some(y + place, count), load_some(dy + place, count),
        &standardized, &inner);
    store_some(results + place, factor * (inner - mean - standardized * slope), count);
  }
}

INLINE void gradient_of_all(
    const CKActivatedNorm *c, const CKActivation activation, const float *y,
    const float *scale, const float *offset, const float *variance, const float *dy,
    const float *dscale, const float *doffset, float *results, int thread) {
  const float share = 1.0f / ((float)c->images * (float)c->pixels);
  for (Range left = activated_norm_share(c, thread); left.start < left.end;) {
    const Stretch stretch =
        next_stretch(c->pixels, c->strides.image, c->strides.pixel, longestStretch, &left);
    for (int channel = 0; channel < c->channels;) {
      const Lanes lanes = lanes_from(c, channel);
      const ptrdiff_t place = stretch.place + lanes.place;
#define BODY(n) \
  const Vector slope = load_some(dscale + channel, n) * share; \
  gradient_of_stretch(c, activation, channel_at(c, scale + channel, offset + channel, n), \
      normalizing_factor(c, scale + channel, variance + channel, n), \
      load_some(doffset + channel, n) * share, \
      load_some(scale + channel, n) < 0 ? -slope : slope, y + place, dy + place, \
      stretch.pixels, results + place, n)
      WITH_COUNT(lanes, BODY)
#undef BODY
      channel += lanes.count;
    }
  }
}

void VARIANT(activated_norm_run_gradient)(
    const CKActivatedNorm *c, const float *y, const float *scale, const float *offset,
    const float *variance, const float *dy, const float *dscale,
    const float *doffset, float *results, int thread) {
#define RUN(activation) \
  gradient_of_all(c, activation, y, scale, offset, variance, dy, dscale, \
      doffset, results, thread)
  if (c->activation == CKActivationLeakyRelu) RUN(CKActivationLeakyRelu);
  else if (c->activation == CKActivationElu) RUN(CKActivationElu);
  else RUN(CKActivationNone);
#undef RUN
}
