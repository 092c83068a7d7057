// Pixels of images that are summed in `float`, a few at a time.

/// Neighbouring pixels of one image.
typedef struct {
  ptrdiff_t place;
  int pixels;
} Stretch;

/// Takes the next stretch of at most `longest` pixels off what is left of some pixels of all images.
///
/// - Parameters:
///   - pixels: of an image.
///   - image, pixel: floats from one to the next.
INLINE Stretch next_stretch(
    ptrdiff_t pixels, ptrdiff_t image, ptrdiff_t pixel, int longest, Range *left) {
  const ptrdiff_t index = left->start / pixels, first = left->start % pixels;
  ptrdiff_t count = pixels - first;
  if (count > left->end - left->start) count = left->end - left->start;
  if (count > longest) count = longest;
  left->start += count;
  return (Stretch){index * image + first * pixel, (int)count};
}
