/*
 * document: reads YAML in two passes, the first over events to refuse what the tree must not hold.
 */
#include "document.h"

#include <string.h>

#define DEPTH_MAX 8

/* YAML's own words for the commonest slips do not help; these do. */
static const char *advice(const char *problem)
{
    if (!problem)
        return "";
    if (strstr(problem, "cannot start any token"))
        return " (indent with spaces, not tabs, and quote text that begins with a special character)";
    if (strstr(problem, "mapping values are not allowed"))
        return " (is a line above not closed, or text with \": \" not quoted?)";
    if (strstr(problem, "did not find expected"))
        return " (check the indentation and the brackets above)";
    return "";
}

static int parser_failed(const yaml_parser_t *parser, struct report *report, struct err *err)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (parser->error == YAML_READER_ERROR)
        report_at(report, NULL, NULL, "not UTF-8 text: %s at byte %zu", parser->problem,
                  parser->problem_offset);
    else
        report_at(report, &parser->problem_mark, NULL, "not YAML: %s%s%s%s",
                  parser->problem ? parser->problem : "syntax error", parser->context ? ", " : "",
                  parser->context ? parser->context : "", advice(parser->problem));
    return 0;
}

static void start(yaml_parser_t *parser, const char *text, size_t len)
{
    yaml_parser_set_input_string(parser, (const unsigned char *)text, len);
}

/* Looks at one event; false when reading on makes no sense. */
static bool admit(const yaml_event_t *event, size_t *depth, size_t *documents, struct report *report)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1)
            report_at(report, &event->start_mark, NULL,
                      "a second document begins here; the file holds only one");
        return *documents == 1;
    case YAML_ALIAS_EVENT:
        report_at(report, &event->start_mark, NULL,
                  "YAML aliases like *%.40s are not allowed; write the value out",
                  (const char *)event->data.alias.anchor);
        return true;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        if (++*depth > DEPTH_MAX)
            report_at(report, &event->start_mark, NULL, "lists and mappings are nested deeper than %d",
                      DEPTH_MAX);
        return *depth <= DEPTH_MAX;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        --*depth;
        return true;
    default:
        return true;
    }
}

static int scan(const char *text, size_t len, struct report *report, struct err *err)
{
    yaml_parser_t parser;
    size_t depth = 0, documents = 0;
    bool more = true;
    int rc = 0;
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_NOMEM, "out of memory");
    start(&parser, text, len);
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            rc = parser_failed(&parser, report, err);
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT && admit(&event, &depth, &documents, report);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return rc;
}

int document_load(struct document *d, const char *text, size_t len, struct report *report, struct err *err)
{
    yaml_parser_t parser;
    *d = (struct document){.loaded = false};
    int rc = scan(text, len, report, err);
    if (rc < 0 || report->list->count > 0 || report->nomem)
        return rc;
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_NOMEM, "out of memory");
    start(&parser, text, len);
    if (yaml_parser_load(&parser, &d->yaml))
        d->loaded = true;
    else
        rc = parser_failed(&parser, report, err);
    yaml_parser_delete(&parser);
    return rc;
}

void document_done(struct document *d)
{
    if (d->loaded)
        yaml_document_delete(&d->yaml);
    d->loaded = false;
}

const yaml_node_t *document_root(struct document *d)
{
    return d->loaded ? yaml_document_get_root_node(&d->yaml) : NULL;
}

const char *document_scalar(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static const yaml_node_pair_t *find(struct document *d, const yaml_node_t *n, const char *key)
{
    if (!n || n->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        const char *text = document_scalar(yaml_document_get_node(&d->yaml, p->key));
        if (text && strcmp(text, key) == 0)
            return p;
    }
    return NULL;
}

const yaml_node_t *document_get(struct document *d, const yaml_node_t *n, const char *key)
{
    const yaml_node_pair_t *p = find(d, n, key);
    return p ? yaml_document_get_node(&d->yaml, p->value) : NULL;
}

const yaml_node_t *document_key(struct document *d, const yaml_node_t *n, const char *key)
{
    const yaml_node_pair_t *p = find(d, n, key);
    return p ? yaml_document_get_node(&d->yaml, p->key) : NULL;
}

size_t document_count(const yaml_node_t *n)
{
    if (!n || n->type != YAML_SEQUENCE_NODE)
        return 0;
    return (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
}

const yaml_node_t *document_item(struct document *d, const yaml_node_t *n, size_t i)
{
    return i < document_count(n) ? yaml_document_get_node(&d->yaml, n->data.sequence.items.start[i]) : NULL;
}
