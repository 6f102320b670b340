/*
 * cmd_known_hosts: `adit known-hosts`: ssh's KnownHostsCommand: the host keys of a VM as adit knows them.
 *
 * What is not known is no error: it prints nothing, and ssh does as with any new host. A resource ID needs no
 * daemon; any other name is looked up by one that runs, as one does when ssh came through `adit proxy`. Under
 * host-key-check: arm that one asks Azure first, and when it cannot, nothing is printed but why.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "host_keys.h"
#include "options.h"

#define FILE_MAX ((size_t)4 << 20)
#define ASK_MS 200000 /* the daemon has a limit of its own, longer where Azure is asked for the keys */
#define NO_KEY "NONE" /* what ssh puts for %K before it has seen one */

/* Names that ssh would take for a pattern, or that would break the line. */
static bool is_plain(const char *host)
{
    for (const unsigned char *p = (const unsigned char *)host; *p; p++)
        if (*p <= ' ' || *p == 0x7F || strchr(",*?!#", *p))
            return false;
    return *host && *host != '@' && *host != '|';
}

/* "[host]:port", as ssh writes it for another port than 22, without them. */
static char *bare_name(const char *host)
{
    const char *end = strrchr(host, ']');
    return host[0] == '[' && end ? mem_strndup(host + 1, (size_t)(end - host - 1)) : mem_strdup(host);
}

/* What the daemon says of the name: NULL when none runs, or it does not know. */
static json_t *ask(struct cli *cli, const char *name, const char *key)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *answer = NULL;

    if (cli_connect(cli, CLI_RUNNING_ONLY, &c, &err) < 0)
        return NULL;
    json_t *args = json_pack("{s:o}", "name", control_text(name));
    if (key)
        json_object_set_new(args, "key", control_text(key));
    if (control_call(c, "host-keys", args, ASK_MS, NULL, NULL, &answer, NULL, &err) < 0)
        answer = NULL;
    control_client_close(c);
    return answer;
}

static const char *member(const json_t *answer, const char *key)
{
    return json_string_value(json_object_get(answer, key));
}

static int print_lines(const char *file, const char *name, const json_t *answer, const char *host)
{
    struct err err = {0};
    struct strbuf out;
    char *text = NULL;
    size_t len;
    int rc = fs_read(file, FILE_MAX, &text, &len, &err);

    if (rc < 0)
        return rc == ERR_NOTFOUND ? 0 : cli_fail(&err, "known-hosts");
    strbuf_init(&out);
    host_keys_pick(text, name, member(answer, "vm_id"), json_is_true(json_object_get(answer, "reported")),
                   host, &out);
    if (out.data && !out.bad)
        fputs(out.data, stdout);
    strbuf_done(&out);
    mem_free(text);
    return 0;
}

static int print(struct cli *cli, const char *host, const char *key)
{
    struct err err = {0};
    char *name = bare_name(host), *file = paths_known_hosts(&err);
    json_t *answer = name && file ? ask(cli, name, key) : NULL;
    const json_t *error = json_object_get(answer, "error");
    const char *named = member(answer, "host"), *place = member(answer, "file");
    int status;

    if (!file || !name) {
        status = cli_fail(&err, "known-hosts");
    } else if (error) {
        control_err_from_json(&err, error);
        status = cli_fail(&err, "known-hosts");
    } else {
        status = print_lines(place ? place : file, named ? named : host, answer, host);
    }
    json_decref(answer);
    mem_free(file);
    mem_free(name);
    return status;
}

int cmd_known_hosts(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{NULL, 0, NULL, 0}};

    if (options_next(cli, argc, argv, "", OPTIONS) != -1)
        return EX_USAGE;
    if (optind + 1 != argc && optind + 3 != argc)
        return cli_usage(cli, "one host must be given, and perhaps a key's type and the key");
    const char *key = optind + 3 == argc && strcmp(argv[optind + 2], NO_KEY) != 0 ? argv[optind + 2] : NULL;
    return is_plain(argv[optind]) ? print(cli, argv[optind], key) : 0;
}
