/*
 * options: aditd's command line.
 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char USAGE[] =
    "usage: aditd [-f] [--config FILE] [--log-level LEVEL] [--log-format FORMAT]\n"
    "\n"
    "Keeps SSH connections to Azure VMs up and carries forwards over them. `adit` starts it\n"
    "on demand; aditd(8) tells the rest.\n"
    "\n"
    "  -f, --foreground      stay in the foreground and log to standard error\n"
    "  -c, --config FILE     read FILE instead of $XDG_CONFIG_HOME/adit/adit.yaml\n"
    "      --log-level LEVEL debug, info, warn or error; goes before the file's log-level\n"
    "      --log-format FMT  text or json\n"
    "      --version         print the version\n"
    "  -h, --help            print this\n";

enum { OPT_LEVEL = 256, OPT_FORMAT, OPT_VERSION };

static const struct option LONG[] = {
    {"foreground", no_argument, NULL, 'f'},
    {"config", required_argument, NULL, 'c'},
    {"log-level", required_argument, NULL, OPT_LEVEL},
    {"log-format", required_argument, NULL, OPT_FORMAT},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int wrong(const char *what, const char *word, const char *allowed)
{
    fprintf(stderr, "aditd: %s must be %s, not \"%s\"\n", what, allowed, word);
    return EX_USAGE;
}

int daemon_options_parse(struct daemon_options *o, int argc, char **argv)
{
    memset(o, 0, sizeof *o);
    o->level = LOG_INFO;
    o->format = LOG_TEXT;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "fc:h", LONG, NULL)) != -1;) {
        switch (c) {
        case 'f':
            o->foreground = true;
            break;
        case 'c':
            o->config = optarg;
            break;
        case OPT_LEVEL:
            if (log_level_parse(optarg, &o->level) < 0)
                return wrong("--log-level", optarg, "debug, info, warn or error");
            o->level_given = true;
            break;
        case OPT_FORMAT:
            if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
                return wrong("--log-format", optarg, "text or json");
            o->format = optarg[0] == 'j' ? LOG_JSON : LOG_TEXT;
            break;
        case OPT_VERSION:
            printf("aditd %s\n", ADIT_VERSION);
            return 0;
        case 'h':
            fputs(USAGE, stdout);
            return 0;
        default:
            fprintf(stderr, "aditd: `aditd --help` lists the options\n");
            return EX_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "aditd: \"%s\": it takes no arguments, only options; `aditd --help` lists them\n",
            argv[optind]);
    return EX_USAGE;
}
