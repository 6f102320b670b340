/*
 * main: reads the command line of adit-sandbox, a local Azure whose VMs are real SSH servers.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "ctl.h"
#include "sandbox.h"
#include "vmhost.h"

#define EXIT_USAGE 64

static const char help[] =
    "usage: adit-sandbox run --dir DIR [--file WORLD.yaml] [--scale N [--subscriptions M]] [--arm-port N]\n"
    "       adit-sandbox ctl --dir DIR WORD...      (adit-sandbox ctl --help)\n"
    "\n"
    "run builds a small Azure in DIR and stays in the foreground. DIR/ready exists "
    "while all of it is up; then\n"
    "  . DIR/env      points a shell's adit at it.\n"
    "Without --file the world is: rg-desk/win11 (RDP), rg-web/web1 and web2 (HTTP), "
    "rg-data/db1 (private address only),\n"
    "rg-desk/win-new (nothing of the how-to done), rg-lab/off1 (deallocated), "
    "rg-web/web-flex_1a2b3c4d (an instance of a\n"
    "Flexible scale set), rg-web/web-uni instances 0 and 2 (a Uniform one), and twin in both rg-lab and "
    "rg-web. ADIT_SANDBOX_NETNS=none "
    "does without namespaces.\n"
    "--scale adds N VMs that exist in ARM only, spread over M subscriptions; without --file there are no "
    "others.\n";

struct options {
    const char *dir;
    struct world_choice world;
    unsigned port;
};

/* Reads a number of at most `most`; false when it is none. */
static bool number_read(const char *text, unsigned most, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    *out = (unsigned)n;
    return *text >= '0' && *text <= '9' && !*end && n <= most;
}

/* Takes the options off the front; returns the index of the first other word, or a negative number. */
static int options_read(struct options *o, int argc, char **argv)
{
    int i = 2;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        bool good = true;
        if (i + 1 >= argc)
            return -1;
        if (strcmp(argv[i], "--dir") == 0)
            o->dir = argv[i + 1];
        else if (strcmp(argv[i], "--file") == 0)
            o->world.path = argv[i + 1];
        else if (strcmp(argv[i], "--arm-port") == 0)
            good = number_read(argv[i + 1], 65535, &o->port);
        else if (strcmp(argv[i], "--scale") == 0)
            good = number_read(argv[i + 1], WORLD_SCALE_MAX, &o->world.scale);
        else if (strcmp(argv[i], "--subscriptions") == 0)
            good = number_read(argv[i + 1], WORLD_SUBSCRIPTIONS_MAX, &o->world.subscriptions);
        else
            return -1;
        if (!good)
            return -1;
    }
    return o->dir ? i : -1;
}

static int run(const struct options *o)
{
    struct err err = {0};
    char dir[PATH_MAX];
    if (fs_mkdirs(o->dir, 0700, &err) < 0 || !realpath(o->dir, dir)) {
        fprintf(stderr, "adit-sandbox: %s\n", err.code ? err.msg : "cannot resolve --dir");
        return 1;
    }
    return sandbox_run(dir, &o->world, o->port);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "vm-host") == 0 && argc == 3)
        return vmhost_main(argv[2]);
    bool help_asked =
        argc > 1 && (strcmp(argv[argc - 1], "--help") == 0 || strcmp(argv[argc - 1], "-h") == 0);
    if (help_asked) {
        fputs(strcmp(verb, "ctl") == 0 ? ctl_help : help, stdout);
        return 0;
    }
    int at = options_read(&o, argc, argv);
    if (strcmp(verb, "run") == 0 && at == argc)
        return run(&o);
    if (strcmp(verb, "ctl") == 0 && at > 0 && at < argc)
        return ctl_client(o.dir, argc - at, argv + at);
    fputs(help, stderr);
    return EXIT_USAGE;
}
