/*
 * ctl_verbs: what can be done to the world, one table row a verb.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl.h"
#include "sandbox.h"
#include "vm.h"
#include "vmhost.h"

#define WAIT_STEP_MS 10
#define WAIT_MAX_MS 60000

static void on_done(void *arg, const struct err *err)
{
    struct ctl_call *call = arg;
    if (err)
        ctl_answer(call, false, "%s", err->msg);
    else
        ctl_answer(call, true, "done");
}

static struct vm *vm_named(struct ctl_call *call)
{
    struct vm *vm;
    struct err err = {0};
    if (world_vm_by_word(&call->sb->world, call->words[1], &vm, &err) == 0)
        return vm;
    ctl_answer(call, false, "%s", err.msg);
    return NULL;
}

static void do_start(struct ctl_call *call)
{
    struct vm *vm = vm_named(call);
    struct err err = {0};
    if (vm && vm_boot(vm, on_done, call, &err) < 0)
        ctl_answer(call, false, "%s", err.msg);
}

static void do_deallocate(struct ctl_call *call)
{
    struct vm *vm = vm_named(call);
    if (!vm)
        return;
    vm_deallocate(vm);
    ctl_answer(call, true, "done");
}

static void do_recreate(struct ctl_call *call)
{
    struct vm *vm = vm_named(call);
    struct err err = {0};
    if (vm && vm_recreate(vm, on_done, call, &err) < 0)
        ctl_answer(call, false, "%s", err.msg);
}

static void ask(struct ctl_call *call, struct vm *vm, uint32_t verb)
{
    struct err err = {0};
    if (vm_ask(vm, verb, -1, &err) < 0)
        ctl_answer(call, false, "%s", err.msg);
    else
        ctl_answer(call, true, "done");
}

static void do_kill_ssh(struct ctl_call *call)
{
    struct vm *vm = vm_named(call);
    if (vm)
        ask(call, vm, VMHOST_KILL_SSH);
}

/* "100mbit", "1gbit", "500kbit", "64000bit". Bits a second; negative: not a rate. */
static int64_t rate_bps(const char *word)
{
    char *unit;
    double v = strtod(word, &unit);
    double times = strcmp(unit, "gbit") == 0   ? 1e9
                   : strcmp(unit, "mbit") == 0 ? 1e6
                   : strcmp(unit, "kbit") == 0 ? 1e3
                   : strcmp(unit, "bit") == 0  ? 1
                                               : 0;
    v *= times;
    return unit != word && v >= 8000 && v <= 1e12 ? (int64_t)v : -1;
}

/* Reads the fault's words into f. NULL, or what is wrong with them. */
static const char *fault_read(const struct ctl_call *call, struct relay_faults *f)
{
    const char *kind = call->words[2], *value = call->words_count > 3 ? call->words[3] : "";
    int64_t n;
    if (strcmp(kind, "latency") == 0) {
        if ((n = ctl_duration_us(value)) < 0)
            return "latency takes a duration: 25ms";
        f->latency_us = (uint64_t)n;
    } else if (strcmp(kind, "rate") == 0) {
        if ((n = rate_bps(value)) < 0)
            return "rate takes bits a second, at least 8kbit: 100mbit";
        f->rate_bps = (uint64_t)n;
    } else if (strcmp(kind, "blackhole") == 0) {
        if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
            return "blackhole takes on or off";
        f->blackhole = strcmp(value, "on") == 0;
    } else if (strcmp(kind, "clear") == 0) {
        *f = (struct relay_faults){0};
    } else {
        return "a fault is latency, rate, reset, blackhole or clear";
    }
    return NULL;
}

static void do_fault(struct ctl_call *call)
{
    struct vm *vm = vm_named(call);
    if (!vm)
        return;
    if (strcmp(call->words[2], "reset") == 0) {
        ask(call, vm, VMHOST_RESET);
        return;
    }
    struct err err = {0};
    const char *wrong = fault_read(call, &vm->faults);
    if (wrong)
        ctl_answer(call, false, "%s", wrong);
    else if (vm_update(vm, &err) < 0)
        ctl_answer(call, false, "%s", err.msg);
    else
        ctl_answer(call, true, "done");
}

