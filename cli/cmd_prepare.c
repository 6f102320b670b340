/*
 * cmd_prepare: `adit prepare`: its command line.
 */
#include <string.h>
#include <sysexits.h>

#include "confirm.h"
#include "options.h"
#include "prepare.h"

#define TIMEOUT_MS (30 * 60 * 1000)

enum {
    OPT_SOURCE = 512,
    OPT_ONLY,
    OPT_DRY_RUN,
    OPT_UNDO,
    OPT_CREATE_PUBLIC_IP,
    OPT_KEY,
    OPT_MAKE_KEY,
    OPT_PRINT
};

/* "rule,login" as an array; empty names are the daemon's to refuse. */
static json_t *split(const char *list)
{
    json_t *names = json_array();
    for (;;) {
        size_t n = strcspn(list, ",");
        json_array_append_new(names, json_stringn_nocheck(list, n));
        if (!list[n])
            return names;
        list += n + 1;
    }
}

static void take(struct prepare_cmd *o, int option, const char *value)
{
    const char **text = option == OPT_SOURCE  ? &o->source
                        : option == OPT_KEY   ? &o->key_file
                        : option == OPT_PRINT ? &o->form
                                              : NULL;
    if (text)
        *text = value;
    if (option == OPT_ONLY) {
        json_decref(o->only);
        o->only = split(value);
    }
    o->yes |= option == 'y';
    o->dry_run |= option == OPT_DRY_RUN;
    o->undo |= option == OPT_UNDO;
    o->create_public_ip |= option == OPT_CREATE_PUBLIC_IP;
    o->make_key |= option == OPT_MAKE_KEY;
    o->as_json |= option == OPT_JSON;
}

static int check(const struct cli *cli, const struct prepare_cmd *o)
{
    static const char *const FORMS[] = {"az", "powershell", "arm", "bicep"};
    bool known = !o->form;
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0] && !known; i++)
        known = strcmp(o->form, FORMS[i]) == 0;
    if (!known)
        return cli_usage(cli, "--print takes az, powershell, arm or bicep, not \"%s\"", o->form);
    if (o->undo && (o->dry_run || o->form))
        return cli_usage(cli, "--undo has neither a plan nor a printed form");
    if (o->make_key && o->key_file)
        return cli_usage(cli, "either --key or --make-key");
    if (!o->yes && !o->dry_run && !o->form && !confirm_possible())
        return cli_usage(cli,
                         "nobody can be asked here: --yes says that it is meant, --dry-run shows the plan");
    return 0;
}

static int parse(struct cli *cli, struct prepare_cmd *o, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"yes", no_argument, NULL, 'y'},
                                            {"only", required_argument, NULL, OPT_ONLY},
                                            {"dry-run", no_argument, NULL, OPT_DRY_RUN},
                                            {"undo", no_argument, NULL, OPT_UNDO},
                                            {"source", required_argument, NULL, OPT_SOURCE},
                                            {"create-public-ip", no_argument, NULL, OPT_CREATE_PUBLIC_IP},
                                            {"key", required_argument, NULL, OPT_KEY},
                                            {"make-key", no_argument, NULL, OPT_MAKE_KEY},
                                            {"print", required_argument, NULL, OPT_PRINT},
                                            {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {NULL, 0, NULL, 0}};

    for (int c; (c = options_next(cli, argc, argv, "y", OPTIONS)) != -1;) {
        if (c == '?' || (c == OPT_TIMEOUT && options_seconds(cli, optarg, &o->timeout_ms) != 0))
            return EX_USAGE;
        take(o, c, optarg);
    }
    if (optind + 1 != argc)
        return cli_usage(cli, optind == argc ? "which VM?" : "one VM at a time");
    o->vm = argv[optind];
    return check(cli, o);
}

int cmd_prepare(struct cli *cli, int argc, char **argv)
{
    struct prepare_cmd o = {.timeout_ms = TIMEOUT_MS};
    int status = parse(cli, &o, argc, argv);
    if (status == 0)
        status = prepare_run(cli, &o);
    json_decref(o.only);
    return status;
}
