/*
 * duration: parses and writes times with a unit.
 */
#include "duration.h"

#include <stdio.h>
#include <string.h>

#define MAX_MS 3600000000U

struct unit {
    const char *name;
    uint32_t ms;
};

static const struct unit units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define UNITS (sizeof units / sizeof units[0])

static int malformed(const char *text, struct err *err)
{
    return err_set(err, ERR_INVAL, "\"%.32s\" is not a time; write a number and ms, s, m or h, like 30s",
                   text);
}

int duration_parse(uint32_t *out_ms, const char *text, struct err *err)
{
    uint64_t n = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10)
        return malformed(text, err);
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (uint64_t)(text[i] - '0');
    if (text[digits] == '\0') {
        if (n != 0)
            return err_set(err, ERR_INVAL, "the time \"%.32s\" lacks its unit (ms, s, m or h), like %.10ss",
                           text, text);
        *out_ms = 0;
        return 0;
    }
    for (size_t i = 0; i < UNITS; i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        if (n * units[i].ms > MAX_MS)
            return err_set(err, ERR_INVAL, "the time \"%.32s\" is longer than 1000h", text);
        *out_ms = (uint32_t)(n * units[i].ms);
        return 0;
    }
    return malformed(text, err);
}

void duration_text(char out[DURATION_TEXT_MAX], uint32_t ms)
{
    const struct unit *u = units;
    if (ms == 0) {
        (void)snprintf(out, DURATION_TEXT_MAX, "0");
        return;
    }
    while (ms % u->ms != 0)
        u++;
    (void)snprintf(out, DURATION_TEXT_MAX, "%u%s", ms / u->ms, u->name);
}
