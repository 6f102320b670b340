/*
 * cmd_ssh_config: `adit ssh-config`: prints Host blocks that lead ssh to VMs through adit, or keeps them
 * installed.
 *
 * The wildcard block serves every VM there is. A VM gets a block of its own for what the wildcard cannot
 * carry: who logs in with what, and the resource ID as the name of its host key. Azure is asked for that ID;
 * when it cannot be, the block goes without, and `adit known-hosts` finds the VM by its name.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "config_file.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "self.h"
#include "ssh_block.h"
#include "ssh_install.h"

#define ASK_MS 15000
#define MARGIN_MS 2000

enum { OPT_INSTALL = 512, OPT_UNINSTALL };

struct ssh_config {
    struct cli *cli;
    const struct config *config;
    char *command;
    struct strbuf out;
    struct control_client *client;
    bool mute; /* Azure or the daemon cannot be asked; said once */
};

static void warn(struct ssh_config *s, const char *name, const struct err *err)
{
    fputs("adit: ssh-config: ", stderr);
    output_text(stderr, name);
    fputs(": no HostKeyAlias in its block: ", stderr);
    output_text(stderr, err->msg);
    fputc('\n', stderr);
    s->mute = err->code != ERR_NOTFOUND && err->code != ERR_AMBIGUOUS;
}

/* The resource ID; NULL when it cannot be had. */
static char *ask_id(struct ssh_config *s, const struct config_vm *vm)
{
    struct err err = {0};
    struct progress progress;
    json_t *facts = NULL;

    if (s->mute || vm->vm.kind == VM_NAME_ADDRESS)
        return NULL;
    progress_begin(&progress);
    int rc = s->client ? 0 : cli_connect(s->cli, CLI_START, &s->client, &err);
    if (rc == 0) {
        char *name = vm_name_text(&vm->vm);
        json_t *args = json_pack("{s:o, s:i}", "name", control_text(name), "timeout_ms", ASK_MS);
        mem_free(name);
        rc = control_call(s->client, "resolve", args, ASK_MS + MARGIN_MS, progress_show, &progress, &facts,
                          NULL, &err);
    }
    progress_end(&progress);
    char *id = rc == 0 ? mem_strdup(json_string_value(json_object_get(facts, "id"))) : NULL;
    json_decref(facts);
    if (rc < 0)
        warn(s, vm->alias, &err);
    return id;
}

/* An alias or a name that ssh may take for something else is not written behind Host. */
static bool is_pattern_free(const char *name)
{
    return *name && *name != '-' && name[strcspn(name, " \t\n\"'\\*?!,#%")] == '\0';
}

/* What may be typed after ssh: "ALIAS.adit" or "name.group.adit", and the name itself when it was asked for.
 */
static char *patterns_of(const struct config_vm *vm, const char *typed, bool adhoc)
{
    const struct vm_name *n = &vm->vm;
    char *dotted = !adhoc                    ? mem_printf("%s.adit", vm->alias)
                   : n->kind == VM_NAME_BARE ? mem_printf("%s.adit", n->name)
                   : n->kind == VM_NAME_GROUP && !n->subscription
                       ? mem_printf("%s.%s.adit", n->name, n->group)
                       : NULL;
    const char *plain = adhoc ? typed : vm->alias;
    char *all = dotted && typed && strcasecmp(dotted, plain) != 0 ? mem_printf("%s %s", plain, dotted)
                                                                  : mem_strdup(dotted ? dotted : plain);
    mem_free(dotted);
    return all;
}

static int add_vm(struct ssh_config *s, const struct config_vm *vm, const char *typed, bool adhoc,
                  struct err *err)
{
    if (!is_pattern_free(adhoc ? typed : vm->alias))
        return typed ? err_set(err, ERR_INVAL, "\"%s\" cannot stand behind Host in ssh_config", typed) : 0;
    char *id = ask_id(s, vm), *patterns = patterns_of(vm, typed, adhoc);
    const struct ssh_block block = {patterns, s->command, &vm->ssh, true, id};
    int rc = patterns ? ssh_block_add(&s->out, &block, err) : err_set(err, ERR_NOMEM, "out of memory");
    strbuf_puts(&s->out, "\n");
    mem_free(id);
    mem_free(patterns);
    return rc;
}

