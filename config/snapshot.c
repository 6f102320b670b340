/*
 * snapshot: from raw_config to config, defaults applied.
 */
#include "snapshot.h"

#include <stdatomic.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "paths.h"
#include "ssh_settings.h"

struct box {
    struct config config;
    struct map *by_alias;      /* of struct config_vm *, without regard to case */
    const struct config *base; /* whose texts these are, but for the VMs; or NULL */
    atomic_uint refs;
};

static struct box *box_of(const struct config *c)
{
    return container_of((struct config *)c, struct box, config);
}

static int nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

static int copy(char **out, const char *in, struct err *err)
{
    *out = mem_strdup(in);
    return *out || !in ? 0 : nomem(err);
}

static int take_subscriptions(struct config_azure *a, const struct raw_azure *raw, struct err *err)
{
    size_t count = raw->subscriptions_count + (raw->subscription ? 1U : 0U);
    a->subscriptions = mem_calloc(count + 1, sizeof *a->subscriptions);
    if (!a->subscriptions)
        return nomem(err);
    for (size_t i = 0; i < count; i++) {
        const char *from = i < raw->subscriptions_count ? raw->subscriptions[i] : raw->subscription;
        if (copy(&a->subscriptions[i], from, err) < 0)
            return ERR_NOMEM;
        a->subscription_count++;
    }
    return 0;
}

static int take_endpoint(char **out, const char *in, struct err *err)
{
    int rc = copy(out, in, err);
    size_t len = *out ? strlen(*out) : 0;
    if (len > 0 && (*out)[len - 1] == '/')
        (*out)[len - 1] = '\0';
    return rc;
}

static int take_azure(struct config_azure *a, const struct raw_azure *raw, const char *dir, struct err *err)
{
    int rc = take_subscriptions(a, raw, err);
    a->cloud = raw->cloud ? *raw->cloud : raw->arm_endpoint ? CONFIG_CLOUD_CUSTOM : CONFIG_CLOUD_PUBLIC;
    if (rc == 0)
        rc = copy(&a->tenant, raw->tenant, err);
    if (rc == 0)
        rc = take_endpoint(&a->arm_endpoint, raw->arm_endpoint, err);
    if (rc == 0)
        rc = take_endpoint(&a->login_endpoint, raw->login_endpoint, err);
    if (rc == 0)
        rc = copy(&a->credential, schema_credential_word(raw->credential ? *raw->credential : 0), err);
    if (rc == 0 && raw->ca_file && !(a->ca_file = paths_expand(raw->ca_file, dir, err)))
        rc = err ? err->code : ERR_CONFIG;
    return rc;
}

static int take_name(struct config_vm *vm, const struct raw_vm *raw, struct err *err)
{
    if (raw->address)
        return vm_name_parse_address(&vm->vm, raw->address, err);
    return vm_name_parse(&vm->vm, raw->id ? raw->id : raw->vm ? raw->vm : raw->name, err);
}

static int take_forwards(struct config_vm *vm, enum forward_kind kind, char **texts, uint32_t count,
                         struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        rc = forward_spec_parse(&vm->forwards[vm->forward_count], kind, texts[i], err);
        vm->forward_count += rc == 0 ? 1U : 0U;
    }
    return rc;
}

static int take_vm(struct config_vm *vm, const struct raw_vm *raw, const struct config_ssh *defaults,
                   const char *dir, struct err *err)
{
    size_t forwards = (size_t)raw->local_count + raw->dynamic_count + raw->remote_count;
    int rc = ssh_settings_apply(&vm->ssh, defaults, &raw->ssh, dir, err);
    vm->up = raw->up ? *raw->up : true;
    if (rc == 0)
        rc = copy(&vm->alias, raw->name, err);
    if (rc == 0)
        rc = take_name(vm, raw, err);
    if (rc == 0)
        rc = copy(&vm->via, raw->via, err);
    if (rc < 0)
        return rc;
    vm->forwards = mem_calloc(forwards + 1, sizeof *vm->forwards);
    vm->bulk_ports = mem_calloc(raw->bulk_count + 1, sizeof *vm->bulk_ports);
    if (!vm->forwards || !vm->bulk_ports)
        return nomem(err);
    for (; vm->bulk_count < raw->bulk_count; vm->bulk_count++)
        vm->bulk_ports[vm->bulk_count] = raw->bulk[vm->bulk_count];
    rc = take_forwards(vm, FORWARD_LOCAL, raw->local, raw->local_count, err);
    if (rc == 0)
        rc = take_forwards(vm, FORWARD_DYNAMIC, raw->dynamic, raw->dynamic_count, err);
    return rc < 0 ? rc : take_forwards(vm, FORWARD_REMOTE, raw->remote, raw->remote_count, err);
}

