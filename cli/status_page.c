/*
 * status_page: the answer of "status" (docs/protocol.md) as the page a user keeps looking at.
 *
 *   VM     STATE    SINCE  ADDRESS        RTT
 *     LISTENING       TARGET          OPEN  TOTAL  IN  OUT
 *   win11  up       3m12s  20.1.2.3:22    0.8ms
 *     127.0.0.1:3389  localhost:3389  1     12     …
 *   db1    waiting  12s    10.0.0.4:22    -      next attempt in 3s
 *     ! why
 */
#include "status_page.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "forward_list.h"
#include "table.h"

#define BOLD "1"
#define DIM "2"
#define RED "31"
#define GREEN "32"
#define YELLOW "33"

enum { GROUP_VM, GROUP_FORWARD, GROUP_NOTE };

#define INDENT 2

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static uint64_t number(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));
    return n > 0 ? (uint64_t)n : 0;
}

static void cell_number(struct table *t, uint64_t n)
{
    char buf[FORMAT_MAX];
    snprintf(buf, sizeof buf, "%llu", (unsigned long long)n);
    table_cell(t, NULL, buf);
}

static const char *state_style(const char *state)
{
    if (!state || strcmp(state, "down") == 0 || strcmp(state, "idle") == 0)
        return DIM;
    if (strcmp(state, "up") == 0)
        return GREEN;
    return strcmp(state, "failed") == 0 ? RED : YELLOW;
}

static void heading(struct table *t)
{
    static const char *const VM[] = {"VM", "STATE", "SINCE", "ADDRESS", "RTT", ""};
    static const char *const FORWARD[] = {"LISTENING", "TARGET", "OPEN", "TOTAL", "IN", "OUT", ""};

    table_row(t, GROUP_VM, 0);
    for (size_t i = 0; i < sizeof VM / sizeof VM[0]; i++)
        table_cell(t, DIM, VM[i]);
    table_row(t, GROUP_FORWARD, INDENT);
    for (size_t i = 0; i < sizeof FORWARD / sizeof FORWARD[0]; i++)
        table_cell(t, DIM, FORWARD[i]);
}

static void note(struct table *t, unsigned indent, const char *what)
{
    char line[2048];
    if (!what)
        return;
    snprintf(line, sizeof line, "! %s", what);
    table_row(t, GROUP_NOTE, indent);
    table_cell(t, RED, line);
}

static void forward(struct table *t, const json_t *f)
{
    char buf[FORMAT_MAX], line[512];
    const char *listening = text(f, "listening");

    table_row(t, GROUP_FORWARD, INDENT);
    if (listening) {
        bool there = forward_list_is(f, FORWARD_REMOTE);
        snprintf(line, sizeof line, "%s%s", there ? "VM " : "", listening);
        table_cell(t, NULL, line);
    } else {
        snprintf(line, sizeof line, "(%s)", text(f, "spec") ? text(f, "spec") : "?");
        table_cell(t, YELLOW, line);
    }
    table_cell(t, NULL, forward_list_is(f, FORWARD_DYNAMIC) ? FORWARD_LIST_ANYWHERE : text(f, "target"));
    cell_number(t, number(f, "flows"));
    cell_number(t, number(f, "flows_total"));
    table_cell(t, NULL, format_bytes(buf, number(f, "bytes_in")));
    table_cell(t, NULL, format_bytes(buf, number(f, "bytes_out")));
    table_cell(t, DIM, json_is_true(json_object_get(f, "runtime")) ? "added" : "");
    note(t, (unsigned)INDENT * 2, text(f, "error"));
}

static void vm(struct table *t, const json_t *v, uint64_t now)
{
    char buf[FORMAT_MAX], line[256] = "";
    const char *state = text(v, "state"), *via = text(v, "via");
    uint64_t since = number(v, "since_ms"), rtt = number(v, "rtt_us");
    bool waiting = state && strcmp(state, "waiting") == 0;
    size_t i;
    const json_t *f;

    table_row(t, GROUP_VM, 0);
    table_cell(t, BOLD, text(v, "vm"));
    table_cell(t, state_style(state), state);
    table_cell(t, NULL, since ? format_duration(buf, now > since ? now - since : 0) : NULL);
    table_cell(t, NULL, text(v, "address"));
    table_cell(t, NULL, rtt ? format_round_trip(buf, rtt) : NULL);
    if (waiting)
        snprintf(line, sizeof line, "next attempt in %s", format_duration(buf, number(v, "retry_in_ms")));
    else if (via)
        snprintf(line, sizeof line, "via %s", via);
    table_cell(t, DIM, line);
    if (!state || strcmp(state, "up") != 0) /* an error that has been overcome is in --json and in the log */
        note(t, INDENT, text(v, "error"));
    json_array_foreach(json_object_get(v, "forwards"), i, f) forward(t, f);
}

static void summary(struct table *t, const json_t *d, uint64_t now)
{
    char line[1024], buf[FORMAT_MAX];
    const json_t *azure = json_object_get(d, "azure");
    uint64_t started = number(d, "started_ms");
    const char *config = text(d, "config");

    snprintf(line, sizeof line, "aditd %s  pid %llu  running for %s  %s",
             text(d, "version") ? text(d, "version") : "?", (unsigned long long)number(d, "pid"),
             format_duration(buf, now > started ? now - started : 0),
             config ? config : "no configuration file");
    table_row(t, GROUP_NOTE, 0);
    table_cell(t, DIM, line);
    if (json_is_true(json_object_get(d, "config_changed")))
        note(t, 0, "the configuration has changed since it was read: `adit reload`");
    if (azure && !json_is_true(json_object_get(azure, "ready")))
        note(t, 0, text(azure, "error"));
}

void status_page_print(const json_t *status, unsigned columns, bool colours, struct strbuf *out)
{
    const json_t *d = json_object_get(status, "daemon"), *vms = json_object_get(status, "vms"), *v;
    uint64_t now = number(d, "now_ms");
    struct table t;
    size_t i;

    table_init(&t);
    summary(&t, d, now);
    if (json_array_size(vms) > 0)
        heading(&t);
    json_array_foreach(vms, i, v) vm(&t, v, now);
    if (json_array_size(vms) == 0) {
        table_row(&t, GROUP_NOTE, 0);
        table_cell(&t, NULL,
                   "no VM yet: name some in the configuration, or try `adit forward rg/vm -L 3389`");
    }
    table_print(&t, columns, colours, out);
    table_done(&t);
}