static json_t *vm_status(struct vm *vm)
{
    if (vm->ready)
        vm_ask(vm, VMHOST_STATS, -1, NULL);
    const struct relay_stats *s = &vm->stats;
    json_t *relay =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "accepted", (json_int_t)s->accepted, "open",
                  (json_int_t)s->open, "refused", (json_int_t)s->refused, "resets", (json_int_t)s->resets,
                  "upBytes", (json_int_t)s->up_bytes, "downBytes", (json_int_t)s->down_bytes);
    json_t *faults = json_pack("{s:I,s:I,s:b}", "latencyUs", (json_int_t)vm->faults.latency_us, "rateBps",
                               (json_int_t)vm->faults.rate_bps, "blackhole", vm->faults.blackhole);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:o,s:o}", "name", vm->spec->name, "group",
                     vm->spec->group, "subscription", vm->subscription, "power", vm_power_name(vm), "address",
                     vm->address, "privateAddress", vm->private_address, "port", (int)vm->port, "vmId",
                     vm->vm_id, "dir", vm->dir, "relay", relay, "faults", faults);
}

static void do_status(struct ctl_call *call)
{
    struct sandbox *sb = call->sb;
    json_t *vms = json_array();
    for (unsigned i = 0; i < sb->world.vms_count; i++)
        json_array_append_new(vms, vm_status(&sb->world.vms[i]));
    json_t *j = json_pack("{s:s,s:s,s:s,s:o,s:O}", "endpoint", sb->http.base, "namespaces",
                          netns_mode_name(sb->fabric.mode), "user", sb->user, "vms", vms, "requests",
                          sb->arm.counters);
    char *text = json_dumps(j, JSON_INDENT(2));
    json_decref(j);
    ctl_answer(call, true, "%s", text);
    free(text);
}

static void on_wait(uv_timer_t *t)
{
    struct ctl_call *call = t->data;
    struct vm *vm;
    if (world_vm_by_word(&call->sb->world, call->words[1], &vm, NULL) == 0 &&
        strcmp(vm_power_name(vm), call->words[2]) == 0) {
        uv_timer_stop(t);
        ctl_answer(call, true, "done");
    } else if ((call->waited_ms += WAIT_STEP_MS) >= WAIT_MAX_MS) {
        uv_timer_stop(t);
        ctl_answer(call, false, "vm %s is not %s after %d s", call->words[1], call->words[2],
                   WAIT_MAX_MS / 1000);
    }
}

static void do_wait(struct ctl_call *call)
{
    if (!vm_named(call))
        return;
    call->timer = mem_zalloc(sizeof *call->timer);
    if (!call->timer) {
        ctl_answer(call, false, "out of memory");
        return;
    }
    uv_timer_init(&call->sb->loop, call->timer);
    call->timer->data = call;
    uv_timer_start(call->timer, on_wait, 0, WAIT_STEP_MS);
}

struct verb {
    const char *name, *form;
    unsigned words_min, words_max;
    void (*run)(struct ctl_call *call);
};

static const struct verb verbs[] = {
    {"start", "start VM", 2, 2, do_start},
    {"deallocate", "deallocate VM", 2, 2, do_deallocate},
    {"recreate", "recreate VM", 2, 2, do_recreate},
    {"kill-ssh", "kill-ssh VM", 2, 2, do_kill_ssh},
    {"fault", "fault VM latency 25ms | rate 100mbit | reset | blackhole on|off | clear", 3, 4, do_fault},
    {"arm", "arm throttle N | status CODE | delay 2s | ... (adit-sandbox ctl --help)", 2, 7, ctl_arm},
    {"world", "world snapshot | caller ADDRESS", 2, 3, ctl_world},
    {"device", "device approve|deny [CODE] | revoke", 2, 3, ctl_device},
    {"identity", "identity fail CODE N", 4, 4, ctl_identity},
    {"graph", "graph stale 30s | clear", 2, 3, ctl_graph},
    {"status", "status", 1, 1, do_status},
    {"wait", "wait VM running|deallocated|stopped", 3, 3, do_wait},
};

void ctl_do(struct ctl_call *call)
{
    for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        const struct verb *v = &verbs[i];
        if (strcmp(v->name, call->words[0]) != 0)
            continue;
        if (call->words_count >= v->words_min && call->words_count <= v->words_max)
            v->run(call);
        else
            ctl_answer(call, false, "usage: adit-sandbox ctl --dir DIR %s", v->form);
        return;
    }
    ctl_answer(call, false, "no such verb: %s; see adit-sandbox ctl --help", call->words[0]);
}
