/*
 * cmd_ssh: `adit ssh`: the user's ssh on a VM, with `az ssh vm`'s options.
 *
 * adit becomes ssh: the terminal, signals and the exit status are ssh's own, and nothing of adit stays behind
 * but the ProxyCommand that it was given. A command line that asks for forwards and nothing else
 * needs no ssh: it is `adit forward`. Whatever goes wrong before is one line and 255.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "config_file.h"
#include "progress.h"
#include "self.h"
#include "ssh_args.h"

#define STATUS 255
#define ASK_MS 30000
#define MARGIN_MS 2000

/* A list of words for exec(3); owns them. Bad after a failed allocation. */
struct words {
    char **v;
    size_t n, cap;
    bool bad;
    bool batch; /* --batch: also for `adit proxy` */
};

static void add(struct words *w, char *word)
{
    if (w->n + 2 > w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 32;
        char **v = mem_realloc(w->v, cap * sizeof *v);
        if (v) {
            w->v = v;
            w->cap = cap;
        }
    }
    w->bad |= !word || w->n + 2 > w->cap;
    if (w->bad) {
        mem_free(word);
        return;
    }
    w->v[w->n++] = word;
    w->v[w->n] = NULL;
}

static void add_copy(void *arg, char *word)
{
    add(arg, mem_strdup(word));
}

static void add_pair(struct words *w, const char *option, const char *value)
{
    add(w, mem_strdup(option));
    add(w, mem_strdup(value));
}

static void add_forward(void *arg, char option, char *spec)
{
    const char text[] = {'-', option, '\0'};
    add_pair(arg, text, spec);
}

static void words_done(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        mem_free(w->v[i]);
    mem_free(w->v);
}

/* The VM's first private address, and its resource ID. */
static int ask_private(struct cli *cli, const char *vm, char **ip, char **id, struct err *err)
{
    struct control_client *c = NULL;
    struct progress progress;
    json_t *facts = NULL, *a;
    size_t i;

    progress_begin(&progress);
    int rc = cli_connect(cli, CLI_START, &c, err);
    if (rc == 0) {
        json_t *args = json_pack("{s:o, s:i}", "name", control_text(vm), "timeout_ms", ASK_MS);
        rc =
            control_call(c, "resolve", args, ASK_MS + MARGIN_MS, progress_show, &progress, &facts, NULL, err);
    }
    progress_end(&progress);
    json_array_foreach(json_object_get(facts, "addresses"), i, a)
    {
        if (!*ip && json_is_false(json_object_get(a, "public")))
            *ip = mem_strdup(json_string_value(json_object_get(a, "ip")));
    }
    *id = mem_strdup(json_string_value(json_object_get(facts, "id")));
    json_decref(facts);
    control_client_close(c);
    if (rc == 0 && !*ip)
        rc = err_set(err, ERR_UNAVAILABLE, "Azure knows no private address of it");
    return rc;
}

/* What adit.yaml says and ssh could not know. What nobody wrote there is left to ssh's own configuration. */
static void add_settings(struct words *w, const struct ssh_args *a, const struct config_ssh *ssh,
                         const struct config_ssh *builtin)
{
    bool usual = ssh->identity_count == builtin->identity_count;
    for (size_t i = 0; usual && i < ssh->identity_count; i++)
        usual = strcmp(ssh->identities[i], builtin->identities[i]) == 0;

    if (a->user || strcmp(ssh->user, builtin->user) != 0)
        add_pair(w, "-l", a->user ? a->user : ssh->user);
    if (a->identity || a->public_key)
        add_pair(w, "-i", a->identity ? a->identity : a->public_key);
    for (size_t i = 0; !usual && !a->identity && !a->public_key && i < ssh->identity_count; i++)
        add_pair(w, "-i", ssh->identities[i]);
    if (!ssh->agent)
        add_pair(w, "-o", "IdentityAgent=none");
    if (a->certificate) {
        add(w, mem_strdup("-o"));
        add(w, mem_printf("CertificateFile=%s", a->certificate));
    }
    if (a->port || ssh->port != builtin->port) {
        add(w, mem_strdup("-p"));
        add(w, mem_printf("%u", a->port ? a->port : ssh->port));
    }
    if (a->batch)
        add_pair(w, "-o", "BatchMode=yes");
}

/* ssh would put another host's address into %h where the user's configuration has a HostName for the name,
 * so both commands get the name itself. */
static int add_commands(struct words *w, struct cli *cli, const char *host, const char *alias, bool by_arm,
                        struct err *err)
{
    struct strbuf quoted;
    char *self = self_command(cli, err);

