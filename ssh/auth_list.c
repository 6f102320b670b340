/*
 * auth_list: which keys are tried, in which order.
 */
#include "auth_list.h"

#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "text.h"

static bool same(const struct ssh_agent_key *k, const struct ssh_keyfile *f)
{
    return f->blob && k->blob_len == f->blob_len && memcmp(k->blob, f->blob, f->blob_len) == 0;
}

bool ssh_auth_agent_has(const struct ssh_agent_keys *agent, const struct ssh_keyfile *file)
{
    for (size_t i = 0; i < agent->count; i++) {
        if (same(&agent->keys[i], file))
            return true;
    }
    return false;
}

static void add_agent(struct ssh_candidate *c, const struct ssh_agent_key *k, const char *name)
{
    struct wire_reader r;
    wire_read_init(&r, k->blob, k->blob_len);
    struct wire_str type = wire_get_str(&r);
    *c = (struct ssh_candidate){.blob = k->blob, .blob_len = k->blob_len, .agent = true, .name = name};
    if (type.data)
        ssh_text_clean(c->type, sizeof c->type, type.data, type.len);
}

int ssh_auth_candidates(struct ssh_candidate **out, size_t *count, const struct ssh_keyring *ring,
                        const struct ssh_agent_keys *agent, bool may_unlock)
{
    size_t files = ring ? ring->count : 0, n = 0;
    struct ssh_candidate *list = mem_calloc(files + agent->count + 1, sizeof *list);
    bool *used = mem_calloc(agent->count + 1, sizeof *used);
    if (!list || !used) {
        mem_free(list);
        mem_free(used);
        return ERR_NOMEM;
    }
    for (size_t f = 0; f < files; f++) {
        for (size_t i = 0; i < agent->count; i++) {
            if (used[i] || !same(&agent->keys[i], &ring->files[f]))
                continue;
            used[i] = true;
            add_agent(&list[n++], &agent->keys[i], ring->files[f].path);
        }
    }
    for (size_t i = 0; i < agent->count; i++) {
        if (!used[i])
            add_agent(&list[n++], &agent->keys[i], agent->keys[i].comment);
    }
    for (size_t f = 0; f < files; f++) {
        const struct ssh_keyfile *k = &ring->files[f];
        if (!(k->pkey || (k->locked && may_unlock)) || ssh_auth_agent_has(agent, k))
            continue;
        list[n] =
            (struct ssh_candidate){.blob = k->blob, .blob_len = k->blob_len, .name = k->path, .index = f};
        memcpy(list[n].type, k->type, sizeof list[n].type);
        n++;
    }
    mem_free(used);
    *out = list;
    *count = n;
    return 0;
}

static bool allowed(const char *type, const char *algorithms)
{
    return !algorithms || ssh_text_lists(algorithms, type) ||
           (strcmp(type, "ssh-rsa") == 0 &&
            (ssh_text_lists(algorithms, "rsa-sha2-256") || ssh_text_lists(algorithms, "rsa-sha2-512")));
}

static bool given(const struct ssh_candidate *c, const struct ssh_keyring *ring)
{
    for (size_t i = 0; ring && i < ring->count; i++) {
        const struct ssh_keyfile *f = &ring->files[i];
        if (f->blob && f->blob_len == c->blob_len && memcmp(f->blob, c->blob, f->blob_len) == 0)
            return true;
    }
    return false;
}

size_t ssh_auth_leave_out(struct ssh_candidate *list, size_t n, const struct ssh_keyring *ring,
                          bool identities_only, const char *algorithms)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (allowed(list[i].type, algorithms) &&
            !(identities_only && list[i].agent && !given(&list[i], ring)))
            list[left++] = list[i];
    return left;
}
