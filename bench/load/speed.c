/*
 * speed: how fast one core makes and checks a stream's content, so that nobody takes it for the bottleneck
 * unchecked.
 */
#include <stdio.h>

#include "base/mem.h"
#include "load.h"
#include "pattern.h"
#include "stream.h"

int load_pattern(const struct load_options *o, struct err *err)
{
    uint8_t *buf = mem_alloc(STREAM_BATCH);
    uint64_t filled = 0, checked = 0, wrong = 0;
    if (!buf)
        return err_set(err, ERR_NOMEM, "out of memory");

    uint64_t until = measure_now() + o->time_ms * NS_PER_MS;
    for (; measure_now() < until; filled += STREAM_BATCH)
        pattern_fill(buf, STREAM_BATCH, 42, filled);
    uint64_t offset = filled - STREAM_BATCH;
    until = measure_now() + o->time_ms * NS_PER_MS;
    for (; measure_now() < until; checked += STREAM_BATCH)
        wrong += pattern_check(buf, STREAM_BATCH, 42, offset) != STREAM_BATCH;
    mem_free(buf);
    if (wrong)
        return err_set(err, ERR_PROTOCOL, "the pattern does not check");
    printf("{\"mode\":\"pattern\",\"fill_mb_per_s\":%.0f,\"check_mb_per_s\":%.0f}\n",
           (double)filled / o->time_ms / 1e3, (double)checked / o->time_ms / 1e3);
    return 0;
}