    strbuf_init(&quoted);
    int rc = self ? self_add_word(&quoted, host, err) : err->code;
    if (rc == 0) {
        add(w, mem_strdup("-o"));
        add(w, mem_printf("ProxyCommand=%s proxy --fdpass %s%s %%p", self, w->batch ? "--batch " : "",
                          quoted.data));
        add_pair(w, "-o", "ProxyUseFdpass=yes");
        add(w, mem_strdup("-o"));
        add(w, mem_printf("HostKeyAlias=%s", alias));
        add(w, mem_strdup("-o"));
        add(w, mem_printf("KnownHostsCommand=%s known-hosts %%H%s", self, by_arm ? " %t %K" : ""));
        if (by_arm)
            add_pair(w, "-o", "StrictHostKeyChecking=yes");
    }
    strbuf_done(&quoted);
    mem_free(self);
    return rc;
}

static int build(struct words *w, struct cli *cli, const struct ssh_args *a, const struct config *config,
                 const struct config *builtin, struct err *err)
{
    const struct config_vm *known = config_vm_find(config, a->vm);
    const struct config_ssh *ssh = known ? &known->ssh : &config->defaults;
    char *ip = NULL, *id = NULL;

    int rc = a->private_ip ? ask_private(cli, a->vm, &ip, &id, err) : 0;
    add(w, a->client_folder ? mem_printf("%s/ssh", a->client_folder) : mem_strdup("ssh"));
    if (rc == 0)
        rc = add_commands(w, cli, ip ? ip : a->vm, id ? id : a->vm,
                          ssh->host_key_check == CONFIG_HOST_KEY_ARM, err);
    add_settings(w, a, ssh, &builtin->defaults);
    add(w, mem_strdup(a->vm));
    for (int i = 0; i < a->word_count; i++)
        add_copy(w, a->words[i]);
    mem_free(ip);
    mem_free(id);
    if (rc < 0 || (!w->bad && w->v))
        return rc;
    err_set(err, ERR_NOMEM, "out of memory");
    return ERR_NOMEM;
}

static int become(struct words *w, struct err *err)
{
    signal(SIGPIPE, SIG_DFL);
    execvp(w->v[0], w->v);
    if (errno == ENOENT)
        return err_set(err, ERR_NOTFOUND,
                       "there is no %s%s: install OpenSSH's client, or say where it is "
                       "with --ssh-client-folder",
                       w->v[0], strchr(w->v[0], '/') ? "" : " in PATH");
    return err_sys(err, errno, "cannot run %s", w->v[0]);
}

static int run_ssh(struct cli *cli, const struct ssh_args *a)
{
    const struct config *config = NULL, *builtin = NULL;
    struct words w = {.batch = a->batch};
    struct err err = {0};
    char *path = NULL;

    int rc = config_file_load(cli, NULL, &path, &config) == 0 ? 0 : 1;
    if (rc == 0)
        rc = config_load(&builtin, NULL, NULL, &err);
    if (rc == 0)
        rc = build(&w, cli, a, config, builtin, &err);
    if (rc == 0)
        rc = become(&w, &err);
    if (rc < 0)
        cli_fail(&err, "ssh %s", a->vm);
    words_done(&w);
    config_unref(builtin);
    config_unref(config);
    mem_free(path);
    return STATUS;
}

static int run_forward(struct cli *cli, const struct ssh_args *a)
{
    struct words w = {0};

    add_pair(&w, "forward", a->vm);
    if (a->user)
        add_pair(&w, "--user", a->user);
    if (a->batch)
        add(&w, mem_strdup("--batch"));
    ssh_args_only_forwards(a, add_forward, &w);
    optind = 0; /* getopt begins anew */
    int status = w.bad ? STATUS : cmd_forward(cli, (int)w.n, w.v);
    words_done(&w);
    return status == 0 || status > 128 ? status : STATUS;
}

int cmd_ssh(struct cli *cli, int argc, char **argv)
{
    struct ssh_args a;
    int status = ssh_args_parse(&a, cli, argc, argv);

    if (status == 0 && !a.vm) {
        struct err err = {0};
        err_set(&err, ERR_NOMEM, "out of memory");
        status = cli_fail(&err, "ssh");
    }
    if (status == 0)
        status = ssh_args_only_forwards(&a, NULL, NULL) ? run_forward(cli, &a) : run_ssh(cli, &a);
    else
        status = STATUS;
    ssh_args_done(&a);
    return status;
}
