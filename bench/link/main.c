/*
 * main: adit-link, a long link in user space: a TCP relay on loopback that delays and limits what it carries.
 *
 * It stands in for the kernel's netem where that is missing. What it cannot show: TCP's own behaviour over
 * the delay (slow start, Nagle's wait for an acknowledgement), because each of its two TCP connections is
 * local.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "measure.h"
#include "relay.h"
#include "tun.h"

static const char USAGE[] =
    "usage: adit-link --to PORT [--port N] [--delay MS] [--rate MBIT]\n"
    "\n"
    "Relays 127.0.0.1:N to 127.0.0.1:PORT over a modelled link. Prints {\"port\":N}.\n"
    "\n"
    "  --port N      listen here; 0, the default, takes a free port\n"
    "  --delay MS    one way, 0 to 1000; 25\n"
    "  --rate MBIT   each way, 1 to 10000; 1000\n"
    "  --queue MS    before the bottleneck, 1 to 1000; 50\n";

struct options {
    bool tun;
    long port, delay, rate, queue;
    uint16_t to[LINK_PORTS_MAX];
    unsigned to_count;
};

static bool number(const char *text, long least, long most, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    if (!errno && end != text && !*end && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "adit-link: \"%s\" is not a number from %ld to %ld\n", text, least, most);
    return false;
}

static bool far_port(struct options *o)
{
    long port;
    if (o->to_count == LINK_PORTS_MAX || !number(optarg, 1, 65535, &port))
        return false;
    o->to[o->to_count++] = (uint16_t)port;
    return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
    static const struct option LONG[] = {{"to", required_argument, NULL, 't'},
                                         {"port", required_argument, NULL, 'p'},
                                         {"delay", required_argument, NULL, 'd'},
                                         {"rate", required_argument, NULL, 'r'},
                                         {"queue", required_argument, NULL, 'q'},
                                         {"tun", no_argument, NULL, 'n'},
                                         {NULL, 0, NULL, 0}};
    *o = (struct options){.delay = 25, .rate = 1000, .queue = 50};
    for (int c; (c = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        bool fine = c == 't'   ? far_port(o)
                    : c == 'p' ? number(optarg, 0, 65535, &o->port)
                    : c == 'd' ? number(optarg, 0, 1000, &o->delay)
                    : c == 'r' ? number(optarg, 1, 10000, &o->rate)
                    : c == 'q' ? number(optarg, 1, 1000, &o->queue)
                               : c == 'n';
        if (!fine)
            return false;
        o->tun |= c == 'n';
    }
    return optind == argc && (o->tun ? o->to_count > 0 : o->to_count == 1);
}

static int carry_packets(const struct options *o, const struct link_line *line, struct err *err)
{
    struct link_tun t = {
        .up = *line, .down = *line, .queue_ns = (uint64_t)o->queue * NS_PER_MS, .port_count = o->to_count};
    for (unsigned i = 0; i < o->to_count; i++)
        t.ports[i] = o->to[i];
    int rc = link_tun_open(&t, err);
    if (rc < 0)
        return rc;
    printf("{\"device\":\"%s\",\"near\":\"%s\",\"far\":\"%s\"}\n", LINK_DEVICE, LINK_NEAR, LINK_FAR);
    fflush(stdout);
    link_tun_run(&t);
    return err_set(err, ERR_CLOSED, "the device " LINK_DEVICE " is gone");
}

int main(int argc, char **argv)
{
    struct options o;
    struct err err = {0};

    if (!parse(&o, argc, argv)) {
        fputs(USAGE, stderr);
        return EX_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    struct link_line line = {(uint64_t)o.delay * NS_PER_MS, (uint64_t)o.rate * 125000, 0};
    int rc = o.tun ? carry_packets(&o, &line, &err) : link_relay_run((uint16_t)o.port, o.to[0], &line, &err);
    fprintf(stderr, "adit-link: %s\n", err.msg);
    return err_exit_status(rc);
}
