/*
 * cmd_known_hosts: `adit known-hosts`: ssh's KnownHostsCommand: the host keys of a VM as adit knows them.
 *
 * What is not known is no error: it prints nothing, and ssh does as with any new host. A resource ID needs no
 * daemon; any other name is looked up by one that runs, as one does when ssh came through `adit proxy`.
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
#define ASK_MS 5000

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
static json_t *ask(struct cli *cli, const char *name)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *facts = NULL;

    if (cli_connect(cli, CLI_RUNNING_ONLY, &c, &err) < 0)
        return NULL;
    json_t *args = json_pack("{s:o, s:i}", "name", control_text(name), "timeout_ms", ASK_MS);
    if (control_call(c, "resolve", args, ASK_MS, NULL, NULL, &facts, NULL, &err) < 0)
        facts = NULL;
    control_client_close(c);
    return facts;
}

static const char *member(const json_t *facts, const char *key)
{
    return json_string_value(json_object_get(facts, key));
}

static void pick(const json_t *facts, const char *text, const char *host, struct strbuf *out)
{
    const char *id = member(facts, "id"), *address = member(facts, "name");
    json_int_t port = json_integer_value(json_object_get(facts, "port"));

    if (id) {
        host_keys_pick(text, id, member(facts, "vm_id"), host, out);
    } else if (address) {
        char *name =
            port == 22 || port == 0 ? mem_strdup(address) : mem_printf("[%s]:%d", address, (int)port);
        if (name)
            host_keys_pick(text, name, NULL, host, out);
        mem_free(name);
    } else {
        host_keys_pick(text, host, NULL, host, out);
    }
}

static int print(struct cli *cli, const char *host)
{
    struct err err = {0};
    char *text = NULL, *name = bare_name(host), *file = paths_known_hosts(&err);
    size_t len;
    int rc = !file ? err.code : fs_read(file, FILE_MAX, &text, &len, &err);

    if (rc == 0) {
        struct strbuf out;
        json_t *facts = name ? ask(cli, name) : NULL;
        strbuf_init(&out);
        pick(facts, text, host, &out);
        if (out.data && !out.bad)
            fputs(out.data, stdout);
        strbuf_done(&out);
        json_decref(facts);
    }
    mem_free(text);
    mem_free(file);
    mem_free(name);
    return rc == 0 || rc == ERR_NOTFOUND ? 0 : cli_fail(&err, "known-hosts");
}

int cmd_known_hosts(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{NULL, 0, NULL, 0}};

    if (options_next(cli, argc, argv, "", OPTIONS) != -1)
        return EX_USAGE;
    if (optind + 1 != argc)
        return cli_usage(cli, "one host must be given");
    return is_plain(argv[optind]) ? print(cli, argv[optind]) : 0;
}
