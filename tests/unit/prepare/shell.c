/*
 * shell: runs the scripts for Linux with a real shell, in a folder of their own.
 */
#include "shell.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char fake_getent[] = "#!/bin/sh\n"
                                  "[ \"$1\" = passwd ] && [ \"$2\" = -- ] && [ \"$#\" = 3 ] || exit 64\n"
                                  "if [ \"$3\" = 0 ]; then echo root:x:0:0::/root:/bin/sh; exit 0; fi\n"
                                  "[ \"$3\" = \"$TEST_USER\" ] || exit 2\n"
                                  "printf '%s:x:1:1:A. N. Other:%s:/bin/sh\\n' \"$3\" \"$TEST_HOME\"\n";
static const char fake_runuser[] =
    "#!/bin/sh\n"
    "[ \"$1\" = -u ] && [ \"$2\" = \"$TEST_USER\" ] && [ \"$3\" = -- ] && [ \"$4\" = /bin/sh ] || exit 64\n"
    "shift 4\n"
    "exec \"$TEST_SHELL\" \"$@\"\n";

static const char *path_of(struct shell *s, const char *folder, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s%s%s", s->dir, folder, *name ? "/" : "", name);
    return path;
}

static void file_write(const char *path, const char *data, size_t n, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int file_read(const char *path, char *text, size_t *n)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, text, SHELL_TEXT_MAX - 1);
    assert_true(got >= 0);
    text[got] = 0;
    *n = (size_t)got;
    close(fd);
    return 0;
}

void shell_program(struct shell *s, const char *name, const char *text)
{
    file_write(path_of(s, "bin", name), text, strlen(text), 0755);
}

void shell_init(struct shell *s, const char *program)
{
    memset(s, 0, sizeof *s);
    s->program = program;
    strcpy(s->dir, "/tmp/adit-shell-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    assert_int_equal(chmod(s->dir, 0755), 0);
    snprintf(s->home, sizeof s->home, "%s/home", s->dir);
    assert_int_equal(mkdir(path_of(s, "bin", ""), 0755), 0);
    assert_int_equal(mkdir(s->home, 0755), 0);
    shell_program(s, "getent", fake_getent);
    shell_program(s, "runuser", fake_runuser);
}

void shell_become_real(struct shell *s, unsigned uid)
{
    assert_int_equal(unlink(path_of(s, "bin", "runuser")), 0);
    assert_int_equal(chown(s->home, uid, uid), 0);
}

void shell_done(struct shell *s)
{
    char command[256];
    snprintf(command, sizeof command, "! find %s | grep pwned; r=$?; rm -rf %s; exit $r", s->dir, s->dir);
    assert_int_equal(system(command), 0);
}

static void child(struct shell *s, const char *user, const char *file)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/bin:%s", s->dir, getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("TEST_USER", user, 1);
    setenv("TEST_HOME", s->home, 1);
    setenv("TEST_SHELL", s->program, 1);
    int in = open("/dev/null", O_RDONLY);
    int out = open(path_of(s, "out", ""), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int bad = open(path_of(s, "bad", ""), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0 || bad < 0 || chdir(s->dir) < 0)
        _exit(99);
    dup2(in, 0), dup2(out, 1), dup2(bad, 2);
    execlp(s->program, s->program, file, (char *)NULL);
    _exit(98);
}

int shell_run(struct shell *s, const char *user, const char *script)
{
    char file[128];
    size_t n;
    int status;
    snprintf(file, sizeof file, "%s/script", s->dir);
    file_write(file, script, strlen(script), 0700);
    pid_t pid = fork();
    if (pid == 0)
        child(s, user, file);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(file_read(path_of(s, "out", ""), s->out, &n), 0);
    assert_int_equal(file_read(path_of(s, "bad", ""), s->bad, &n), 0);
    return WEXITSTATUS(status);
}

void shell_write(struct shell *s, const char *name, const char *data, size_t n, unsigned mode)
{
    file_write(path_of(s, "home", name), data, n, mode);
}

const char *shell_read(struct shell *s, const char *name, size_t *n)
{
    static char text[SHELL_TEXT_MAX];
    size_t len;
    if (file_read(path_of(s, "home", name), text, &len) < 0)
        return NULL;
    if (n)
        *n = len;
    return text;
}

unsigned shell_mode(struct shell *s, const char *name)
{
    struct stat st;
    assert_int_equal(stat(path_of(s, "home", name), &st), 0);
    return st.st_mode & 07777;
}