static int add_named(struct ssh_config *s, const char *typed, struct err *err)
{
    const struct config_vm *known = config_vm_find(s->config, typed);
    struct config_vm *adhoc = NULL;
    int rc = known ? 0 : config_vm_adhoc(s->config, typed, NULL, &adhoc, err);
    if (rc == 0)
        rc = add_vm(s, known ? known : adhoc, typed, !known, err);
    config_vm_free(adhoc);
    return rc;
}

static int add_wildcard(struct ssh_config *s, struct err *err)
{
    const struct passwd *me = getpwuid(getuid());
    const struct config_ssh *defaults = &s->config->defaults;
    const struct ssh_block block = {.patterns = "*.adit",
                                    .command = s->command,
                                    .ssh = defaults,
                                    .user = !me || strcmp(me->pw_name, defaults->user) != 0};
    return ssh_block_add(&s->out, &block, err);
}

static int build(struct ssh_config *s, char **names, int count, const char **failed, struct err *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < count; i++) {
        *failed = names[i];
        rc = add_named(s, names[i], err);
    }
    for (size_t i = 0; rc == 0 && count == 0 && i < s->config->vm_count; i++) {
        *failed = s->config->vms[i].alias;
        rc = add_vm(s, &s->config->vms[i], NULL, false, err);
    }
    if (rc == 0) {
        *failed = "*.adit";
        rc = add_wildcard(s, err);
    }
    return rc;
}

/* ssh goes by the user database, not by HOME. */
static void tell_of_another_home(const char *config)
{
    const struct passwd *me = getpwuid(getuid());
    const char *home = getenv("HOME");
    if (me && home && strcmp(me->pw_dir, home) != 0)
        fprintf(stderr, "adit: HOME is not your home directory: ssh reads this file with  ssh -F %s\n",
                config);
}

static int finish(int rc, bool installed, bool changed, struct err *err)
{
    char *config = rc == 0 ? ssh_install_path("config", err) : NULL;
    if (!config)
        return cli_fail(err, "ssh-config");
    if (!changed)
        puts(installed ? "everything is in place already" : "there is nothing to remove");
    else if (installed)
        printf("%s includes adit.conf: `ssh NAME.adit` goes through adit\n", config);
    else
        printf("%s no longer includes adit.conf\n", config);
    if (installed)
        tell_of_another_home(config);
    mem_free(config);
    return 0;
}

static int run(struct ssh_config *s, char **names, int count, bool install)
{
    struct err err = {0};
    char *path = NULL;
    const char *failed = NULL;
    bool changed = false;

    int status = config_file_load(s->cli, NULL, &path, &s->config);
    mem_free(path);
    if (status != 0)
        return status;
    s->command = self_command(s->cli, &err);
    int rc = s->command ? build(s, names, count, &failed, &err) : err.code;
    if (rc < 0)
        return failed ? cli_fail(&err, "ssh-config %s", failed) : cli_fail(&err, "ssh-config");
    if (install) {
        rc = ssh_install(s->out.data, &changed, &err);
        return finish(rc, true, changed, &err);
    }
    fputs(s->out.data, stdout);
    return 0;
}

int cmd_ssh_config(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"install", no_argument, NULL, OPT_INSTALL},
                                            {"uninstall", no_argument, NULL, OPT_UNINSTALL},
                                            {NULL, 0, NULL, 0}};
    struct ssh_config s = {.cli = cli};
    struct err err = {0};
    bool install = false, uninstall = false, changed = false;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        install |= o == OPT_INSTALL;
        uninstall |= o == OPT_UNINSTALL;
    }
    if (uninstall && (install || optind < argc))
        return cli_usage(cli, "--uninstall stands alone");
    if (uninstall) {
        int rc = ssh_uninstall(&changed, &err);
        return finish(rc, false, changed, &err);
    }
    strbuf_init(&s.out);
    int status = run(&s, argv + optind, argc - optind, install);
    control_client_close(s.client);
    strbuf_done(&s.out);
    mem_free(s.command);
    config_unref(s.config);
    return status;
}
