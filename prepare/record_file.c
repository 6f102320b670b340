/*
 * record_file: the record's JSON, read without trust and written whole.
 */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/fs.h"
#include "base/mem.h"
#include "record.h"

#define FORMAT "adit-prepare"
#define VERSION 1

static const char *text_at(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static int damaged(struct err *err, const char *path)
{
    return err_set(err, ERR_INVAL,
                   "%s, which remembers what adit added, is damaged; move it away to go on without", path);
}

/* The whole file; an empty document when there is none. */
static int load(json_t **out, const char *path, struct err *err)
{
    char *text = NULL;
    size_t len;
    int rc = fs_read(path, RECORD_FILE_MAX, &text, &len, err);
    if (rc == ERR_NOTFOUND) {
        err_clear(err);
        *out = json_pack("{s:s,s:i,s:[]}", "format", FORMAT, "version", VERSION, "vms");
        return *out ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    }
    if (rc < 0)
        return rc;
    json_error_t why;
    json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    const char *format = text_at(doc, "format");
    mem_free(text);
    if (!doc && json_error_code(&why) == json_error_out_of_memory)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (doc && format && strcmp(format, FORMAT) == 0 &&
        json_integer_value(json_object_get(doc, "version")) == VERSION &&
        json_is_array(json_object_get(doc, "vms"))) {
        *out = doc;
        return 0;
    }
    json_decref(doc);
    return damaged(err, path);
}

static size_t find(const json_t *vms, const char *id)
{
    size_t i = 0;
    for (; i < json_array_size(vms); i++) {
        const char *have = text_at(json_array_get(vms, i), "id");
        if (have && strcasecmp(have, id) == 0)
            break;
    }
    return i;
}

static int take_rules(struct record_vm *r, const json_t *list)
{
    size_t i;
    json_t *o;
    int rc = 0;
    json_array_foreach(list, i, o)
    {
        struct record_rule rule = {.id = (char *)text_at(o, "id"),
                                   .source = (char *)text_at(o, "source"),
                                   .priority = (int)json_integer_value(json_object_get(o, "priority"))};
        if (rc == 0)
            rc = rule.id && rule.source ? record_rule_put(r, &rule) : ERR_INVAL;
    }
    return rc;
}

static int take_keys(struct record_vm *r, const json_t *list)
{
    size_t i;
    json_t *o;
    int rc = 0;
    json_array_foreach(list, i, o)
    {
        struct record_key key = {.user = (char *)text_at(o, "user"),
                                 .line = (char *)text_at(o, "line"),
                                 .administrator = json_is_true(json_object_get(o, "administrator"))};
        if (rc == 0)
            rc = key.user && key.line ? record_key_put(r, &key) : ERR_INVAL;
    }
    return rc;
}

static int take(struct record_vm *r, const json_t *entry)
{
    const char *vm_id = text_at(entry, "vmId");
    const json_t *ip = json_object_get(entry, "publicIp");
    const char *parts[] = {text_at(ip, "id"), text_at(ip, "nic"), text_at(ip, "config")};
    int rc = take_rules(r, json_object_get(entry, "rules"));
    if (rc == 0 && parts[0] && parts[1] && parts[2] &&
        (record_text_set(&r->public_ip, parts[0]) || record_text_set(&r->public_nic, parts[1]) ||
         record_text_set(&r->public_config, parts[2])))
        rc = ERR_NOMEM;
    if (rc < 0 || !vm_id || strcasecmp(vm_id, r->vm_id) != 0)
        return rc; /* another machine: what was on the old one went with it */
    r->started = json_is_true(json_object_get(entry, "started"));
    rc = take_keys(r, json_object_get(entry, "keys"));
    return rc == 0 ? record_text_set(&r->extension, text_at(entry, "extension")) : rc;
}

static int parse(struct record_vm **out, const json_t *doc, const char *path, const char *id,
                 const char *vm_id, struct err *err)
{
    const json_t *vms = json_object_get(doc, "vms");
    size_t at = find(vms, id);
    struct record_vm *r = mem_zalloc(sizeof(*r));
    int rc = r && record_text_set(&r->id, id) == 0 && record_text_set(&r->vm_id, vm_id) == 0 ? 0 : ERR_NOMEM;
    if (rc == 0 && at < json_array_size(vms))
        rc = take(r, json_array_get(vms, at));
    if (rc == 0) {
        *out = r;
        return 0;
    }
    record_free(r);
    return rc == ERR_NOMEM ? err_set(err, ERR_NOMEM, "out of memory") : damaged(err, path);
}

int record_read(struct record_vm **out, const char *path, const char *id, const char *vm_id, struct err *err)
{
    json_t *doc;
    int rc = load(&doc, path, err);
    if (rc < 0)
        return rc;
    rc = parse(out, doc, path, id, vm_id, err);
    json_decref(doc);
    return rc;
}

static json_t *entry_of(const struct record_vm *r)
{
    json_t *rules = json_array(), *keys = json_array();
    for (unsigned i = 0; i < r->rule_count; i++)
        json_array_append_new(rules, json_pack("{s:s,s:s,s:i}", "id", r->rules[i].id, "source",
                                               r->rules[i].source, "priority", r->rules[i].priority));
    for (unsigned i = 0; i < r->key_count; i++)
        json_array_append_new(keys, json_pack("{s:s,s:s,s:b}", "user", r->keys[i].user, "line",
                                              r->keys[i].line, "administrator", r->keys[i].administrator));
    json_t *o = json_pack("{s:s,s:s,s:b,s:o,s:o,s:s*}", "id", r->id, "vmId", r->vm_id, "started", r->started,
                          "rules", rules, "keys", keys, "extension", r->extension);
    if (o && r->public_ip)
        json_object_set_new(
            o, "publicIp",
            json_pack("{s:s,s:s,s:s}", "id", r->public_ip, "nic", r->public_nic, "config", r->public_config));
    return o;
}

static bool is_empty(const struct record_vm *r)
{
    return !r->started && !r->rule_count && !r->key_count && !r->extension && !r->public_ip;
}

static int save(const json_t *doc, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t n = json_dumpb(doc, NULL, 0, JSON_INDENT(1));
    char *text = n ? mem_alloc(n) : NULL;
    char *dir = mem_strndup(path, slash && slash > path ? (size_t)(slash - path) : 1);
    int rc = text && dir && json_dumpb(doc, text, n, JSON_INDENT(1)) == n
                 ? fs_mkdirs(dir, 0700, err)
                 : err_set(err, ERR_NOMEM, "out of memory");
    if (rc == 0)
        rc = fs_replace(path, text, n, 0600, err);
    mem_free(text);
    mem_free(dir);
    return rc;
}

static int store(json_t *doc, const char *path, const struct record_vm *r, struct err *err)
{
    json_t *vms = json_object_get(doc, "vms"), *entry = is_empty(r) ? NULL : entry_of(r);
    size_t at = find(vms, r->id), count = json_array_size(vms);
    bool there = at < count;
    if (!is_empty(r) && !entry)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!there && !entry)
        return 0;
    if (!there && count >= RECORD_VMS_MAX) {
        json_decref(entry);
        return err_set(err, ERR_LIMIT, "%s holds %d VMs, which is as many as fit: undo some", path,
                       RECORD_VMS_MAX);
    }
    int bad = !entry  ? json_array_remove(vms, at)
              : there ? json_array_set_new(vms, at, entry)
                      : json_array_append_new(vms, entry);
    return bad ? err_set(err, ERR_NOMEM, "out of memory") : save(doc, path, err);
}

int record_edit(const char *path, const char *id, const char *vm_id, record_edit_cb edit, const void *arg,
                struct err *err)
{
    json_t *doc;
    struct record_vm *r = NULL;
    int rc = load(&doc, path, err);
    if (rc < 0)
        return rc;
    rc = parse(&r, doc, path, id, vm_id, err);
    if (rc == 0 && (rc = edit(r, arg)) < 0)
        err_set(err, rc,
                rc == ERR_LIMIT ? "more than %d changes of a kind for one VM: undo some"
                                : "out of memory (%d)",
                RECORD_PARTS_MAX);
    if (rc == 0)
        rc = store(doc, path, r, err);
    record_free(r);
    json_decref(doc);
    return rc;
}
