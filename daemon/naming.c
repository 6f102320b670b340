/*
 * naming: which VM a user means: an alias first, then a configured VM of that name, then a VM that only ARM
 * knows.
 */
#include "naming.h"

#include <string.h>

#include "base/mem.h"

/* The configured VM for another user: connections of its own, so a name of its own. */
static int as_user(const struct config_vm *vm, const char *user, struct config_vm **out, struct err *err)
{
    struct config_vm *copy = NULL;
    if (config_vm_copy(vm, &copy) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    char *alias = mem_printf("%s@%s", user, vm->alias);
    char *name = mem_strdup(user);
    if (!alias || !name) {
        mem_free(alias);
        mem_free(name);
        config_vm_free(copy);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    mem_free(copy->alias);
    mem_free(copy->ssh.user);
    copy->alias = alias;
    copy->ssh.user = name;
    for (size_t i = 0; i < copy->forward_count; i++)
        forward_spec_done(&copy->forwards[i]);
    copy->forward_count = 0;
    *out = copy;
    return 0;
}

static int find(const struct daemon *d, const char *typed, const char *user, struct named_vm *out,
                struct err *err)
{
    const struct config_vm *vm = config_vm_find(d->config, typed);
    if (vm && (!user || (vm->ssh.user && strcmp(vm->ssh.user, user) == 0)))
        return config_vm_copy(vm, &out->vm) < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    out->adhoc = true;
    if (vm)
        return as_user(vm, user, &out->vm, err);
    int rc = config_vm_adhoc(d->config, typed, NULL, &out->vm, err);
    if (rc < 0 || !user)
        return rc;
    struct config_vm *plain = out->vm;
    out->vm = NULL;
    rc = as_user(plain, user, &out->vm, err);
    config_vm_free(plain);
    return rc;
}

int naming_find(const struct daemon *d, const char *typed, const char *user, struct named_vm *out,
                struct err *err)
{
    const char *at = strchr(typed, '@');

    out->vm = NULL;
    out->adhoc = false;
    if (!at || at == typed || user)
        return find(d, at && user ? at + 1 : typed, user, out, err);
    char *given = mem_strndup(typed, (size_t)(at - typed));
    if (!given)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = find(d, at + 1, given, out, err);
    mem_free(given);
    return rc;
}
