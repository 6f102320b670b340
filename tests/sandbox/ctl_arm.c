/*
 * ctl_arm: the verbs that change what ARM, Resource Graph and sign-in answer.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "graph.h"
#include "sandbox.h"
#include "token.h"

int64_t ctl_duration_us(const char *word)
{
    char *unit;
    double v = strtod(word, &unit);
    if (unit == word || v < 0 || v > 3600000)
        return -1;
    if (strcmp(unit, "us") == 0)
        return (int64_t)v;
    if (strcmp(unit, "s") == 0)
        return (int64_t)(v * 1e6);
    return strcmp(unit, "ms") == 0 || *unit == 0 ? (int64_t)(v * 1e3) : -1;
}

static const char *word(const struct ctl_call *call, unsigned i)
{
    return call->words_count > i ? call->words[i] : "";
}

/* -1: neither. */
static int on_or_off(const char *text)
{
    return strcmp(text, "on") == 0 ? 1 : strcmp(text, "off") == 0 ? 0 : -1;
}

void ctl_arm(struct ctl_call *call)
{
    struct arm *a = &call->sb->arm;
    const char *what = word(call, 1), *value = word(call, 2);
    int64_t us = ctl_duration_us(value);
    unsigned n = (unsigned)strtoul(value, NULL, 10);
    if (strcmp(what, "throttle") == 0 && n) {
        a->throttle_left = n;
    } else if (strcmp(what, "status") == 0 && n >= 400 && n <= 599) {
        a->status = n;
    } else if (strcmp(what, "delay") == 0 && us >= 0) {
        a->delay_ms = (unsigned)(us / 1000);
    } else if (strcmp(what, "expire-tokens") == 0) {
        token_expire_all(&call->sb->tokens);
    } else if (strcmp(what, "quota") == 0 && on_or_off(value) >= 0) {
        a->quota.off = on_or_off(value) == 0;
    } else if (strcmp(what, "clear") == 0) {
        a->throttle_left = a->status = a->delay_ms = 0;
        quota_clear(call->sb);
    } else {
        ctl_answer(
            call, false,
            "arm takes throttle N, status CODE (400 to 599), delay 2s, expire-tokens, quota on or off, "
            "or clear");
        return;
    }
    ctl_answer(call, true, "done");
}

void ctl_graph(struct ctl_call *call)
{
    int64_t us = ctl_duration_us(word(call, 2));
    if (strcmp(word(call, 1), "stale") == 0 && us >= 0) {
        graph_past_set(call->sb, (uint64_t)us / 1000);
    } else if (strcmp(word(call, 1), "clear") == 0) {
        graph_past_set(call->sb, 0);
    } else {
        ctl_answer(call, false, "graph takes stale 30s, or clear");
        return;
    }
    ctl_answer(call, true, "done");
}