static int take_vms(struct box *b, const struct raw_config *raw, const char *dir, struct err *err)
{
    struct config *c = &b->config;
    c->vms = mem_calloc(raw->vms_count + 1, sizeof *c->vms);
    b->by_alias = map_new(true);
    if (!c->vms || !b->by_alias)
        return nomem(err);
    for (uint32_t i = 0; i < raw->vms_count; i++) {
        c->vm_count = i + 1; /* a half-built VM is freed with the rest */
        int rc = take_vm(&c->vms[i], &raw->vms[i], &c->defaults, dir, err);
        if (rc < 0)
            return rc;
        if (map_set(b->by_alias, c->vms[i].alias, &c->vms[i], NULL) < 0)
            return nomem(err);
    }
    return 0;
}

static int take_all(struct box *b, const struct raw_config *raw, const char *path, const char *dir,
                    struct err *err)
{
    static const struct raw_azure no_azure = {0};
    struct config *c = &b->config;
    struct config_ssh builtin;
    int rc = ssh_settings_builtin(&builtin, err);
    if (rc < 0)
        return rc;
    rc = ssh_settings_apply(&c->defaults, &builtin, raw->defaults, dir, err);
    ssh_settings_done(&builtin);
    c->workers = raw->workers ? *raw->workers : 0;
    if (rc == 0)
        rc = copy(&c->path, path, err);
    if (rc == 0)
        rc = copy(&c->log_level, schema_log_level_word(raw->log_level ? *raw->log_level : 1), err);
    if (rc == 0)
        rc = take_azure(&c->azure, raw->azure ? raw->azure : &no_azure, dir, err);
    return rc < 0 ? rc : take_vms(b, raw, dir, err);
}

int snapshot_build(const struct config **out, const struct raw_config *raw, const char *path, struct err *err)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    char *dir = mem_strndup(path ? path : "", slash ? (size_t)(slash - path) : 0);
    struct box *b = mem_zalloc(sizeof *b);
    if (!dir || !b) {
        mem_free(dir);
        mem_free(b);
        return nomem(err);
    }
    atomic_init(&b->refs, 1);
    int rc = take_all(b, raw, path, dir, err);
    mem_free(dir);
    if (rc < 0)
        config_unref(&b->config);
    else
        *out = &b->config;
    return rc == ERR_NOMEM || rc == 0 ? rc : ERR_CONFIG;
}

int snapshot_derive(struct config **out, struct map **by_alias, const struct config *base, size_t room)
{
    struct box *b = mem_zalloc(sizeof *b);
    if (!b)
        return ERR_NOMEM;
    atomic_init(&b->refs, 1);
    b->config = *base;
    b->config.vm_count = b->config.hop_count = 0;
    b->config.filled = true;
    b->config.vms = mem_calloc(room + 1, sizeof *b->config.vms);
    b->base = config_ref(base);
    b->by_alias = map_new(true);
    *out = &b->config;
    *by_alias = b->by_alias;
    if (b->config.vms && b->by_alias)
        return 0;
    config_unref(&b->config);
    *out = NULL;
    return ERR_NOMEM;
}

void snapshot_vm_done(struct config_vm *vm)
{
    mem_free(vm->alias);
    mem_free(vm->via);
    mem_free(vm->note);
    vm_name_done(&vm->vm);
    ssh_settings_done(&vm->ssh);
    for (size_t i = 0; i < vm->forward_count; i++)
        forward_spec_done(&vm->forwards[i]);
    mem_free(vm->forwards);
    mem_free(vm->bulk_ports);
}

static void box_free(struct box *b)
{
    struct config_azure *a = &b->config.azure;
    for (size_t i = 0; i < b->config.vm_count; i++)
        snapshot_vm_done(&b->config.vms[i]);
    mem_free(b->config.vms);
    map_free(b->by_alias, NULL);
    if (b->base) {
        config_unref(b->base);
        mem_free(b);
        return;
    }
    for (size_t i = 0; i < a->subscription_count; i++)
        mem_free(a->subscriptions[i]);
    mem_free(a->subscriptions);
    mem_free(a->tenant);
    mem_free(a->arm_endpoint);
    mem_free(a->login_endpoint);
    mem_free(a->ca_file);
    mem_free(a->credential);
    ssh_settings_done(&b->config.defaults);
    mem_free(b->config.path);
    mem_free(b->config.log_level);
    mem_free(b);
}

const struct config *config_ref(const struct config *c)
{
    (void)atomic_fetch_add_explicit(&box_of(c)->refs, 1, memory_order_relaxed);
    return c;
}

void config_unref(const struct config *c)
{
    if (c && atomic_fetch_sub_explicit(&box_of(c)->refs, 1, memory_order_acq_rel) == 1)
        box_free(box_of(c));
}

const struct config_vm *config_vm_by_alias(const struct config *c, const char *alias)
{
    size_t len = strlen(alias);
    const struct config_vm *vm = map_get(box_of(c)->by_alias, alias);
    char bare[81]; /* no alias is longer */
    if (vm || len <= 5 || len - 5 >= sizeof bare || strcasecmp(alias + len - 5, ".adit") != 0)
        return vm;
    (void)memcpy(bare, alias, len - 5);
    bare[len - 5] = '\0';
    return map_get(box_of(c)->by_alias, bare);
}
