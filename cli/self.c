/*
 * self: how others are to call this adit: in ssh_config, on ssh's command line.
 */
#include "self.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define HARMLESS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-@:,=%"

static bool same_file(const char *path, const struct stat *self)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0 &&
           (!self || (st.st_dev == self->st_dev && st.st_ino == self->st_ino));
}

/* self: NULL when it is not known which file runs: then the first of the name will do. */
static char *on_path(const struct stat *self)
{
    const char *dirs = getenv("PATH");
    while (dirs && *dirs) {
        size_t n = strcspn(dirs, ":");
        char *path = n > 0 && dirs[0] == '/' ? mem_printf("%.*s/adit", (int)n, dirs) : NULL;
        if (path && same_file(path, self))
            return path;
        mem_free(path);
        dirs += n + (dirs[n] == ':');
    }
    return NULL;
}

char *self_path(struct err *err)
{
    char exe[PATH_MAX];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    bool known = n > 0;
    if (known) {
        exe[n] = '\0';
        known = stat(exe, &st) == 0;
    }
    char *path = on_path(known ? &st : NULL);
    if (!path && known)
        path = mem_strdup(exe);
    if (!path)
        err_set(err, ERR_NOTFOUND, "adit cannot tell where it is: put it into a directory of PATH");
    return path;
}

int self_add_word(struct strbuf *out, const char *word, struct err *err)
{
    bool harmless = word[strspn(word, HARMLESS)] == '\0';
    for (const unsigned char *p = (const unsigned char *)word; *p; p++)
        if (*p < ' ' || *p == '\'' || *p == 0x7F)
            return err_set(err, ERR_INVAL,
                           "\"%s\" has a quote or a control character in it, which "
                           "ssh_config cannot carry",
                           word);
    strbuf_puts(out, harmless ? "" : "'");
    for (const char *p = word; *p; p++)
        strbuf_add(out, *p == '%' ? "%%" : p, *p == '%' ? 2 : 1);
    strbuf_puts(out, harmless ? "" : "'");
    return 0;
}

char *self_command(const struct cli *cli, struct err *err)
{
    struct strbuf out;
    char *path = self_path(err), *text = NULL;

    strbuf_init(&out);
    if (path && self_add_word(&out, path, err) == 0) {
        if (cli->config)
            strbuf_puts(&out, " --config ");
        if (!cli->config || self_add_word(&out, cli->config, err) == 0)
            text = strbuf_take(&out);
        if (!text && !err->code)
            err_set(err, ERR_NOMEM, "out of memory");
    }
    strbuf_done(&out);
    mem_free(path);
    return text;
}
