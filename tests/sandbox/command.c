/*
 * command: one child process, its standard output and error in a pipe, its exit status.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 600

extern char **environ;

/* posix_spawn takes its strings as changeable for history's sake and leaves them alone. */
static char *const *argv_of(const char *const argv[])
{
    char *const *out;
    memcpy(&out, &argv, sizeof out);
    return out;
}

int command_run(const char *const argv[], struct err *err)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return err_sys(err, errno, "pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    pid_t pid = 0;
    int rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv_of(argv), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    if (rc) {
        close(out[0]);
        return err_sys(err, rc, "%s", argv[0]);
    }
    char said[SAID_MAX + 1], block[512];
    size_t len = 0;
    ssize_t n;
    while ((n = read(out[0], block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
        size_t take = n > 0 ? (size_t)n : 0;
        take = take < SAID_MAX - len ? take : SAID_MAX - len;
        memcpy(said + len, block, take);
        len += take;
    }
    close(out[0]);
    while (len && (said[len - 1] == '\n' || said[len - 1] == '\r'))
        len--;
    said[len] = 0;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(err, ERR_SYSTEM, "%s failed: %s", argv[0], len ? said : "no message");
}
