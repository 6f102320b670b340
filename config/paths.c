/*
 * paths: finds adit's files by the XDG Base Directory Specification.
 */
#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define PASSWD_MAX 16384

static char *checked(char *path, struct err *err)
{
    if (!path) {
        (void)err_set(err, ERR_NOMEM, "path: out of memory");
    } else if (strlen(path) >= PATH_MAX) {
        (void)err_set(err, ERR_LIMIT, "the path %.64s… is longer than %d bytes", path, PATH_MAX - 1);
        mem_free(path);
        path = NULL;
    }
    return path;
}

/* $VAR/adit<tail>, else $HOME/<fallback>/adit<tail>. */
static char *xdg(const char *var, const char *fallback, const char *tail, struct err *err)
{
    const char *dir = getenv(var);
    if (dir && *dir) {
        if (dir[0] != '/') {
            (void)err_set(err, ERR_INVAL, "$%s is not an absolute path; set it to one or unset it", var);
            return NULL;
        }
        return checked(mem_printf("%s/adit%s", dir, tail), err);
    }
    const char *home = getenv("HOME");
    if (!home || home[0] != '/') {
        (void)err_set(err, ERR_INVAL, "neither $%s nor $HOME says where adit's files are; set one of them",
                      var);
        return NULL;
    }
    return checked(mem_printf("%s/%s/adit%s", home, fallback, tail), err);
}

static char *state(const char *tail, struct err *err)
{
    return xdg("XDG_STATE_HOME", ".local/state", tail, err);
}

static char *runtime(const char *tail, struct err *err)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");
    if (dir && *dir)
        return xdg("XDG_RUNTIME_DIR", "", tail, err);
    char *in_state = mem_printf("/run%s", tail);
    if (!in_state)
        return checked(NULL, err);
    char *path = state(in_state, err);
    mem_free(in_state);
    return path;
}

static char *in_working_dir(const char *path, struct err *err)
{
    char dir[PATH_MAX];
    if (!getcwd(dir, sizeof dir)) {
        (void)err_sys(err, errno, "working directory");
        return NULL;
    }
    return paths_expand(path, dir, err);
}

char *paths_config_file(struct err *err)
{
    const char *file = getenv("ADIT_CONFIG");
    if (file && *file)
        return in_working_dir(file, err);
    return xdg("XDG_CONFIG_HOME", ".config", "/adit.yaml", err);
}

char *paths_runtime_dir(struct err *err)
{
    return runtime("", err);
}

char *paths_socket(struct err *err)
{
    char *path = runtime("/aditd.sock", err);
    struct sockaddr_un addr;
    if (path && strlen(path) >= sizeof addr.sun_path) {
        (void)err_set(
            err, ERR_INVAL,
            "the control socket's path %.200s is longer than the %zu bytes that a Unix socket allows; set "
            "XDG_RUNTIME_DIR to a shorter directory",
            path, sizeof addr.sun_path - 1);
        mem_free(path);
        path = NULL;
    }
    return path;
}

char *paths_state_dir(struct err *err)
{
    return state("", err);
}

char *paths_known_hosts(struct err *err)
{
    return state("/known_hosts", err);
}

char *paths_log_file(struct err *err)
{
    return state("/aditd.log", err);
}

char *paths_login_file(struct err *err)
{
    return state("/login.json", err);
}

char *paths_cache_dir(struct err *err)
{
    return xdg("XDG_CACHE_HOME", ".cache", "", err);
}

static char *home_of(const char *user, const char *rest, struct err *err)
{
    struct passwd entry, *found = NULL;
    char *scratch = mem_alloc(PASSWD_MAX);
    if (!scratch)
        return checked(NULL, err);
    int rc = getpwnam_r(user, &entry, scratch, PASSWD_MAX, &found);
    char *path = NULL;
    if (found)
        path = checked(mem_printf("%s%s", found->pw_dir, rest), err);
    else if (rc)
        (void)err_sys(err, rc, "home directory of %s", user);
    else
        (void)err_set(err, ERR_NOTFOUND,
                      "there is no user \"%.64s\" on this machine, so ~%.64s means nothing", user, user);
    mem_free(scratch);
    return path;
}

char *paths_expand(const char *path, const char *base_dir, struct err *err)
{
    if (path[0] == '/')
        return checked(mem_strdup(path), err);
    if (path[0] == '~') {
        size_t user_len = strcspn(path + 1, "/");
        const char *rest = path + 1 + user_len, *home = getenv("HOME");
        if (user_len > 0) {
            char *user = mem_strndup(path + 1, user_len);
            char *full = user ? home_of(user, rest, err) : checked(NULL, err);
            mem_free(user);
            return full;
        }
        if (!home || home[0] != '/') {
            (void)err_set(err, ERR_INVAL, "$HOME is not set, so ~ means nothing");
            return NULL;
        }
        return checked(mem_printf("%s%s", home, rest), err);
    }
    if (path[0] == '\0' || !base_dir) {
        (void)err_set(err, ERR_INVAL, "\"%.64s\" is not an absolute path", path);
        return NULL;
    }
    return checked(mem_printf("%s/%s", strcmp(base_dir, "/") == 0 ? "" : base_dir, path), err);
}
