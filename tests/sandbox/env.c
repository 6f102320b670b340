/*
 * env: writes what a shell and adit need to find this sandbox.
 */
#include "env.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "identity.h"
#include "sandbox.h"
#include "sshd.h"
#include "vm.h"

#define PATH_LEN 512

int env_file_write(struct sandbox *sb, const char *name, struct strbuf *b, struct err *err)
{
    char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/%s", sb->dir, name);
    int rc = b->bad ? err_set(err, ERR_NOMEM, "%s: out of memory", path)
                    : fs_replace(path, b->data ? b->data : "", b->len, 0600, err);
    strbuf_done(b);
    return rc;
}

int env_prepare(struct sandbox *sb, struct err *err)
{
    static const char *const dirs[] = {"", "/vms", "/runtime", "/config", "/state", "/cache"};
    char path[PATH_LEN];
    for (unsigned i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        snprintf(path, sizeof path, "%s%s", sb->dir, dirs[i]);
        int rc = fs_mkdirs(path, 0700, err);
        if (rc)
            return rc;
    }
    env_not_ready(sb);
    snprintf(path, sizeof path, "%s/id_ed25519", sb->dir);
    int rc = sshd_key_new(path, "ed25519", "sandbox", err);
    if (rc)
        return rc;
    size_t n;
    snprintf(path, sizeof path, "%s/id_ed25519.pub", sb->dir);
    rc = fs_read(path, 16384, &sb->public_key, &n, err);
    if (!rc)
        sb->public_key[strcspn(sb->public_key, "\n")] = 0;
    return rc;
}

static void yaml_vm(struct sandbox *sb, const struct vm *vm, struct strbuf *b)
{
    const struct world_vm *s = vm->spec;
    strbuf_printf(b, "  - name: %s\n    vm: %s/%s\n", s->alias, s->group, s->name);
    if (s->via)
        strbuf_printf(b, "    via: %s\n", s->via);
    if (vm->port != 22 && (!s->via || sb->fabric.mode == NETNS_NONE))
        strbuf_printf(b, "    port: %u\n", vm->port);
    if (!s->local_count)
        return;
    strbuf_puts(b, "    local:\n");
    for (unsigned i = 0; i < s->local_count; i++) {
        /* Without namespaces the VM's localhost is this machine's: its services are at its private address
         * then. */
        const char *spec = s->local[i], *host = strstr(spec, ":localhost:");
        if (sb->fabric.mode == NETNS_NONE && host)
            strbuf_printf(b, "      - \"%.*s:%s:%s\"\n", (int)(host - spec), spec, vm->private_address,
                          host + 11);
        else
            strbuf_printf(b, "      - \"%s\"\n", spec);
    }
}

static int yaml_write(struct sandbox *sb, const char *name, const char *credential, struct err *err)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_printf(&b,
                  "# Written by adit-sandbox; it is written again at every start.\n"
                  "azure:\n"
                  "  subscription: %s\n"
                  "  cloud: custom\n"
                  "  arm-endpoint: %s\n"
                  "  login-endpoint: %s\n"
                  "  ca-file: %s/ca.pem\n"
                  "  credential: %s\n"
                  "defaults:\n"
                  "  user: %s\n"
                  "  identity: [%s/id_ed25519]\n"
                  "  host-key-check: accept-new\n"
                  "  ssh-config: off\n" /* the sandbox is the same for everybody */
                  "vms:\n",
                  sb->world.file->subscriptions[0].id, sb->http.base, sb->http.base, sb->dir, credential,
                  sb->user, sb->dir);
    unsigned listed = 0;
    for (unsigned i = 0; i < sb->world.vms_count; i++) {
        if (!sb->world.vms[i].spec->alias)
            continue;
        yaml_vm(sb, &sb->world.vms[i], &b);
        listed++;
    }
    if (!listed)
        strbuf_puts(&b, "  []\n");
    return env_file_write(sb, name, &b, err);
}

void env_line(struct strbuf *b, const char *name, const char *value)
{
    strbuf_printf(b, "export %s='", name);
    for (; *value; value++)
        if (*value == '\'')
            strbuf_puts(b, "'\\''");
        else
            strbuf_add(b, value, 1);
    strbuf_puts(b, "'\n");
}

void env_places(const struct sandbox *sb, struct strbuf *b, const char *config)
{
    static const char *const places[][2] = {{"XDG_RUNTIME_DIR", "runtime"},
                                            {"XDG_CONFIG_HOME", "config"},
                                            {"XDG_STATE_HOME", "state"},
                                            {"XDG_CACHE_HOME", "cache"}};
    char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/%s", sb->dir, config);
    env_line(b, "ADIT_CONFIG", path);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", sb->dir, places[i][1]);
        env_line(b, places[i][0], path);
    }
    env_line(b, "ADIT_SANDBOX_DIR", sb->dir);
}

int env_write(struct sandbox *sb, struct err *err)
{
    struct strbuf b;
    strbuf_init(&b);
    env_places(sb, &b, "adit.yaml");
    env_line(&b, "AZURE_TENANT_ID", sb->world.file->tenant);
    env_line(&b, "AZURE_CLIENT_ID", sb->world.file->client);
    env_line(&b, "AZURE_CLIENT_SECRET", sb->world.file->secret);
    int rc = env_file_write(sb, "env", &b, err);
    rc = rc ? rc : env_identity_write(sb, err);
    rc = rc ? rc : yaml_write(sb, "adit.yaml", "environment", err);
    return rc ? rc : yaml_write(sb, "adit-auto.yaml", "auto", err);
}

int env_ready(struct sandbox *sb, struct err *err)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_printf(&b, "%s\n", sb->http.base);
    return env_file_write(sb, "ready", &b, err);
}

void env_not_ready(struct sandbox *sb)
{
    char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/ready", sb->dir);
    unlink(path);
}
