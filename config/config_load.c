/*
 * config_load: reads, checks and converts adit.yaml.
 *
 * Text → document → schema_check and check (both always run, so that one load tells all problems) → libcyaml
 * → snapshot. Nothing is converted while a problem is known. Of the later steps only a lack of memory stops
 * the load.
 */
#include "config_load.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "check.h"
#include "document.h"
#include "paths.h"
#include "schema.h"
#include "schema_check.h"
#include "snapshot.h"

static int nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

/* *empty: nothing but comments, which is a configuration that sets nothing. */
static int find_problems(const char *text, size_t len, struct report *report, bool *empty, struct err *err)
{
    struct document doc;
    int rc = document_load(&doc, text, len, report, err);
    const char *scalar = document_scalar(document_root(&doc));
    *empty = !document_root(&doc) || (scalar && !*scalar);
    if (rc == 0 && !*empty) {
        const struct checker c = {.doc = &doc, .report = report};
        schema_check(&doc, &schema_config, report);
        rc = check_document(&c, err);
    }
    document_done(&doc);
    if (rc == 0 && report->nomem)
        rc = nomem(err);
    report_finish(report);
    return rc;
}

/* What passed both checks and is refused here is a gap in them; it still has to be a message, not a crash. */
static int convert(const struct config **out, const char *text, size_t len, const char *path,
                   struct report *report, struct err *err)
{
    static const struct raw_config nothing = {0};
    cyaml_data_t *data = NULL;
    cyaml_err_t status =
        cyaml_load_data((const uint8_t *)text, len, &schema_cyaml, &schema_config, &data, NULL);
    if (status == CYAML_ERR_OOM)
        return nomem(err);
    if (status != CYAML_OK) {
        report_at(report, NULL, NULL, "the file does not fit adit's schema: %s", cyaml_strerror(status));
        return report->nomem ? nomem(err) : ERR_CONFIG;
    }
    struct err why = {0};
    int rc = snapshot_build(out, data ? data : &nothing, path, &why);
    (void)cyaml_free(&schema_cyaml, &schema_config, data, 0);
    if (rc == ERR_CONFIG)
        report_at(report, NULL, NULL, "%s", why.msg);
    return rc == ERR_NOMEM || report->nomem ? nomem(err) : rc;
}

static int first_problem(const struct config_problems *list, const char *path, struct err *err)
{
    assert(list->count > 0);
    const struct config_problem *p = &list->items[0];
    if (p->line > 0)
        return err_set(err, ERR_CONFIG, "%s:%u:%u: %s", path, p->line, p->column, p->text);
    return err_set(err, ERR_CONFIG, "%s: %s", path, p->text);
}

static char *absolute(const char *path, struct err *err)
{
    char dir[PATH_MAX];
    if (path[0] == '/')
        return paths_expand(path, NULL, err);
    if (!getcwd(dir, sizeof dir)) {
        (void)err_sys(err, errno, "working directory");
        return NULL;
    }
    char *full = mem_printf("%s/%s", dir, path);
    if (!full)
        (void)nomem(err);
    return full;
}

int config_load_text(const struct config **out, const char *text, size_t len, const char *path,
                     struct config_problems *problems, struct err *err)
{
    struct config_problems own = {0};
    struct report report = {.list = problems ? problems : &own};
    struct err why = {0};
    bool empty = false;
    char *full = absolute(path, &why);
    int rc = full ? find_problems(text, len, &report, &empty, &why) : why.code;
    if (rc == 0 && report.list->count > 0)
        rc = ERR_CONFIG;
    if (rc == 0)
        rc = convert(out, empty ? "{}" : text, empty ? 2 : len, full, &report, &why);
    mem_free(full);
    if (rc == ERR_CONFIG)
        rc = first_problem(report.list, path, err);
    else if (rc < 0)
        rc = err_copy(err, &why, rc);
    if (rc == ERR_NOMEM)
        config_problems_done(report.list); /* some may be but a consequence of what could not be allocated */
    config_problems_done(&own);
    return rc;
}

int config_load(const struct config **out, const char *path, struct config_problems *problems,
                struct err *err)
{
    static const struct raw_config nothing = {0};
    struct config_problems own = {0};
    struct config_problems *list = problems ? problems : &own;
    struct report report = {.list = list};
    char *text = NULL;
    size_t len = 0;
    if (!path)
        return snapshot_build(out, &nothing, NULL, err);
    struct err why = {0};
    int rc = fs_read(path, CONFIG_FILE_MAX, &text, &len, &why);
    if (rc == ERR_LIMIT) {
        report_at(&report, NULL, NULL, "the file is larger than %zu bytes", CONFIG_FILE_MAX);
        rc = report.nomem ? nomem(err) : first_problem(list, path, err);
    } else if (rc < 0) {
        rc = err_copy(err, &why, rc);
    } else {
        rc = config_load_text(out, text, len, path, list, err);
    }
    mem_free(text);
    config_problems_done(&own);
    return rc;
}
