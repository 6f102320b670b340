/*
 * config_yaml: writes a snapshot as YAML that loads back to an equal one.
 *
 * The raw structs of the schema are filled with pointers into the snapshot and handed to libcyaml, so that
 * reading and writing cannot drift apart. A VM's setting that equals the default is left out, as a person
 * would.
 */
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "duration.h"
#include "schema.h"
#include "ssh_settings.h"

/* Text that exists in the snapshot only in another form. */
struct ssh_text {
    char connect_timeout[DURATION_TEXT_MAX], keepalive[DURATION_TEXT_MAX], idle_timeout[DURATION_TEXT_MAX];
};

struct vm_text {
    struct ssh_text ssh;
    char *name;
    char **forwards;
};

struct draft {
    struct raw_config raw;
    struct raw_azure azure;
    struct raw_ssh defaults;
    struct ssh_text defaults_text;
    struct raw_vm *vms;
    struct vm_text *vm_texts;
    size_t vm_count;
    int credential, log_level;
};

/* libcyaml reads the struct and wants it without const. */
#define BORROW(type, p) ((type *)(p))
#define UNLESS_EQUAL(base, s, member, type)                                                                  \
    ((base) && (base)->member == (s)->member ? NULL : BORROW(type, &(s)->member))

static char *time_text(char out[DURATION_TEXT_MAX], const uint32_t *base, uint32_t ms)
{
    if (base && *base == ms)
        return NULL;
    duration_text(out, ms);
    return out;
}

/* `base` NULL writes everything. */
static void draft_ssh(struct raw_ssh *raw, struct ssh_text *text, const struct config_ssh *base,
                      const struct config_ssh *s)
{
    if (!base || strcmp(base->user, s->user) != 0)
        raw->user = s->user;
    if (!base || strcmp(base->ssh_config, s->ssh_config) != 0)
        raw->ssh_config = s->ssh_config;
    if ((!base || !ssh_settings_same_identities(base, s)) && s->identity_count > 0) {
        raw->identity = s->identities;
        raw->identity_count = (uint32_t)s->identity_count;
    }
    raw->port = UNLESS_EQUAL(base, s, port, uint16_t);
    raw->agent = UNLESS_EQUAL(base, s, agent, bool);
    raw->password = UNLESS_EQUAL(base, s, password, bool);
    raw->prefer_private_ip = UNLESS_EQUAL(base, s, prefer_private_ip, bool);
    raw->host_key_check = UNLESS_EQUAL(base, s, host_key_check, enum config_host_key_check);
    raw->address_family = UNLESS_EQUAL(base, s, family, enum config_family);
    raw->engine = UNLESS_EQUAL(base, s, engine, enum config_engine);
    raw->wake_session = UNLESS_EQUAL(base, s, wake_session, enum config_wake);
    raw->keepalive_count = UNLESS_EQUAL(base, s, keepalive_count, uint32_t);
    raw->connections_max = UNLESS_EQUAL(base, s, connections_max, uint32_t);
    raw->connect_timeout =
        time_text(text->connect_timeout, base ? &base->connect_timeout_ms : NULL, s->connect_timeout_ms);
    raw->keepalive = time_text(text->keepalive, base ? &base->keepalive_ms : NULL, s->keepalive_ms);
    raw->idle_timeout =
        time_text(text->idle_timeout, base ? &base->idle_timeout_ms : NULL, s->idle_timeout_ms);
}

static void draft_azure(struct draft *d, const struct config_azure *a)
{
    d->credential = schema_credential_value(a->credential);
    d->azure = (struct raw_azure){
        .subscriptions = a->subscription_count > 0 ? a->subscriptions : NULL,
        .subscriptions_count = (uint32_t)a->subscription_count,
        .tenant = a->tenant,
        .cloud = BORROW(enum config_cloud, &a->cloud),
        .arm_endpoint = a->arm_endpoint,
        .login_endpoint = a->login_endpoint,
        .ca_file = a->ca_file,
        .credential = &d->credential,
    };
}

static uint32_t take_kind(char **texts, const struct config_vm *vm, enum forward_kind kind)
{
    uint32_t n = 0;
    for (size_t i = 0; i < vm->forward_count; i++)
        if (vm->forwards[i].kind == kind)
            texts[n++] = vm->forwards[i].text;
    return n;
}

static int draft_vm(struct raw_vm *raw, struct vm_text *text, const struct config_ssh *defaults,
                    const struct config_vm *vm)
{
    text->name = vm_name_text(&vm->vm);
    text->forwards = mem_calloc(vm->forward_count + 1, sizeof *text->forwards);
    if (!text->name || !text->forwards)
        return ERR_NOMEM;
    raw->name = vm->alias;
    if (vm->vm.kind == VM_NAME_ADDRESS)
        raw->address = text->name;
    else
        raw->vm = text->name;
    raw->via = vm->via;
    raw->up = vm->up ? NULL : BORROW(bool, &vm->up);
    draft_ssh(&raw->ssh, &text->ssh, defaults, &vm->ssh);
    raw->local = text->forwards;
    raw->local_count = take_kind(raw->local, vm, FORWARD_LOCAL);
    raw->dynamic = raw->local + raw->local_count;
    raw->dynamic_count = take_kind(raw->dynamic, vm, FORWARD_DYNAMIC);
    raw->remote = raw->dynamic + raw->dynamic_count;
    raw->remote_count = take_kind(raw->remote, vm, FORWARD_REMOTE);
    raw->local = raw->local_count ? raw->local : NULL;
    raw->dynamic = raw->dynamic_count ? raw->dynamic : NULL;
    raw->remote = raw->remote_count ? raw->remote : NULL;
    raw->bulk = vm->bulk_count ? vm->bulk_ports : NULL;
    raw->bulk_count = (uint32_t)vm->bulk_count;
    return 0;
}

static int draft_init(struct draft *d, const struct config *c)
{
    *d = (struct draft){.vm_count = c->vm_count};
    d->vms = mem_calloc(c->vm_count + 1, sizeof *d->vms);
    d->vm_texts = mem_calloc(c->vm_count + 1, sizeof *d->vm_texts);
    if (!d->vms || !d->vm_texts)
        return ERR_NOMEM;
    draft_azure(d, &c->azure);
    draft_ssh(&d->defaults, &d->defaults_text, NULL, &c->defaults);
    for (size_t i = 0; i < c->vm_count; i++)
        if (draft_vm(&d->vms[i], &d->vm_texts[i], &c->defaults, &c->vms[i]) < 0)
            return ERR_NOMEM;
    d->log_level = schema_log_level_value(c->log_level);
    d->raw = (struct raw_config){
        .azure = &d->azure,
        .defaults = &d->defaults,
        .vms = c->vm_count ? d->vms : NULL,
        .vms_count = (uint32_t)c->vm_count,
        .workers = BORROW(uint32_t, &c->workers),
        .log_level = &d->log_level,
    };
    return 0;
}

static void draft_done(struct draft *d)
{
    for (size_t i = 0; d->vm_texts && i < d->vm_count; i++) {
        mem_free(d->vm_texts[i].name);
        mem_free(d->vm_texts[i].forwards);
    }
    mem_free(d->vm_texts);
    mem_free(d->vms);
}

char *config_to_yaml(const struct config *c)
{
    struct draft d;
    char *raw = NULL, *text = NULL;
    size_t len = 0;
    if (draft_init(&d, c) == 0 &&
        cyaml_save_data(&raw, &len, &schema_cyaml, &schema_config, &d.raw, 0) == CYAML_OK) {
        text = mem_strndup(raw, len);
        mem_free(raw);
    }
    draft_done(&d);
    return text;
}
