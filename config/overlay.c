/*
 * overlay: a snapshot with what adit.yaml leaves open filled from what ssh said.
 *
 * First each VM's settings, then the ways: a jump is held against VMs that are filled already. A host of a
 * jump that adit.yaml does not name, or names with another user or port, becomes an entry under the text of
 * the jump. Failure modes: a jump that cannot be used (not a host, a circle, too many) is noted with the VM,
 * which is then reached directly, as without ssh_config.
 */
#include "overlay.h"

#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "overlay_private.h"
#include "snapshot.h"
#include "ssh_settings.h"

struct overlay {
    const struct config *file;
    const struct overlay_source *from;
    struct config *to; /* VMs and hops; room for OVERLAY_HOPS_MAX more than the file has */
    struct map *by_alias;
};

static const struct ssh_truth *truth_of(const struct overlay *o, const struct config_vm *vm, const char *host)
{
    return strcmp(vm->ssh.ssh_config, "off") == 0 ? NULL
                                                  : o->from->lookup(o->from->arg, vm->ssh.ssh_config, host);
}

static int fill_vm(struct overlay *o, const struct config_vm *in)
{
    struct config_vm *copy = NULL;
    bool off = strcmp(in->ssh.ssh_config, "off") == 0;
    if (config_vm_copy(in, &copy) < 0)
        return ERR_NOMEM;
    struct config_vm *vm = &o->to->vms[o->to->vm_count++];
    *vm = *copy;
    mem_free(copy);
    const char *trouble = off ? NULL : o->from->trouble(o->from->arg, vm->ssh.ssh_config, vm->alias);
    if (overlay_fill(vm, truth_of(o, vm, vm->alias), trouble) < 0)
        return ERR_NOMEM;
    return map_set(o->by_alias, vm->alias, vm, NULL);
}

/* ---- ways ---- */

static int hop_base(struct overlay *o, const struct config_vm *target, const struct overlay_jump *j,
                    struct config_vm **out, struct err *err)
{
    const struct ssh_truth *t = truth_of(o, target, j->host);
    const struct config_vm *known = config_vm_find(o->file, j->host);
    struct vm_name name;
    if (known)
        known = map_get(o->by_alias, known->alias);
    int rc = 0;
    if (known) {
        rc = config_vm_copy(known, out);
    } else {
        size_t n = strlen(j->host);
        bool azure = (t && t->through_adit) || (n > 5 && strcasecmp(j->host + n - 5, ".adit") == 0);
        rc = config_vm_adhoc(o->file, azure ? j->host : "hop", NULL, out, err);
        if (rc == 0 && !azure) {
            rc = vm_name_parse_address(&name, t && t->host_name ? t->host_name : j->host, err);
            if (rc == 0) {
                vm_name_done(&(*out)->vm);
                (*out)->vm = name;
            }
        }
        if (rc == 0)
            rc = overlay_fill(*out, t, NULL);
    }
    if (rc < 0) {
        config_vm_free(*out);
        *out = NULL;
    }
    return rc;
}

static int dress_hop(struct config_vm *vm, const struct overlay_jump *j, const char *alias)
{
    char *name = mem_strdup(alias), *user = j->user[0] ? mem_strdup(j->user) : NULL;
    if (!name || (j->user[0] && !user)) {
        mem_free(name);
        mem_free(user);
        return ERR_NOMEM;
    }
    mem_free(vm->alias);
    vm->alias = name;
    if (user) {
        mem_free(vm->ssh.user);
        vm->ssh.user = user;
        vm->ssh.from_ssh |= CONFIG_KEY_USER;
        vm->ssh.given &= ~(uint32_t)CONFIG_KEY_USER;
    }
    if (j->port) {
        vm->ssh.port = j->port;
        vm->ssh.from_ssh |= CONFIG_KEY_PORT;
        vm->ssh.given &= ~(uint32_t)CONFIG_KEY_PORT;
    }
    for (size_t i = 0; i < vm->forward_count; i++)
        forward_spec_done(&vm->forwards[i]);
    vm->forward_count = 0;
    vm->up = false;
    return 0;
}

static int hop_find(struct overlay *o, const struct config_vm *target, const char *jump, size_t n,
                    unsigned depth, const char **alias, struct err *err);

