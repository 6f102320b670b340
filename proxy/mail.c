/*
 * mail: making and freeing the messages between the main loop and the workers.
 */
#include "mail.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "status.h"

static void on_undelivered(struct mail *m)
{
    proxy_mail_free(proxy_mail_of(m));
}

struct proxy_mail *proxy_mail_new(enum mail_kind kind)
{
    struct proxy_mail *m = mem_zalloc(sizeof *m);
    if (!m)
        return NULL;
    m->mail.free = on_undelivered;
    m->kind = kind;
    m->fd = -1;
    return m;
}

void proxy_mail_free(struct proxy_mail *m)
{
    if (!m)
        return;
    config_vm_free(m->config);
    if (m->spec) {
        forward_spec_done(m->spec);
        mem_free(m->spec);
    }
    resolver_facts_unref(m->reach.facts);
    status_free(m->status, m->status_count);
    mem_free(m->ids);
    if (m->fd >= 0)
        close(m->fd);
    if (m->secret && m->text)
        mem_wipe(m->text, strlen(m->text));
    mem_free(m->text);
    mem_free(m);
}

void proxy_mail_post(struct mailbox *to, struct proxy_mail *m)
{
    if (mailbox_post(to, &m->mail) < 0)
        proxy_mail_free(m);
}

int proxy_mail_set_config(struct proxy_mail *m, const struct config_vm *vm)
{
    return config_vm_copy(vm, &m->config);
}

int proxy_mail_set_spec(struct proxy_mail *m, const struct forward_spec *spec)
{
    struct forward_spec *copy = mem_zalloc(sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    int r = forward_spec_copy(copy, spec);
    if (r < 0) {
        mem_free(copy);
        return r;
    }
    m->spec = copy;
    return 0;
}
