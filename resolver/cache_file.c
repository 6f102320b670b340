/*
 * cache_file: reading, and the debounced writing on a thread of the pool.
 *
 *   CLEAN --change--> DELAY --timer--> WRITING --done--> CLEAN
 *                                         |  change: noted, DELAY follows
 *
 * A write that is still running when the file is closed goes on by itself: it owns all that it needs, and
 * what changed meanwhile is written behind it.
 */
#include "cache_file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache_doc.h"

static const struct log_ctx ctx = {.module = "resolver"};

struct writing {
    uv_work_t work;
    struct cache_file *file; /* NULL once closed */
    char *path, *text;
    size_t len;
    char *last; /* to be written after it, when the file was closed meanwhile */
    size_t last_len;
    int rc;
    struct err err;
};

struct cache_file {
    uv_loop_t *loop;
    struct cache *cache;
    char *path, *scope;
    struct timer delay;
    struct writing *writing;
    bool dirty;
};

/* FNV-1a: only has to tell file names apart; the scope stands in the file. */
static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        h = (h ^ *p) * 1099511628211u;
    return h;
}

static void warn(const char *path, const struct err *err)
{
    static struct log_rate rate = {.burst = 3, .every_ms = 600000};
    log_write(LOG_WARN, &ctx, &rate, "cache %s: %s", path, err->msg);
}

/* ---- reading ---- */

static int check_file(const char *path, struct err *err)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return err_sys(err, errno, "cannot be read");
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_DENIED, "ignored: it is no regular file");
    if (st.st_uid != geteuid())
        return err_set(err, ERR_DENIED, "ignored: it belongs to another user (uid %lu)",
                       (unsigned long)st.st_uid);
    if (st.st_mode & 077)
        return err_set(err, ERR_DENIED, "ignored: others may read or write it (mode %03o, not 600)",
                       (unsigned)(st.st_mode & 0777));
    return 0;
}

static void load(struct cache_file *f, bool sure)
{
    struct err err;
    char *text = NULL;
    size_t len = 0;
    err_clear(&err);
    int rc = check_file(f->path, &err);
    if (rc == ERR_NOTFOUND)
        return;
    if (rc == 0)
        rc = fs_read(f->path, CACHE_DOC_MAX, &text, &len, &err);
    if (rc == 0) {
        rc = cache_doc_read(f->cache, text, len, f->scope, sure, &err);
        if (rc < 0)
            err_wrap(&err, "ignored");
    }
    mem_free(text);
    if (rc < 0)
        warn(f->path, &err);
    else
        log_debug(&ctx, "cache %s: %d VMs", f->path, rc);
}

/* ---- writing ---- */

static void writing_free(struct writing *w)
{
    mem_free(w->path);
    mem_free(w->text);
    mem_free(w->last);
    mem_free(w);
}

static void on_work(uv_work_t *work)
{
    struct writing *w = container_of(work, struct writing, work);
    w->rc = fs_replace(w->path, w->text, w->len, 0600, &w->err);
}

static void on_changed(void *arg)
{
    struct cache_file *f = arg;
    f->dirty = true;
    if (!f->writing && !timer_active(&f->delay))
        timer_start(&f->delay, CACHE_FILE_DELAY_MS);
}

static void on_written(uv_work_t *work, int status)
{
    struct writing *w = container_of(work, struct writing, work);
    struct cache_file *f = w->file;
    if (w->last && fs_replace(w->path, w->last, w->last_len, 0600, &w->err) < 0)
        warn(w->path, &w->err);
    if (!status && w->rc < 0)
        warn(w->path, &w->err);
    writing_free(w);
    if (!f)
        return;
    f->writing = NULL;
    if (f->dirty)
        on_changed(f);
}

static void on_delay(struct timer *t)
{
    struct cache_file *f = container_of(t, struct cache_file, delay);
    struct writing *w = mem_zalloc(sizeof(*w));
    f->dirty = false;
    if (!w)
        return;
    w->file = f;
    w->path = mem_strdup(f->path);
    w->text = cache_doc_write(f->cache, f->scope, &w->len);
    if (!w->path || !w->text || uv_queue_work(f->loop, &w->work, on_work, on_written)) {
        writing_free(w);
        return;
    }
    f->writing = w;
}

void cache_file_close(struct cache_file *f)
{
    struct err err;
    if (!f)
        return;
    cache_on_change(f->cache, NULL, NULL);
    timer_stop(&f->delay);
    size_t len = 0;
    char *text = f->dirty ? cache_doc_write(f->cache, f->scope, &len) : NULL;
    if (f->writing) {
        f->writing->file = NULL;
        f->writing->last = text;
        f->writing->last_len = len;
    } else if (text) {
        if (fs_replace(f->path, text, len, 0600, &err) < 0)
            warn(f->path, &err);
        mem_free(text);
    }
    mem_free(f->path);
    mem_free(f->scope);
    mem_free(f);
}

int cache_file_open(struct cache_file **out, const struct cache_file_options *o, struct err *err)
{
    int rc = fs_mkdirs(o->dir, 0700, err);
    if (rc)
        return rc;
    struct cache_file *f = mem_zalloc(sizeof(*f));
    if (!f)
        return err_set(err, ERR_NOMEM, "out of memory");
    f->loop = o->loop;
    f->cache = o->cache;
    timer_init(&f->delay, o->clock, on_delay);
    f->scope = mem_strdup(o->scope);
    f->path = mem_printf("%s/vms-%016" PRIx64 ".json", o->dir, hash(o->scope));
    if (!f->scope || !f->path) {
        mem_free(f->scope);
        mem_free(f->path);
        mem_free(f);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    load(f, o->sure);
    cache_on_change(f->cache, on_changed, f);
    *out = f;
    return 0;
}
