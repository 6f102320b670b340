/*
 * place: where this daemon's files are, all absolute, so that they hold after it has left its working
 * directory.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/paths.h"
#include "daemon.h"

static char *absolute(const char *path, struct err *err)
{
    char dir[PATH_MAX];
    if (!getcwd(dir, sizeof dir)) {
        err_set(err, ERR_SYSTEM, "the working directory is gone: give --config as an absolute path");
        return NULL;
    }
    return paths_expand(path, dir, err);
}

int daemon_place_find(struct daemon_place *p, const struct daemon_options *o)
{
    struct err err = {0};
    const char *named = getenv("ADIT_CONFIG");

    memset(p, 0, sizeof *p);
    p->config_default = !o->config && !(named && *named);
    p->config = o->config ? absolute(o->config, &err) : paths_config_file(&err);
    if (p->config)
        p->socket = paths_socket(&err);
    if (p->socket)
        p->log_file = paths_log_file(&err);
    if (p->log_file)
        p->known_hosts = paths_known_hosts(&err);
    if (p->known_hosts)
        p->login_file = paths_login_file(&err);
    if (p->login_file)
        return 0;
    fprintf(stderr, "aditd: %s\n", err.msg);
    return err_exit_status(err.code);
}

void daemon_place_done(struct daemon_place *p)
{
    mem_free(p->config);
    mem_free(p->socket);
    mem_free(p->log_file);
    mem_free(p->known_hosts);
    mem_free(p->login_file);
    memset(p, 0, sizeof *p);
}
