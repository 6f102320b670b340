/*
 * schema_check: walks document and schema side by side.
 */
#include "schema_check.h"

#include <stdio.h>
#include <string.h>

#include "suggest.h"

#define FIELDS_MAX 64

struct walk {
    struct document *doc;
    struct report *report;
};

static void check_value(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                        const char *where);

static const yaml_node_t *node(const struct walk *w, int index)
{
    return yaml_document_get_node(&w->doc->yaml, index);
}

static const char *type_name(const yaml_node_t *n)
{
    switch (n->type) {
    case YAML_SEQUENCE_NODE:
        return "a list";
    case YAML_MAPPING_NODE:
        return "a mapping";
    default:
        return "a single value";
    }
}

static bool is_null(const yaml_node_t *n)
{
    const char *s = document_scalar(n);
    return s && n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (*s == '\0' || strcmp(s, "~") == 0 || strcasecmp(s, "null") == 0);
}

static bool has_nul(const yaml_node_t *n)
{
    return memchr(n->data.scalar.value, '\0', n->data.scalar.length) != NULL;
}

static void check_uint(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                       const char *where)
{
    const char *s = document_scalar(n);
    uint64_t max = UINT64_MAX >> (64 - 8 * schema->data_size), v = 0;
    size_t digits = strspn(s, "0123456789");
    bool ok = digits > 0 && digits <= 18 && s[digits] == '\0' && (s[0] != '0' || digits == 1);
    for (size_t i = 0; ok && i < digits; i++)
        v = v * 10 + (uint64_t)(s[i] - '0');
    if (!ok || v > max)
        report_at(w->report, &n->start_mark, where, "\"%.40s\" is not a whole number from 0 to %llu", s,
                  (unsigned long long)max);
}

static void check_bool(const struct walk *w, const yaml_node_t *n, const char *where)
{
    static const char *const words[] = {"true", "false", "yes", "no"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(document_scalar(n), words[i]) == 0)
            return;
    report_at(w->report, &n->start_mark, where, "\"%.40s\" is neither true nor false", document_scalar(n));
}

static void check_enum(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                       const char *where)
{
    const char *s = document_scalar(n);
    struct suggest meant;
    char list[128] = "";
    size_t len = 0;
    suggest_init(&meant, s);
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        const char *word = schema->enumeration.strings[i].str;
        if (strcmp(s, word) == 0)
            return;
        suggest_offer(&meant, word);
        int k = snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", word);
        len = k > 0 && (size_t)k < sizeof list - len ? len + (size_t)k : len;
    }
    report_at(w->report, &n->start_mark, where, "\"%.40s\" is not one of: %s%s%s%s", s, list,
              meant.best ? "; did you mean \"" : "", meant.best ? meant.best : "", meant.best ? "\"?" : "");
}

static void check_string(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                         const char *where)
{
    size_t len = n->data.scalar.length;
    if (len < schema->string.min)
        report_at(w->report, &n->start_mark, where, "this text may not be empty");
    else if (len > schema->string.max)
        report_at(w->report, &n->start_mark, where, "this text is longer than %u bytes", schema->string.max);
}

static void check_scalar(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                         const char *where)
{
    if (n->type != YAML_SCALAR_NODE)
        report_at(w->report, &n->start_mark, where, "a single value belongs here, not %s%s", type_name(n),
                  schema->type == CYAML_STRING ? "; quote text that begins with [ or {" : "");
    else if (is_null(n))
        report_at(w->report, &n->start_mark, where, "no value is given; write one or remove the key");
    else if (has_nul(n))
        report_at(w->report, &n->start_mark, where, "the value holds a NUL character");
    else if (schema->type == CYAML_UINT)
        check_uint(w, schema, n, where);
    else if (schema->type == CYAML_BOOL)
        check_bool(w, n, where);
    else if (schema->type == CYAML_ENUM)
        check_enum(w, schema, n, where);
    else if (schema->type == CYAML_STRING)
        check_string(w, schema, n, where);
}

