/*
 * record: a VM's entry in memory.
 */
#include "record.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

static void rule_done(struct record_rule *rule)
{
    mem_free(rule->id);
    mem_free(rule->source);
}

static void key_done(struct record_key *key)
{
    mem_free(key->user);
    mem_free(key->line);
}

void record_free(struct record_vm *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < r->rule_count; i++)
        rule_done(&r->rules[i]);
    for (unsigned i = 0; i < r->key_count; i++)
        key_done(&r->keys[i]);
    mem_free(r->id);
    mem_free(r->vm_id);
    mem_free(r->extension);
    mem_free(r->public_ip);
    mem_free(r->public_nic);
    mem_free(r->public_config);
    mem_free(r);
}

int record_text_set(char **to, const char *text)
{
    char *copy = mem_strdup(text);
    if (text && !copy)
        return ERR_NOMEM;
    mem_free(*to);
    *to = copy;
    return 0;
}

const struct record_rule *record_rule_find(const struct record_vm *r, const char *id)
{
    for (unsigned i = 0; i < r->rule_count; i++)
        if (strcasecmp(r->rules[i].id, id) == 0)
            return &r->rules[i];
    return NULL;
}

int record_rule_put(struct record_vm *r, const struct record_rule *rule)
{
    struct record_rule copy = {
        .id = mem_strdup(rule->id), .source = mem_strdup(rule->source), .priority = rule->priority};
    int rc = copy.id && copy.source ? 0 : ERR_NOMEM;
    if (rc == 0)
        record_rule_drop(r, rule->id);
    if (rc == 0 && r->rule_count == RECORD_PARTS_MAX)
        rc = ERR_LIMIT;
    if (rc == 0)
        r->rules[r->rule_count++] = copy;
    else
        rule_done(&copy);
    return rc;
}

void record_rule_drop(struct record_vm *r, const char *id)
{
    for (unsigned i = 0; i < r->rule_count; i++) {
        if (strcasecmp(r->rules[i].id, id) != 0)
            continue;
        struct record_rule old = r->rules[i];
        r->rules[i--] = r->rules[--r->rule_count];
        rule_done(&old);
    }
}

static bool key_same(const struct record_key *a, const struct record_key *b)
{
    return a->administrator == b->administrator && strcmp(a->line, b->line) == 0 &&
           strcmp(a->user, b->user) == 0;
}

int record_key_put(struct record_vm *r, const struct record_key *key)
{
    struct record_key copy = {
        .user = mem_strdup(key->user), .line = mem_strdup(key->line), .administrator = key->administrator};
    int rc = copy.user && copy.line ? 0 : ERR_NOMEM;
    if (rc == 0)
        record_key_drop(r, key);
    if (rc == 0 && r->key_count == RECORD_PARTS_MAX)
        rc = ERR_LIMIT;
    if (rc == 0)
        r->keys[r->key_count++] = copy;
    else
        key_done(&copy);
    return rc;
}

void record_key_drop(struct record_vm *r, const struct record_key *key)
{
    for (unsigned i = 0; i < r->key_count; i++) {
        if (!key_same(&r->keys[i], key))
            continue;
        struct record_key old = r->keys[i];
        r->keys[i--] = r->keys[--r->key_count];
        key_done(&old);
    }
}
