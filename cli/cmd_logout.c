/*
 * cmd_logout: `adit logout`: removes what `adit login` has left.
 *
 * A running daemon does it, as it holds tokens too; none is started only for that.
 */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "options.h"

#define CALL_MS 5000

static int remove_file(struct err *err)
{
    err_clear(err);
    char *path = paths_login_file(err);
    if (!path)
        return err->code;
    int rc = 0;
    if (unlink(path) != 0)
        rc = errno == ENOENT || errno == ENOTDIR
                 ? err_set(err, ERR_NOTFOUND, "nobody is signed in by adit login")
                 : err_sys(err, errno, "%s", path);
    mem_free(path);
    return rc;
}

static int logout(struct err *err)
{
    struct control_client *c = NULL;
    char *path = paths_socket(err);
    int rc = path ? control_client_open(&c, path, CALL_MS, err) : err->code;
    mem_free(path);
    if (rc == ERR_NOTFOUND)
        return remove_file(err);
    if (rc == 0)
        rc = control_call(c, "logout", NULL, CALL_MS, NULL, NULL, NULL, NULL, err);
    control_client_close(c);
    return rc;
}

int cmd_logout(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{NULL, 0, NULL, 0}};
    struct err err = {0};

    if (options_next(cli, argc, argv, "", OPTIONS) != -1)
        return EX_USAGE;
    if (optind < argc)
        return cli_usage(cli, "it takes no argument");
    int rc = logout(&err);
    if (rc == ERR_NOTFOUND) { /* what was wanted is so already */
        fputs("adit: logout: nobody is signed in by adit login\n", stderr);
        return 0;
    }
    if (rc < 0)
        return cli_fail(&err, "logout");
    puts("signed out");
    return 0;
}