static void check_sequence(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                           const char *where)
{
    size_t count = document_count(n);
    if (n->type != YAML_SEQUENCE_NODE) {
        report_at(w->report, &n->start_mark, where,
                  "a list belongs here, not %s; write it as [A, B] or as lines \"- A\"",
                  is_null(n) ? "nothing" : type_name(n));
        return;
    }
    if (count < schema->sequence.min)
        report_at(w->report, &n->start_mark, where, "the list may not be empty; remove the key instead");
    if (count > schema->sequence.max) {
        const yaml_node_t *first = document_item(w->doc, n, schema->sequence.max);
        report_at(w->report, &first->start_mark, where, "the list has %zu entries, at most %u are allowed",
                  count, schema->sequence.max);
        return;
    }
    for (size_t i = 0; i < count && !report_full(w->report); i++) {
        const yaml_node_t *item = document_item(w->doc, n, i);
        const char *name = document_scalar(document_get(w->doc, item, "name"));
        char inner[REPORT_WHERE_MAX];
        if (name)
            (void)snprintf(inner, sizeof inner, "%s[%zu] \"%.40s\"", where, i + 1, name);
        else
            (void)snprintf(inner, sizeof inner, "%s[%zu]", where, i + 1);
        check_value(w, schema->sequence.entry, item, inner);
    }
}

static void unknown_key(const struct walk *w, const cyaml_schema_field_t *fields, const yaml_node_t *key,
                        const char *where)
{
    struct suggest meant;
    suggest_init(&meant, document_scalar(key));
    for (const cyaml_schema_field_t *f = fields; f->key; f++)
        suggest_offer(&meant, f->key);
    report_at(w->report, &key->start_mark, where, "unknown key \"%.40s\"%s%s%s", document_scalar(key),
              meant.best ? "; did you mean \"" : "", meant.best ? meant.best : "", meant.best ? "\"?" : "");
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_field_t *fields, const yaml_node_t *key)
{
    for (const cyaml_schema_field_t *f = fields; f->key; f++)
        if (!has_nul(key) && strcmp(f->key, document_scalar(key)) == 0)
            return f;
    return NULL;
}

static void check_mapping(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                          const char *where)
{
    const cyaml_schema_field_t *fields = schema->mapping.fields;
    uint32_t seen_line[FIELDS_MAX] = {0};
    if (n->type != YAML_MAPPING_NODE) {
        report_at(w->report, &n->start_mark, where, "keys and values belong here (key: value), not %s",
                  is_null(n) ? "nothing" : type_name(n));
        return;
    }
    for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
         p < n->data.mapping.pairs.top && !report_full(w->report); p++) {
        const yaml_node_t *key = node(w, p->key);
        if (key->type != YAML_SCALAR_NODE) {
            report_at(w->report, &key->start_mark, where, "a key is a single word, not %s", type_name(key));
            continue;
        }
        const cyaml_schema_field_t *f = field_of(fields, key);
        if (!f) {
            unknown_key(w, fields, key, where);
            continue;
        }
        if (seen_line[f - fields] > 0) {
            report_at(w->report, &key->start_mark, where,
                      "key \"%s\" is given twice; the first is in line %u", f->key, seen_line[f - fields]);
            continue;
        }
        seen_line[f - fields] = (uint32_t)key->start_mark.line + 1;
        char inner[REPORT_WHERE_MAX];
        (void)snprintf(inner, sizeof inner, "%s%s%s", where, *where ? ": " : "", f->key);
        check_value(w, &f->value, node(w, p->value), inner);
    }
    for (const cyaml_schema_field_t *f = fields; f->key; f++)
        if (seen_line[f - fields] == 0 && !(f->value.flags & CYAML_FLAG_OPTIONAL))
            report_at(w->report, &n->start_mark, where, "key \"%s\" is missing", f->key);
}

static void check_value(const struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *n,
                        const char *where)
{
    if (schema->type == CYAML_MAPPING)
        check_mapping(w, schema, n, where);
    else if (schema->type == CYAML_SEQUENCE)
        check_sequence(w, schema, n, where);
    else
        check_scalar(w, schema, n, where);
}

void schema_check(struct document *d, const cyaml_schema_value_t *schema, struct report *report)
{
    const struct walk w = {.doc = d, .report = report};
    const yaml_node_t *root = document_root(d);
    if (root)
        check_value(&w, schema, root, "");
}
