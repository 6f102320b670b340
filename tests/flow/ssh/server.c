/*
 * server: real SSH servers for the tests.
 */
#include "server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 10000

void server_run(const char *fmt, ...)
{
    char command[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    int rc = system(command);
    if (rc != 0) {
        fprintf(stderr, "failed (%d): %s\n", rc, command);
        abort();
    }
}

void server_folder(struct server *s)
{
    memset(s, 0, sizeof *s);
    strcpy(s->dir, "/tmp/adit-ssh-XXXXXX");
    if (!mkdtemp(s->dir))
        abort();
    struct passwd *pw = getpwuid(getuid());
    snprintf(s->user, sizeof s->user, "%s", pw ? pw->pw_name : "root");
    snprintf(s->key, sizeof s->key, "%s/id_ed25519", s->dir);
    server_run("ssh-keygen -q -t ed25519 -N '' -C test -f %s", s->key);
    server_run("ssh-keygen -q -t ed25519 -N '' -f %s/host_key", s->dir);
    server_run("cp %s.pub %s/authorized_keys", s->key, s->dir);
}

static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        abort();
    close(fd);
    return ntohs(a.sin_port);
}

static bool answers(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;
    bool ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && read(fd, &byte, 1) == 1;
    close(fd);
    return ok;
}

static bool await(struct server *s)
{
    for (int ms = 0; ms < START_MS; ms += 10) {
        if (answers(s->port))
            return true;
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static void launch(struct server *s, const char *const *argv)
{
    char log[128];
    snprintf(log, sizeof log, "%s/log", s->dir);
    s->pid = fork();
    if (s->pid < 0)
        abort();
    if (s->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    int fd = open(log, O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void spawn_sshd(struct server *s)
{
    char config[128];
    snprintf(config, sizeof config, "%s/config", s->dir);
    const char *argv[] = {"/usr/sbin/sshd", "-D", "-e", "-f", config, NULL};
    launch(s, argv);
    if (await(s))
        return;
    server_run("cat %s/log >&2", s->dir);
    abort();
}

void server_start_sshd(struct server *s, const char *more)
{
    char path[128];
    server_folder(s);
    s->port = free_port();
    snprintf(path, sizeof path, "%s/config", s->dir);
    FILE *f = fopen(path, "w");
    fprintf(f,
            "Port %u\nListenAddress 127.0.0.1\nHostKey %s/host_key\nAuthorizedKeysFile "
            "%s/authorized_keys\nPidFile none\n"
            "UsePAM no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication "
            "no\nKbdInteractiveAuthentication no\n"
            "MaxStartups 200:30:400\nLogLevel ERROR\n"
            /* what the calling user's shell start-up files do is no part of a server */
            "SetEnv HOME=%s\n%s\n",
            s->port, s->dir, s->dir, s->dir, more ? more : "");
    fclose(f);
    if (getuid() == 0)
        mkdir("/run/sshd", 0755);
    spawn_sshd(s);
}

void server_restart_sshd(struct server *s)
{
    spawn_sshd(s);
}

/* dropbear looks for keys in the user's home and nowhere else: nss_wrapper gives the user another one. */
bool server_start_dropbear(struct server *s)
{
    static const char *const wrappers[] = {"/usr/lib/x86_64-linux-gnu/libnss_wrapper.so",
                                           "/usr/lib/aarch64-linux-gnu/libnss_wrapper.so",
                                           "/usr/lib64/libnss_wrapper.so"};
    char key[128], port[64], preload[160], passwd[160], group[160];
    const char *wrapper = NULL;
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers && !wrapper; i++)
        wrapper = access(wrappers[i], R_OK) == 0 ? wrappers[i] : NULL;
    memset(s, 0, sizeof *s);
    if (!wrapper || access("/usr/sbin/dropbear", X_OK) < 0)
        return false;
    server_folder(s);
    s->port = free_port();
    snprintf(key, sizeof key, "%s/dropbear_key", s->dir);
    snprintf(port, sizeof port, "127.0.0.1:%u", s->port);
    server_run("dropbearkey -t ed25519 -f %s >/dev/null 2>&1", key);
    server_run(
        "mkdir -p %s/home/.ssh && cp %s/authorized_keys %s/home/.ssh/ && chmod 700 %s/home %s/home/.ssh",
        s->dir, s->dir, s->dir, s->dir, s->dir);
    server_run("echo '%s:x:%u:%u::%s/home:/bin/sh' > %s/passwd && echo '%s:x:%u:' > %s/group", s->user,
               getuid(), getgid(), s->dir, s->dir, s->user, getgid(), s->dir);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", wrapper);
    snprintf(passwd, sizeof passwd, "NSS_WRAPPER_PASSWD=%s/passwd", s->dir);
    snprintf(group, sizeof group, "NSS_WRAPPER_GROUP=%s/group", s->dir);
    const char *argv[] = {"/usr/bin/env", preload, passwd, group, "/usr/sbin/dropbear",
                          "-F",           "-E",    "-s",   "-r",  key,
                          "-p",           port,    NULL};
    launch(s, argv);
    return await(s);
}

bool server_start_script(struct server *s, const char *script)
{
    char port_file[128], text[16] = "";
    server_folder(s);
    const char *argv[] = {"/usr/bin/python3", script, s->dir, NULL};
    launch(s, argv);
    snprintf(port_file, sizeof port_file, "%s/port", s->dir);
    for (int ms = 0; ms < START_MS; ms += 20) {
        FILE *f = fopen(port_file, "r");
        if (f) {
            bool ok = fgets(text, sizeof text, f) != NULL && strchr(text, '\n');
            fclose(f);
            if (ok) {
                s->port = (uint16_t)atoi(text);
                return true;
            }
        }
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return false;
}

/* sshd's children leave its process group, so they are found by their parent. */
static void kill_tree(pid_t pid)
{
    char path[64], line[4096] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    kill(pid, SIGSTOP);
    FILE *f = fopen(path, "r");
    if (f && !fgets(line, sizeof line, f))
        line[0] = '\0';
    if (f)
        fclose(f);
    for (char *p = line, *end;; p = end) {
        long child = strtol(p, &end, 10);
        if (end == p)
            break;
        kill_tree((pid_t)child);
    }
    kill(pid, SIGKILL);
}

void server_kill(struct server *s)
{
    if (s->pid <= 0)
        return;
    kill_tree(s->pid);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

void server_stop(struct server *s)
{
    server_kill(s);
    if (s->dir[0])
        server_run("rm -rf %s", s->dir);
}
