/*
 * login_file: reading, writing and removing the saved login.
 */
#include "login_file.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "token.h"
#include "token_json.h"

#define VERSION 1
#define FILE_MAX ((size_t)4 * TOKEN_MAX)

void login_saved_done(struct login_saved *s)
{
    if (s->refresh)
        mem_free_secret(s->refresh, strlen(s->refresh));
    mem_free(s->login);
    mem_free(s->tenant);
    mem_free(s->client);
    mem_free(s->user);
    memset(s, 0, sizeof(*s));
}

static int check_private(const char *path, struct err *err)
{
    struct stat st;
    if (lstat(path, &st))
        return errno == ENOENT || errno == ENOTDIR ? err_set(err, ERR_NOTFOUND, "nobody has run adit login")
                                                   : err_sys(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
        return err_set(
            err, ERR_DENIED,
            "%s: not used, because it is not a file that only you can read; remove it and run adit login",
            path);
    return 0;
}

static int fill(struct login_saved *out, const json_t *root, const char *path, struct err *err)
{
    const char *login, *tenant, *client, *user, *refresh;
    int version;
    if (json_unpack((json_t *)root, "{s:i, s:s, s:s, s:s, s:s, s:s}", "version", &version, "login", &login,
                    "tenant", &tenant, "client", &client, "user", &user, "refresh_token", &refresh) ||
        version != VERSION || !*refresh || strlen(refresh) > TOKEN_MAX)
        return err_set(err, ERR_INVAL, "%s: damaged, or written by another version; run adit login", path);
    *out = (struct login_saved){mem_strdup(login), mem_strdup(tenant), mem_strdup(client), mem_strdup(user),
                                mem_strdup(refresh)};
    if (out->login && out->tenant && out->client && out->user && out->refresh)
        return 0;
    login_saved_done(out);
    return err_set(err, ERR_NOMEM, "out of memory");
}

int login_file_read(struct login_saved *out, const char *path, struct err *err)
{
    char *data;
    size_t n;
    memset(out, 0, sizeof(*out));
    int rc = check_private(path, err);
    if (!rc)
        rc = fs_read(path, FILE_MAX, &data, &n, err);
    if (rc)
        return rc;
    json_t *root = json_loadb(data, n, 0, NULL);
    rc = fill(out, root, path, err);
    token_json_wipe(root);
    json_decref(root);
    mem_free_secret(data, n);
    return rc;
}

static int make_directory(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash && slash != path ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
    int rc = dir ? fs_mkdirs(dir, 0700, err) : err_set(err, ERR_NOMEM, "out of memory");
    mem_free(dir);
    return rc;
}

int login_file_write(const char *path, const struct login_saved *s, struct err *err)
{
    int rc = make_directory(path, err);
    if (rc)
        return rc;
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "version", VERSION, "login", s->login, "tenant",
                  s->tenant, "client", s->client, "user", s->user, "refresh_token", s->refresh);
    size_t n = root ? json_dumpb(root, NULL, 0, JSON_INDENT(2)) : 0;
    char *text = n ? mem_alloc(n) : NULL;
    if (text) {
        json_dumpb(root, text, n, JSON_INDENT(2));
        rc = fs_replace(path, text, n, 0600, err);
        mem_free_secret(text, n);
    } else {
        rc = err_set(err, ERR_NOMEM, "out of memory");
    }
    token_json_wipe(root);
    json_decref(root);
    return rc;
}

int login_file_remove(const char *path, struct err *err)
{
    if (unlink(path) == 0)
        return 0;
    return errno == ENOENT || errno == ENOTDIR
               ? err_set(err, ERR_NOTFOUND, "nobody is signed in by adit login")
               : err_sys(err, errno, "%s", path);
}
