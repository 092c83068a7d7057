#pragma once
#include <stddef.h>

/// Writes the cache lines of a range back to memory and forgets them, as if nothing had read them
/// for a long time.
void ck_flush(const void *start, size_t size)
    __attribute__((swift_name("flushCacheLines(of:count:)")));