/* Makes the hop that the first n bytes of `jump` lead to. */
static int hop_new(struct overlay *o, const struct config_vm *target, const struct overlay_jump *j,
                   const char *jump, size_t n, size_t before, unsigned depth, const char **alias,
                   struct err *err)
{
    struct config_vm *made = NULL;
    const char *via = NULL;
    char *name = mem_strndup(jump, n);
    if (!name)
        return err_set(err, ERR_NOMEM, "out of memory");
    struct config_vm *there = map_get(o->by_alias, name);
    int rc = 0;
    if (there) {
        *alias = there->alias;
        mem_free(name);
        return 0;
    }
    if (o->to->hop_count == OVERLAY_HOPS_MAX)
        rc = err_set(err, ERR_LIMIT, "there are more than %d hosts to jump through", OVERLAY_HOPS_MAX);
    if (rc == 0)
        rc = hop_base(o, target, j, &made, err);
    const struct ssh_truth *t = rc == 0 ? truth_of(o, target, j->host) : NULL;
    if (rc == 0 && before > 0)
        rc = hop_find(o, target, jump, before, depth + 1, &via, err);
    else if (rc == 0 && !made->via && t && t->jump && !t->through_adit)
        rc = hop_find(o, target, t->jump, strlen(t->jump), depth + 1, &via, err);
    if (rc == 0 && via) {
        mem_free(made->via);
        made->via = mem_strdup(via);
        rc = made->via ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    }
    if (rc == 0)
        rc = dress_hop(made, j, name);
    if (rc == 0)
        rc = map_set(o->by_alias, made->alias, &o->to->vms[o->to->vm_count], NULL);
    mem_free(name);
    if (rc < 0) {
        config_vm_free(made);
        return rc;
    }
    o->to->vms[o->to->vm_count] = *made;
    mem_free(made);
    *alias = o->to->vms[o->to->vm_count++].alias;
    o->to->hop_count++;
    return 0;
}

/* The entry that the first n bytes of `jump` (hosts with commas between them) lead to. *alias NULL: the jump
 * is through the target itself, as `Host *` may say of the very host to jump through; ssh passes over that,
 * too. */
static int hop_find(struct overlay *o, const struct config_vm *target, const char *jump, size_t n,
                    unsigned depth, const char **alias, struct err *err)
{
    struct overlay_jump j;
    size_t before = 0, begin = 0;
    *alias = NULL;
    if (depth > OVERLAY_CHAIN_MAX)
        return err_set(err, ERR_LIMIT, "it leads in a circle, or through more than %d hosts",
                       OVERLAY_CHAIN_MAX);
    for (size_t i = 0; i < n; i++)
        if (jump[i] == ',') {
            before = i;
            begin = i + 1;
        }
    while (begin < n && jump[begin] == ' ')
        begin++;
    int rc = overlay_jump_parse(&j, jump + begin, n - begin, err);
    if (rc < 0)
        return rc;
    const struct config_vm *known = overlay_jump_vm(o->to, &j);
    if (known == target)
        return 0;
    if (known && before == 0) {
        *alias = known->alias;
        return 0;
    }
    return hop_new(o, target, &j, jump, n, before, depth, alias, err);
}

/* Whether following `via` from this VM comes to an end. */
static bool ends(const struct overlay *o, const struct config_vm *vm)
{
    for (unsigned i = 0; i <= OVERLAY_CHAIN_MAX; i++) {
        const struct config_vm *next = vm->via ? map_get(o->by_alias, vm->via) : NULL;
        if (!next)
            return true;
        vm = next;
    }
    return false;
}

static int find_way(struct overlay *o, struct config_vm *vm, struct err *err)
{
    const struct ssh_truth *t = vm->via ? NULL : truth_of(o, vm, vm->alias);
    const char *via = NULL;
    struct err why = {0};
    if (!t || !t->jump || t->through_adit)
        return 0;
    int rc = hop_find(o, vm, t->jump, strlen(t->jump), 0, &via, &why);
    if (rc == 0 && via) {
        vm->via = mem_strdup(via);
        vm->ssh.from_ssh |= CONFIG_KEY_VIA;
        if (!vm->via)
            rc = ERR_NOMEM;
        else if (!ends(o, vm)) {
            mem_free(vm->via);
            vm->via = NULL;
            vm->ssh.from_ssh &= ~(uint32_t)CONFIG_KEY_VIA;
            rc = err_set(&why, ERR_LIMIT, "it leads in a circle, or through more than %d hosts",
                         OVERLAY_CHAIN_MAX);
        }
    }
    if (rc < 0 && rc != ERR_NOMEM) {
        char *text = mem_printf("ssh_config's ProxyJump %s does not hold: %s", t->jump, why.msg);
        rc = text ? overlay_note(vm, text) : ERR_NOMEM;
        mem_free(text);
    }
    return rc < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

int config_overlay(const struct config **out, const struct config *file, const struct overlay_source *from,
                   struct err *err)
{
    struct overlay o = {.file = file, .from = from};
    int rc = snapshot_derive(&o.to, &o.by_alias, file, file->vm_count + OVERLAY_HOPS_MAX);
    for (size_t i = 0; rc == 0 && i < file->vm_count; i++)
        rc = fill_vm(&o, &file->vms[i]);
    if (rc < 0)
        err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && i < file->vm_count; i++)
        rc = find_way(&o, &o.to->vms[i], err);
    if (rc < 0)
        config_unref(o.to);
    else
        *out = o.to;
    return rc;
}
