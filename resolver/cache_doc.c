/*
 * cache_doc: the writer and the reader of the cache's file.
 */
#include "cache_doc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "asked.h"
#include "base/map.h"
#include "base/mem.h"
#include "facts_build.h"

#define FORMAT "adit-vms"
#define VERSION 1

/* ---- writing ---- */

struct writing {
    json_t *vms, *missing;
    struct map *by_id; /* → the VM's object, borrowed */
    size_t max;
    bool bad;
};

static json_t *vm_object(struct writing *w, const struct resolver_facts *facts)
{
    json_t *vm = map_get(w->by_id, facts->id);
    if (vm || json_array_size(w->vms) >= w->max)
        return vm;
    vm = resolver_facts_to_json(facts);
    json_object_del(vm, "source");
    json_object_del(vm, "unconfirmed");
    if (json_object_set_new(vm, "keys", json_array()) || json_array_append_new(w->vms, vm) ||
        map_set(w->by_id, facts->id, vm, NULL)) {
        w->bad = true;
        return NULL;
    }
    return vm;
}

static int write_one(void *arg, const struct cache_item *item)
{
    struct writing *w = arg;
    if (item->missing) {
        if (json_array_size(w->missing) < w->max)
            json_array_append_new(w->missing, json_pack("{s:s, s:s, s:I}", "key", item->key, "message",
                                                        item->missing->msg, "since_ms",
                                                        (json_int_t)item->missing_wall_ms));
        return 0;
    }
    json_t *vm = vm_object(w, item->facts);
    if (vm)
        json_array_append_new(json_object_get(vm, "keys"),
                              json_pack("{s:s, s:b}", "key", item->key, "suspect", item->suspect));
    return w->bad;
}

/* The text with at most `max` VMs, in mem_alloc()ed memory. */
static char *write_some(struct cache *c, const char *scope, size_t max, size_t *len)
{
    struct writing w = {json_array(), json_array(), map_new(true), max, false};
    char *text = NULL;
    if (w.vms && w.missing && w.by_id)
        cache_each(c, write_one, &w);
    else
        w.bad = true;
    json_t *doc = json_pack("{s:s, s:i, s:s, s:O, s:O}", "format", FORMAT, "version", VERSION, "scope", scope,
                            "vms", w.vms, "missing", w.missing);
    if (doc && !w.bad) {
        *len = json_dumpb(doc, NULL, 0, JSON_COMPACT);
        text = *len ? mem_alloc(*len + 1) : NULL;
        if (text)
            text[json_dumpb(doc, text, *len, JSON_COMPACT)] = 0;
    }
    json_decref(doc);
    json_decref(w.vms);
    json_decref(w.missing);
    map_free(w.by_id, NULL);
    return text;
}

char *cache_doc_write(struct cache *c, const char *scope, size_t *len)
{
    for (size_t max = CACHE_DOC_VMS_MAX;; max /= 2) {
        char *text = write_some(c, scope, max, len);
        if (!text || *len <= CACHE_DOC_MAX)
            return text;
        mem_free(text);
    }
}

/* ---- reading ---- */

static void read_vm(struct cache *c, const json_t *item, bool sure, size_t *count, struct err *err)
{
    struct resolver_facts *f;
    struct err why;
    size_t i;
    json_t *k;
    int rc = facts_of_json(&f, item, &why);
    if (rc) {
        if (rc == ERR_NOMEM)
            err_copy(err, &why, rc);
        return;
    }
    ++*count;
    json_array_foreach(json_object_get(item, "keys"), i, k)
    {
        const char *key = facts_text(k, "key");
        if (key && i < CACHE_DOC_VMS_MAX && asked_key_fits(key, f))
            cache_load(c, key, f, sure || asked_key_is_full(key, f),
                       json_is_true(json_object_get(k, "suspect")));
    }
    resolver_facts_unref(f);
}

static void read_missing(struct cache *c, const json_t *item)
{
    struct asked a;
    const char *key = facts_text(item, "key"), *message = facts_text(item, "message");
    json_int_t since = json_integer_value(json_object_get(item, "since_ms"));
    if (key && message && since > 0 && asked_of_key(&a, key))
        cache_load_missing(c, key, message, (uint64_t)since);
}

static int check(const json_t *doc, const char *scope, struct err *err)
{
    const json_t *version = json_object_get(doc, "version");
    const char *format = facts_text(doc, "format");
    const char *theirs = json_string_value(json_object_get(doc, "scope"));
    if (!format || strcmp(format, FORMAT) != 0)
        return err_set(err, ERR_PROTOCOL, "it is no cache of adit's");
    if (!json_is_integer(version) || json_integer_value(version) != VERSION)
        return err_set(err, ERR_PROTOCOL, "it was written by another version of adit");
    if (!theirs || strcmp(theirs, scope) != 0)
        return err_set(err, ERR_PROTOCOL, "it is of another cloud, tenant or subscription");
    if (!json_is_array(json_object_get(doc, "vms")))
        return err_set(err, ERR_PROTOCOL, "it holds no list of VMs");
    return 0;
}

int cache_doc_read(struct cache *c, const char *text, size_t len, const char *scope, bool sure,
                   struct err *err)
{
    json_error_t where;
    json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where), *item;
    size_t i, count = 0;
    struct err why;
    if (!doc)
        return err_set(err, ERR_PROTOCOL, "it is not JSON: %s", where.text);
    err_clear(&why);
    if (check(doc, scope, &why) == 0) {
        json_array_foreach(json_object_get(doc, "vms"), i, item)
        {
            if (i < CACHE_DOC_VMS_MAX && !why.code)
                read_vm(c, item, sure, &count, &why);
        }
        json_array_foreach(json_object_get(doc, "missing"), i, item)
        {
            if (i < CACHE_DOC_VMS_MAX)
                read_missing(c, item);
        }
    }
    json_decref(doc);
    if (why.code)
        return err_copy(err, &why, why.code);
    return (int)count;
}
