#pragma once
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

// libpng reports errors by longjmp, which Swift cannot catch: each of these calls catches its own.

/// A PNG file in memory that is being decoded; `error` holds libpng's words after a failure.
typedef struct apus_png {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count, offset;
  uint32_t width, height;
  int bitDepth, colorType, endedEarly;
  char error[128];
  jmp_buf jump;
} apus_png;

static void apus_png_fail(png_structp png, png_const_charp message) {
  apus_png *file = (apus_png *)png_get_error_ptr(png);
  strncpy(file->error, message, sizeof file->error - 1);
  longjmp(file->jump, 1);
}

static void apus_png_warn(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void apus_png_copy(png_structp png, png_bytep target, size_t size) {
  apus_png *file = (apus_png *)png_get_io_ptr(png);
  if (size > file->count - file->offset) {
    file->endedEarly = 1;
    png_error(png, "unexpected end of file");
  }
  memcpy(target, file->bytes + file->offset, size);
  file->offset += size;
}

/// Reads everything before the pixels; returns 0 on failure. `apus_png_close` is due either way.
static inline __attribute__((noinline)) int apus_png_open(
    apus_png *file, const uint8_t *bytes, size_t count) {
  memset(file, 0, sizeof *file);
  file->bytes = bytes;
  file->count = count;
  if (setjmp(file->jump)) return 0;
  file->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, file, apus_png_fail, apus_png_warn);
  if (!file->png || !(file->info = png_create_info_struct(file->png))) {
    strcpy(file->error, "out of memory");
    return 0;
  }
  png_set_read_fn(file->png, file, apus_png_copy);
  png_set_user_limits(file->png, 0x7fffffff, 0x7fffffff);
  // Text, profiles and the like are of no use here, and a defect in them does no harm.
  png_set_keep_unknown_chunks(file->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(file->png, file->info);
  png_get_IHDR(file->png, file->info, &file->width, &file->height, &file->bitDepth,
               &file->colorType, NULL, NULL, NULL);
  return 1;
}

/// Writes the pixels, 8-bit RGB, or native 16-bit grey for 16-bit grey files; 0 on failure.
static inline __attribute__((noinline)) int apus_png_read(
    apus_png *file, void *pixels, size_t bytesPerRow) {
  if (setjmp(file->jump)) return 0;
  png_structp png = file->png;
  if (file->colorType == PNG_COLOR_TYPE_GRAY && file->bitDepth == 16) {
    png_set_swap(png);
  } else {
    png_set_strip_16(png);
    png_set_expand(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
  }
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, file->info);
  if (png_get_rowbytes(png, file->info) != bytesPerRow) png_error(png, "unexpected row size");
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t row = 0; row < file->height; row++)
      png_read_row(png, (uint8_t *)pixels + row * bytesPerRow, NULL);
  return 1;
}

static inline void apus_png_close(apus_png *file) {
  png_destroy_read_struct(&file->png, &file->info, NULL);
}
