/*
 * ssh_install: keeps adit's Host blocks in a file of their own and ssh's configuration including it.
 *
 * The Include stands first in ~/.ssh/config, because behind a Host line it would count for that host only.
 * Whoever wants it elsewhere moves it: the marks are found wherever they are. No other byte of the file is
 * touched.
 */
#include "ssh_install.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "config/paths.h"

#define FILE_MAX ((size_t)4 << 20)
#define BEGIN "# >>> adit >>> kept by `adit ssh-config --install`\n"
#define END "# <<< adit <<<\n"

struct file {
    char *path; /* where it is written: behind symbolic links */
    char *text; /* "" when there is none */
    bool there, link;
    mode_t mode;
};

char *ssh_install_path(const char *name, struct err *err)
{
    char *typed = mem_printf("~/.ssh/%s", name);
    char *path = typed ? paths_expand(typed, NULL, err) : NULL;
    if (!typed)
        err_set(err, ERR_NOMEM, "out of memory");
    mem_free(typed);
    return path;
}

static void file_done(struct file *f)
{
    mem_free(f->path);
    mem_free(f->text);
}

static int file_follow(struct file *f, struct err *err)
{
    char *real = realpath(f->path, NULL);
    if (!real)
        return err_sys(err, errno, "%s, a symbolic link", f->path);
    mem_free(f->path);
    f->path = mem_strdup(real);
    free(real); /* from libc */
    return f->path ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int file_open(struct file *f, const char *name, struct err *err)
{
    struct stat st;
    size_t len = 0;

    *f = (struct file){.mode = 0600};
    f->path = ssh_install_path(name, err);
    if (!f->path)
        return err->code;
    f->there = lstat(f->path, &st) == 0;
    f->link = f->there && S_ISLNK(st.st_mode);
    int rc = f->link ? file_follow(f, err) : 0;
    if (rc == 0 && f->there && stat(f->path, &st) == 0) {
        f->mode = st.st_mode & 07777;
        if (!S_ISREG(st.st_mode))
            return err_set(err, ERR_EXISTS, "%s is no file: nothing has been changed", f->path);
    }
    if (rc == 0 && f->there)
        rc = fs_read(f->path, FILE_MAX, &f->text, &len, err);
    if (rc == 0 && !f->there)
        f->text = mem_strdup("");
    if (rc == 0 && f->text && strlen(f->text) != len)
        rc = err_set(err, ERR_INVAL, "%s has NUL bytes in it: nothing has been changed", f->path);
    if (rc == 0 && !f->text)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    return rc;
}

static int file_write(const struct file *f, const char *text, struct err *err)
{
    return fs_replace(f->path, text, strlen(text), f->mode, err);
}

static const char *line_that_is(const char *text, const char *line)
{
    for (const char *p = text; (p = strstr(p, line)); p++)
        if (p == text || p[-1] == '\n')
            return p;
    return NULL;
}

/* The marked part, if there is one. ERR_INVAL when only half of the marks is there. */
static int find_part(const struct file *config, const char **begin, const char **end, struct err *err)
{
    assert(config->text); /* file_open() gave it */
    *begin = line_that_is(config->text, BEGIN);
    *end = line_that_is(*begin ? *begin : config->text, END);
    if (!*begin != !*end)
        return err_set(err, ERR_INVAL, "%s: adit's %s mark is missing: put it back or remove the other one",
                       config->path, *begin ? "closing" : "opening");
    if (*end)
        *end += strlen(END);
    return 0;
}

static int check_ours(const struct file *blocks, struct err *err)
{
    assert(blocks->text);
    if (blocks->link)
        return err_set(err, ERR_EXISTS, "~/.ssh/adit.conf is a symbolic link, not adit's file: move it away");
    if (blocks->there && strncmp(blocks->text, SSH_INSTALL_MARK, strlen(SSH_INSTALL_MARK)) != 0)
        return err_set(err, ERR_EXISTS, "%s is not adit's file: move it away", blocks->path);
    return 0;
}

static int include(const struct file *config, const struct file *blocks, bool *changed, struct err *err)
{
    const char *begin, *end;
    int rc = find_part(config, &begin, &end, err);
    if (rc < 0)
        return rc;
    char *part = mem_printf("%sInclude \"%s\"\n%s", BEGIN, blocks->path, END);
    char *text = !part   ? NULL
                 : begin ? mem_printf("%.*s%s%s", (int)(begin - config->text), config->text, part, end)
                         : mem_printf("%s%s%s", part, *config->text ? "\n" : "", config->text);
    if (!text)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    else if (strcmp(text, config->text) != 0) {
        *changed = true;
        rc = file_write(config, text, err);
    }
    mem_free(part);
    mem_free(text);
    return rc;
}

static int write_blocks(const struct file *blocks, const char *text, bool *changed, struct err *err)
{
    char *all = mem_printf("%s%s", SSH_INSTALL_MARK, text);
    int rc = all ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    if (all && (strcmp(all, blocks->text) != 0 || blocks->mode != 0600)) {
        *changed = true;
        rc = fs_replace(blocks->path, all, strlen(all), 0600, err);
    }
    mem_free(all);
    return rc;
}

static int make_folder(struct err *err)
{
    char *dir = ssh_install_path("", err);
    int rc = !dir ? err->code : access(dir, F_OK) == 0 ? 0 : fs_mkdirs(dir, 0700, err);
    mem_free(dir);
    return rc;
}

int ssh_install(const char *text, bool *changed, struct err *err)
{
    struct file config = {0}, blocks = {0};

    *changed = false;
    int rc = make_folder(err);
    if (rc == 0)
        rc = file_open(&config, "config", err);
    if (rc == 0)
        rc = file_open(&blocks, "adit.conf", err);
    if (rc == 0)
        rc = check_ours(&blocks, err);
    if (rc == 0 && strchr(blocks.path, '"'))
        rc = err_set(err, ERR_INVAL, "the path %s has a quote in it, which ssh_config cannot carry",
                     blocks.path);
    if (rc == 0)
        rc = write_blocks(&blocks, text, changed, err);
    if (rc == 0)
        rc = include(&config, &blocks, changed, err);
    file_done(&config);
    file_done(&blocks);
    return rc;
}

/* The file as it would be had adit never been there: without the marked part and the empty line behind it. */
static int leave(const struct file *config, bool *changed, struct err *err)
{
    const char *begin, *end;
    int rc = find_part(config, &begin, &end, err);
    if (rc < 0 || !begin)
        return rc;
    *changed = true;
    if (begin == config->text && *end == '\n')
        end++;
    if (begin == config->text && !*end && !config->link)
        return unlink(config->path) == 0 ? 0 : err_sys(err, errno, "%s", config->path);
    char *text = mem_printf("%.*s%s", (int)(begin - config->text), config->text, end);
    rc = text ? file_write(config, text, err) : err_set(err, ERR_NOMEM, "out of memory");
    mem_free(text);
    return rc;
}

int ssh_uninstall(bool *changed, struct err *err)
{
    struct file config = {0}, blocks = {0};

    *changed = false;
    int rc = file_open(&config, "config", err);
    if (rc == 0)
        rc = leave(&config, changed, err);
    if (rc == 0)
        rc = file_open(&blocks, "adit.conf", err);
    if (rc == 0)
        rc = check_ours(&blocks, err);
    if (rc == 0 && blocks.there) {
        *changed = true;
        if (unlink(blocks.path) != 0)
            rc = err_sys(err, errno, "%s", blocks.path);
    }
    file_done(&config);
    file_done(&blocks);
    return rc;
}
