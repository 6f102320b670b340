/*
 * format: quantities as people read them. Each writes into `out` (at least FORMAT_MAX bytes) and returns it.
 */
#ifndef ADIT_CLI_FORMAT_H
#define ADIT_CLI_FORMAT_H

#include <stdint.h>

#define FORMAT_MAX 32

char *format_bytes(char *out, uint64_t bytes);       /* "0 B", "999 B", "1.2 KiB", "34 MiB" */
char *format_duration(char *out, uint64_t ms);       /* "0s", "59s", "3m12s", "2h05m", "12d03h" */
char *format_round_trip(char *out, uint64_t micros); /* "0.08ms", "0.8ms", "12ms", "1.2s" */

#endif
