/*
 * conn_options: a connection's own copy of what it was told.
 */
#include "base/mem.h"
#include "conn.h"

void ssh_conn_options_done(struct ssh_conn_options *o)
{
    mem_free((char *)o->user);
    mem_free((char *)o->agent_socket);
    mem_free((char *)o->key_algorithms);
    mem_free((char *)o->algorithms.ciphers);
    mem_free((char *)o->algorithms.kex);
    mem_free((char *)o->algorithms.macs);
    mem_free((char *)o->algorithms.host_keys);
    mem_free((char *)o->host.file);
    mem_free((char *)o->host.host);
    mem_free((char *)o->host.vm_id);
    mem_free((char *)o->host.label);
    mem_free((char *)o->host.keys);
    if (o->identities) {
        for (size_t i = 0; i < o->identity_count; i++)
            mem_free((char *)o->identities[i]);
        mem_free((void *)o->identities);
    }
}

static bool copy_text(const char **text)
{
    if (!*text)
        return true;
    *text = mem_strdup(*text);
    return *text != NULL;
}

int ssh_conn_options_copy(struct ssh_conn_options *to, const struct ssh_conn_options *from, struct err *err)
{
    *to = *from;
    to->identities = NULL;
    const char **texts[] = {&to->key_algorithms,
                            &to->algorithms.ciphers,
                            &to->algorithms.kex,
                            &to->algorithms.macs,
                            &to->algorithms.host_keys,
                            &to->user,
                            &to->agent_socket,
                            &to->host.file,
                            &to->host.host,
                            &to->host.vm_id,
                            &to->host.label,
                            &to->host.keys};
    bool ok = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ok = copy_text(texts[i]) && ok; /* each, so that none is left borrowed */
    const char **list = from->identity_count ? mem_calloc(from->identity_count, sizeof *list) : NULL;
    ok = ok && (list || from->identity_count == 0);
    for (size_t i = 0; list && i < from->identity_count; i++) {
        list[i] = from->identities[i];
        ok = copy_text(&list[i]) && ok;
    }
    to->identities = list;
    if (ok)
        return 0;
    ssh_conn_options_done(to);
    return err_set(err, ERR_NOMEM, "out of memory");
}
