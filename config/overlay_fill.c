/*
 * overlay_fill: one VM's gaps filled from what ssh said of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "overlay_private.h"
#include "ssh_settings.h"

int overlay_note(struct config_vm *vm, const char *text)
{
    char *note = vm->note ? mem_printf("%s; %s", vm->note, text) : mem_strdup(text);
    if (!note)
        return ERR_NOMEM;
    mem_free(vm->note);
    vm->note = note;
    return 0;
}

int overlay_fill(struct config_vm *vm, const struct ssh_truth *t, const char *trouble)
{
    if (trouble && overlay_note(vm, trouble) < 0)
        return ERR_NOMEM;
    if (!t)
        return 0;
    if (ssh_settings_fill(&vm->ssh, &t->ssh, t->set) < 0)
        return ERR_NOMEM;
    if (!t->unhonoured)
        return 0;
    char *text = mem_printf("ssh_config asks for what adit does not do: %s", t->unhonoured);
    int rc = text ? overlay_note(vm, text) : ERR_NOMEM;
    mem_free(text);
    return rc;
}

const struct config_vm *overlay_jump_vm(const struct config *c, const struct overlay_jump *j)
{
    const struct config_vm *vm = config_vm_find(c, j->host);
    bool same = vm && (!j->user[0] || strcmp(j->user, vm->ssh.user) == 0) &&
                (j->port == 0 || j->port == vm->ssh.port);
    return same ? vm : NULL;
}

int config_vm_fill(struct config_vm *vm, const struct config *c, const struct ssh_truth *t,
                   const char *trouble)
{
    struct overlay_jump jump;
    int rc = overlay_fill(vm, t, trouble);
    if (rc < 0 || !t || !t->jump || t->through_adit || vm->via)
        return rc;
    const struct config_vm *hop = NULL;
    if (!strchr(t->jump, ',') && overlay_jump_parse(&jump, t->jump, strlen(t->jump), NULL) == 0)
        hop = overlay_jump_vm(c, &jump);
    if (!hop)
        return overlay_note(vm,
                            "ssh_config asks for what adit does not do: ProxyJump for a VM that adit.yaml "
                            "does not name");
    vm->via = mem_strdup(hop->alias);
    vm->ssh.from_ssh |= CONFIG_KEY_VIA;
    return vm->via ? 0 : ERR_NOMEM;
}

int overlay_jump_parse(struct overlay_jump *out, const char *text, size_t n, struct err *err)
{
    const char *end = text + n, *at = NULL;
    *out = (struct overlay_jump){0};
    if (n > 6 && memcmp(text, "ssh://", 6) == 0)
        text += 6;
    for (const char *p = text; p < end; p++)
        at = *p == '@' ? p : at;
    size_t user = at ? (size_t)(at - text) : 0;
    const char *host = at ? at + 1 : text, *stop = end;
    bool brackets = host < end && *host == '[';
    if (brackets) {
        host++;
        stop = memchr(host, ']', (size_t)(end - host));
    } else {
        const char *colon = host < end ? memchr(host, ':', (size_t)(end - host)) : NULL;
        bool one = colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1)); /* else IPv6 */
        stop = one ? colon : end;
    }
    const char *rest = !stop ? NULL : brackets ? stop + 1 : stop;
    size_t len = stop ? (size_t)(stop - host) : 0;
    char port[8] = "";
    if (rest && rest < end && *rest == ':' && (size_t)(end - rest - 1) < sizeof port)
        memcpy(port, rest + 1, (size_t)(end - rest - 1));
    unsigned long number = port[0] >= '0' && port[0] <= '9' ? strtoul(port, NULL, 10) : 0;
    bool bad_port = rest && rest < end &&
                    (number == 0 || number > UINT16_MAX || strspn(port, "0123456789") != strlen(port));
    if (len == 0 || len >= sizeof out->host || *host == '-' || user >= sizeof out->user ||
        (at && user == 0) || *text == '-' || bad_port)
        return err_set(err, ERR_INVAL, "\"%.*s\" is not a host to jump through", (int)n, text);
    memcpy(out->host, host, len);
    memcpy(out->user, text, user);
    out->port = (uint16_t)number;
    return 0;
}
