/*
 * ctl_arm: the verbs that change what ARM, Resource Graph and sign-in answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "fault.h"
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
    if (ctl_arm_fault(call) || ctl_arm_role(call))
        return;
    if (strcmp(what, "throttle") == 0 && n) {
        a->throttle_left = n;
    } else if (strcmp(what, "status") == 0 && n >= 400 && n <= 599) {
        a->status = n;
    } else if (strcmp(what, "delay") == 0 && us >= 0) {
        a->delay_ms = (unsigned)(us / 1000);
    } else if (strcmp(what, "expire-tokens") == 0) {
        token_expire_all(&call->sb->tokens);
    } else if (strcmp(what, "claims-challenge") == 0 && n) {
        a->claims_left = n;
        snprintf(a->claims_time, sizeof a->claims_time, "%lld", (long long)time(NULL));
    } else if (strcmp(what, "other-tenant") == 0 && on_or_off(value) >= 0) {
        a->other_tenant = on_or_off(value) == 1;
    } else if (strcmp(what, "quota") == 0 && on_or_off(value) >= 0) {
        a->quota.off = on_or_off(value) == 0;
    } else if (strcmp(what, "clear") == 0) {
        a->throttle_left = a->status = a->delay_ms = a->claims_left = 0;
        a->other_tenant = false;
        fault_release(call->sb, NULL, NULL);
        fault_clear(&a->faults);
        json_array_clear(a->denied);
        arm_writes_clear(a);
        quota_clear(call->sb);
    } else {
        ctl_answer(call, false,
                   "arm takes throttle N, status CODE (400 to 599), delay 2s, expire-tokens, "
                   "claims-challenge N, other-tenant on or off, quota on or off, fail-operation, "
                   "hang-operation, release-operation, conflict, retryable, refuse, deny, allow, writes, or "
                   "clear; see adit-sandbox ctl --help");
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

void ctl_device(struct ctl_call *call)
{
    const char *what = word(call, 1), *code = call->words_count > 2 ? call->words[2] : NULL;
    bool approve = strcmp(what, "approve") == 0;
    if (strcmp(what, "revoke") == 0) {
        token_refresh_revoke(&call->sb->tokens);
        token_expire_all(&call->sb->tokens);
        ctl_answer(call, true, "done");
    } else if (!approve && strcmp(what, "deny") != 0) {
        ctl_answer(call, false, "device takes approve, deny (each with a code or for all), or revoke");
    } else if (token_device_settle(call->sb, code, approve) == 0) {
        ctl_answer(call, false, "no sign-in waits%s%s", code ? " with the code " : "", code ? code : "");
    } else {
        ctl_answer(call, true, "done");
    }
}

void ctl_identity(struct ctl_call *call)
{
    struct identity *i = &call->sb->identity;
    unsigned status = (unsigned)strtoul(word(call, 2), NULL, 10),
             n = (unsigned)strtoul(word(call, 3), NULL, 10);
    if (strcmp(word(call, 1), "fail") != 0 || status < 400 || status > 599 || !n) {
        ctl_answer(call, false, "identity takes fail CODE N");
        return;
    }
    i->fail_status = status;
    i->fail_left = n;
    ctl_answer(call, true, "done");
}
