/*
 * options: words and numbers of the command line, each with its bounds.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sock.h"
#include "wire.h"

static const char USAGE[] =
    "usage: adit-load serve      [--port N]\n"
    "       adit-load throughput --port N [--direction down|up|both] [--streams N]\n"
    "       adit-load ping       --port N [--size BYTES] [--beside down|up|stopped --beside-port N]\n"
    "       adit-load connect    --port N [--count N] [--parallel N]\n"
    "       adit-load idle       --port N [--flows N] [--hold MS]\n"
    "       adit-load pattern\n"
    "\n"
    "Makes and checks traffic on 127.0.0.1 and prints what it measured as one line of JSON.\n"
    "\n"
    "  --port N          `serve`: listen here (0, the default, takes a free port); else: connect here\n"
    "  --address A       instead of 127.0.0.1: another of 127.0.0.0/8 or 198.18.0.0/15\n"
    "  --warmup MS       not counted, 0 to 60000; 200\n"
    "  --time MS         counted, 1 to 120000; 1000. connect: an upper bound\n"
    "  --pid PID         also tell what this process uses; up to 16 times\n"
    "  --streams N       1 to 1024; 1\n"
    "  --size BYTES      1 to 65536; 64\n"
    "  --count N         1 to 1000000; 1000\n"
    "  --parallel N      1 to 256; 1\n"
    "  --flows N         0 to 15000; 1\n"
    "  --hold MS         0 to 60000; 500\n";

enum {
    OPT_PORT = 256,
    OPT_DIRECTION,
    OPT_STREAMS,
    OPT_WARMUP,
    OPT_TIME,
    OPT_PID,
    OPT_SIZE,
    OPT_COUNT,
    OPT_PARALLEL,
    OPT_FLOWS,
    OPT_HOLD,
    OPT_BESIDE,
    OPT_BESIDE_PORT,
    OPT_ADDRESS,
};

static const struct option LONG[] = {
    {"port", required_argument, NULL, OPT_PORT},
    {"direction", required_argument, NULL, OPT_DIRECTION},
    {"streams", required_argument, NULL, OPT_STREAMS},
    {"warmup", required_argument, NULL, OPT_WARMUP},
    {"time", required_argument, NULL, OPT_TIME},
    {"pid", required_argument, NULL, OPT_PID},
    {"size", required_argument, NULL, OPT_SIZE},
    {"count", required_argument, NULL, OPT_COUNT},
    {"parallel", required_argument, NULL, OPT_PARALLEL},
    {"flows", required_argument, NULL, OPT_FLOWS},
    {"hold", required_argument, NULL, OPT_HOLD},
    {"beside", required_argument, NULL, OPT_BESIDE},
    {"beside-port", required_argument, NULL, OPT_BESIDE_PORT},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const struct mode {
    const char *name;
    load_mode_fn *run;
    bool needs_port;
} MODES[] = {
    {"serve", load_serve, false}, {"throughput", load_throughput, true},
    {"ping", load_ping, true},    {"connect", load_connect, true},
    {"idle", load_idle, true},    {"pattern", load_pattern, false},
};

static bool number(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || value < least || value > most) {
        fprintf(stderr, "adit-load: \"%s\" is not a number from %u to %u\n", text, least, most);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static bool port(const char *text, uint16_t *out)
{
    uint32_t value;
    if (!number(text, 0, 65535, &value))
        return false;
    *out = (uint16_t)value;
    return true;
}

static bool word(const char *text, const char *const *words, size_t count, size_t *out)
{
    for (*out = 0; *out < count; ++*out)
        if (strcmp(text, words[*out]) == 0)
            return true;
    fprintf(stderr, "adit-load: \"%s\" is none of the words that can stand there\n", text);
    return false;
}

static bool pid(const char *text, struct load_options *o)
{
    uint32_t value;
    if (o->pid_count == USAGE_PIDS_MAX) {
        fprintf(stderr, "adit-load: at most %d processes\n", USAGE_PIDS_MAX);
        return false;
    }
    if (!number(text, 1, INT32_MAX, &value))
        return false;
    o->pids[o->pid_count++] = (pid_t)value;
    return true;
}

static bool address(const char *text)
{
    struct err err = {0};
    if (sock_choose_address(text, &err) == 0)
        return true;
    fprintf(stderr, "adit-load: %s\n", err.msg);
    return false;
}

static bool take(struct load_options *o, int option)
{
    static const char *const DIRECTIONS[] = {"down", "up", "both"};
    static const char *const BESIDES[] = {"down", "up", "stopped"};
    size_t at;

    switch (option) {
    case OPT_PORT:
        return port(optarg, &o->port);
    case OPT_BESIDE_PORT:
        return port(optarg, &o->beside_port);
    case OPT_DIRECTION:
        if (!word(optarg, DIRECTIONS, 3, &at))
            return false;
        o->kind = HELLO_DOWN + at;
        return true;
    case OPT_BESIDE:
        if (!word(optarg, BESIDES, 3, &at))
            return false;
        o->beside = (enum load_beside)(LOAD_BESIDE_DOWN + at);
        return true;
    case OPT_STREAMS:
        return number(optarg, 1, 1024, &o->streams);
    case OPT_WARMUP:
        return number(optarg, 0, 60000, &o->warmup_ms);
    case OPT_TIME:
        return number(optarg, 1, 120000, &o->time_ms);
    case OPT_PID:
        return pid(optarg, o);
    case OPT_SIZE:
        return number(optarg, 1, 65536, &o->size);
    case OPT_COUNT:
        return number(optarg, 1, 1000000, &o->count);
    case OPT_PARALLEL:
        return number(optarg, 1, 256, &o->parallel);
    case OPT_FLOWS:
        return number(optarg, 0, 15000, &o->flows);
    case OPT_HOLD:
        return number(optarg, 0, 60000, &o->hold_ms);
    case OPT_ADDRESS:
        return address(optarg);
    default:
        return false;
    }
}

load_mode_fn *options_parse(struct load_options *o, int argc, char **argv, int *status)
{
    *o = (struct load_options){.kind = HELLO_DOWN,
                               .streams = 1,
                               .warmup_ms = 200,
                               .time_ms = 1000,
                               .size = 64,
                               .count = 1000,
                               .parallel = 1,
                               .flows = 1,
                               .hold_ms = 500};
    *status = EX_USAGE;
    for (int c; (c = getopt_long(argc, argv, "h", LONG, NULL)) != -1;) {
        if (c == 'h') {
            fputs(USAGE, stdout);
            *status = 0;
            return NULL;
        }
        if (!take(o, c))
            return NULL;
    }
    for (size_t i = 0; optind == argc - 1 && i < sizeof MODES / sizeof *MODES; i++) {
        if (strcmp(argv[optind], MODES[i].name) != 0)
            continue;
        if ((MODES[i].needs_port && !o->port) || (o->beside && !o->beside_port)) {
            fprintf(stderr, "adit-load: %s needs %s\n", MODES[i].name, o->port ? "--beside-port" : "--port");
            return NULL;
        }
        return MODES[i].run;
    }
    fputs(USAGE, stderr);
    return NULL;
}
