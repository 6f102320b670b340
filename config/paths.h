/*
 * paths: where adit keeps what it keeps (XDG Base Directory Specification).
 *
 * Each function gives an absolute path to mem_free(), or NULL with err set (no HOME, a relative XDG value,
 * too long). Nothing is created here. Thread: any that does not race with setenv.
 */
#ifndef ADIT_CONFIG_PATHS_H
#define ADIT_CONFIG_PATHS_H

#include "base/err.h"

char *paths_config_file(struct err *err); /* $ADIT_CONFIG, else $XDG_CONFIG_HOME/adit/adit.yaml */
char *paths_runtime_dir(struct err *err); /* $XDG_RUNTIME_DIR/adit, else $XDG_STATE_HOME/adit/run */
char *paths_socket(struct err *err);    /* <runtime>/aditd.sock; ERR_INVAL when longer than sun_path holds */
char *paths_state_dir(struct err *err); /* $XDG_STATE_HOME/adit */
char *paths_known_hosts(struct err *err); /* <state>/known_hosts */
char *paths_log_file(struct err *err);    /* <state>/aditd.log */
char *paths_login_file(struct err *err);  /* <state>/login.json */
char *paths_cache_dir(struct err *err);   /* $XDG_CACHE_HOME/adit */
char *paths_expand(const char *path, const char *base_dir,
                   struct err *err); /* ~, ~user, relative to base_dir */

#endif
