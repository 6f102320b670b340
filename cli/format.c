/*
 * format: quantities as people read them.
 */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>

char *format_bytes(char *out, uint64_t bytes)
{
    static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)bytes;
    unsigned unit = 0;

    while (v >= 999.5 &&
           unit + 1 < sizeof UNITS / sizeof UNITS[0]) { /* never four digits, not even rounded */
        v /= 1024;
        unit++;
    }
    snprintf(out, FORMAT_MAX, unit > 0 && v < 9.95 ? "%.1f %s" : "%.0f %s", v, UNITS[unit]);
    return out;
}

char *format_duration(char *out, uint64_t ms)
{
    uint64_t s = ms / 1000;

    if (s < 60)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "s", s);
    else if (s < 3600)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, FORMAT_MAX, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(out, FORMAT_MAX, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
    return out;
}

char *format_round_trip(char *out, uint64_t micros)
{
    double ms = (double)micros / 1000;

    if (ms < 0.0995)
        snprintf(out, FORMAT_MAX, "%.2fms", ms);
    else if (ms < 9.95)
        snprintf(out, FORMAT_MAX, "%.1fms", ms);
    else if (ms < 999.5)
        snprintf(out, FORMAT_MAX, "%.0fms", ms);
    else
        snprintf(out, FORMAT_MAX, "%.1fs", ms / 1000);
    return out;
}
