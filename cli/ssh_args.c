/*
 * ssh_args: the command line of `adit ssh`: the options of `az ssh vm`, then "--" and ssh's own words.
 */
#include "ssh_args.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "config/forward_spec.h"
#include "options.h"

enum { OPT_IP = 512, OPT_LOCAL_USER, OPT_PORT, OPT_PRIVATE_IP, OPT_RESOURCE_TYPE, OPT_CLIENT_FOLDER };

static const struct option OPTIONS[] = {
    {"resource-group", required_argument, NULL, 'g'},
    {"name", required_argument, NULL, 'n'},
    {"vm-name", required_argument, NULL, 'n'},
    {"ip", required_argument, NULL, OPT_IP},
    {"hostname", required_argument, NULL, OPT_IP},
    {"private-key-file", required_argument, NULL, 'i'},
    {"public-key-file", required_argument, NULL, 'p'},
    {"local-user", required_argument, NULL, OPT_LOCAL_USER},
    {"certificate-file", required_argument, NULL, 'c'},
    {"port", required_argument, NULL, OPT_PORT},
    {"prefer-private-ip", no_argument, NULL, OPT_PRIVATE_IP},
    {"resource-type", required_argument, NULL, OPT_RESOURCE_TYPE},
    {"ssh-client-folder", required_argument, NULL, OPT_CLIENT_FOLDER},
    {"yes-without-prompt", no_argument, NULL, 'y'},
    {"batch", no_argument, NULL, OPT_BATCH},
    {NULL, 0, NULL, 0},
};

struct target {
    const char *group, *name, *ip, *typed;
};

static int check_type(const struct cli *cli, const char *type)
{
    if (strcasecmp(type, "Microsoft.Compute") == 0 ||
        strcasecmp(type, "Microsoft.Compute/virtualMachines") == 0)
        return 0;
    return cli_usage(cli, "adit serves Microsoft.Compute/virtualMachines, not %s: try `az ssh arc`", type);
}

static int take(struct ssh_args *a, struct target *t, const struct cli *cli, int option)
{
    const char **text = option == 'g'                 ? &t->group
                        : option == 'n'               ? &t->name
                        : option == OPT_IP            ? &t->ip
                        : option == 'i'               ? &a->identity
                        : option == 'p'               ? &a->public_key
                        : option == 'c'               ? &a->certificate
                        : option == OPT_LOCAL_USER    ? &a->user
                        : option == OPT_CLIENT_FOLDER ? &a->client_folder
                                                      : NULL;
    if (text && !*optarg)
        return cli_usage(cli, "an option's value is empty");
    if (text)
        *text = optarg;
    a->private_ip |= option == OPT_PRIVATE_IP;
    a->batch |= option == OPT_BATCH;
    if (option == OPT_PORT)
        return options_number(cli, "the port", optarg, 1, UINT16_MAX, &a->port);
    return option == OPT_RESOURCE_TYPE ? check_type(cli, optarg) : 0;
}

/* "user@" in front of a plain name. */
static const char *split_user(struct ssh_args *a, char *typed)
{
    char *at = strrchr(typed, '@');
    if (!at || at == typed)
        return typed;
    *at = '\0';
    a->user = a->user ? a->user : typed;
    return at + 1;
}

static int find_target(struct ssh_args *a, const struct target *t, const struct cli *cli)
{
    if (!t->ip && !t->name && !t->typed)
        return cli_usage(cli, t->group ? "-g needs -n: which VM of the group?" : "which VM?");
    if (!!t->ip + !!t->name + !!t->typed > 1 || (t->group && !t->name))
        return cli_usage(cli, "either a VM's name, or -g and -n, or --ip");
    if (t->ip && a->private_ip)
        return cli_usage(cli, "--prefer-private-ip has nothing to choose from beside --ip");
    a->vm = t->group ? mem_printf("%s/%s", t->group, t->name)
                     : mem_strdup(t->ip     ? t->ip
                                  : t->name ? t->name
                                            : t->typed);
    if (a->vm && (a->vm[0] == '-' || a->vm[0] == '\0'))
        return cli_usage(cli, "\"%s\" is no VM's name", a->vm);
    return 0;
}

int ssh_args_parse(struct ssh_args *a, const struct cli *cli, int argc, char **argv)
{
    struct target t = {0};
    int own = 1, status = 0;

    *a = (struct ssh_args){0};
    while (own < argc && strcmp(argv[own], "--") != 0)
        own++;
    a->words = argv + (own < argc ? own + 1 : own);
    a->word_count = own < argc ? argc - own - 1 : 0;
    for (int o; status == 0 && (o = options_next(cli, own, argv, "g:n:i:p:c:y", OPTIONS)) != -1;)
        status = o == '?' ? 64 : take(a, &t, cli, o);
    if (status != 0)
        return status;
    if (own - optind > 1)
        return cli_usage(cli, "what ssh is to do stands behind --, as in: adit ssh %s -- uptime",
                         argv[optind]);
    if (own - optind == 1)
        t.typed = split_user(a, argv[optind]);
    return find_target(a, &t, cli);
}

void ssh_args_done(struct ssh_args *a)
{
    mem_free(a->vm);
}

/* -R with a port alone: a SOCKS proxy at the VM is ssh's to serve. */
static bool is_proxy_there(const char *text)
{
    struct forward_spec spec;
    if (forward_spec_parse(&spec, FORWARD_REMOTE, text, NULL) < 0)
        return false;
    bool proxy = !spec.target.host && !spec.target.path;
    forward_spec_done(&spec);
    return proxy;
}

bool ssh_args_only_forwards(const struct ssh_args *a, ssh_args_forward_cb add, void *arg)
{
    bool no_command = false, any = false;

    if (a->identity || a->public_key || a->certificate || a->client_folder || a->port || a->private_ip)
        return false;
    for (int i = 0; i < a->word_count; i++) {
        char *p = a->words[i];
        if (*p++ != '-')
            return false;
        for (; *p == 'N'; p++)
            no_command = true;
        if (*p == 'L' || *p == 'D' || *p == 'R') {
            char option = *p;
            char *spec = p[1] ? p + 1 : i + 1 < a->word_count ? a->words[++i] : NULL;
            if (!spec || (option == 'R' && is_proxy_there(spec)))
                return false;
            any = true;
            if (add)
                add(arg, option, spec);
        } else if (*p || p[-1] == '-') {
            return false;
        }
    }
    return no_command && any;
}
