/*
 * vmhost: builds the VM around itself, starts what runs in it, and obeys the sandbox until its socket ends.
 *
 * As process 1 of its namespace it reaps every session, restarts an sshd that ends, and by its own end takes
 * all along.
 */
#include "vmhost.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"
#include "services.h"
#include "sshd.h"

#define SSHD_UP_MS 10000

struct vmhost {
    uv_loop_t loop;
    uv_poll_t control;
    uv_signal_t child;
    struct relay relay;
    struct netns ns;
    const char *dir;
    struct sockaddr_in sshd_at;
    pid_t sshd;
};

static void reply_send(struct vmhost *h, uint32_t verb, const struct err *err)
{
    struct vmhost_reply r = {.verb = verb, .stats = h->relay.stats};
    err_copy(&r.err, err, 0);
    if (err->code == 0)
        err_clear(&r.err);
    if (send(VMHOST_CONTROL_FD, &r, sizeof r, MSG_NOSIGNAL) < 0)
        _exit(1);
}

static bool sshd_answers(const struct vmhost *h)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && connect(fd, (const struct sockaddr *)&h->sshd_at, sizeof h->sshd_at) == 0;
    if (fd >= 0)
        close(fd);
    return up;
}

static int sshd_start(struct vmhost *h, struct err *err)
{
    int rc = sshd_spawn(h->dir, &h->sshd, err);
    if (rc)
        return rc;
    for (int waited = 0; waited < SSHD_UP_MS; waited += 2) {
        if (sshd_answers(h))
            return 0;
        int status;
        if (waitpid(h->sshd, &status, WNOHANG) == h->sshd) {
            h->sshd = 0;
            return err_set(err, ERR_SYSTEM, "sshd ended at once; see %s/sshd.log", h->dir);
        }
        poll(NULL, 0, 2);
    }
    return err_set(err, ERR_TIMEOUT, "sshd does not accept connections; see %s/sshd.log", h->dir);
}

/* Without a process namespace of our own the sessions are found as our descendants. */
static bool descends(pid_t pid, pid_t from)
{
    for (int depth = 0; depth < 32 && pid > 1; depth++) {
        if (pid == from)
            return true;
        char path[64], line[512];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *f = fopen(path, "re");
        if (!f)
            return false;
        char *close_paren = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
        fclose(f);
        if (!close_paren || strlen(close_paren) < 5)
            return false;
        pid = (pid_t)strtol(close_paren + 4, NULL, 10); /* ") S PARENT " */
    }
    return false;
}

static void kill_descendants(void)
{
    DIR *d = opendir("/proc");
    if (!d)
        return;
    struct dirent *e;
    while ((e = readdir(d))) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 0 && pid != getpid() && descends(pid, getpid()))
            kill(pid, SIGKILL);
    }
    closedir(d);
}

static int ssh_kill(struct vmhost *h, struct err *err)
{
    relay_pause(&h->relay, true);
    h->sshd = 0;
    if (getpid() == 1) /* of our own namespace: all others in it */
        kill(-1, SIGKILL);
    else
        kill_descendants();
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    int rc = sshd_start(h, err);
    relay_pause(&h->relay, false);
    return rc;
}

static void on_child(uv_signal_t *s, int signum)
{
    (void)signum;
    struct vmhost *h = s->data;
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != h->sshd)
            continue;
        struct err err = {0};
        if (sshd_start(h, &err))
            fprintf(stderr, "adit-sandbox: %s: %s\n", h->dir, err.msg);
    }
}

static int fd_received(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static void request_do(struct vmhost *h, const struct vmhost_request *q, int fd)
{
    struct err err = {0};
    switch (q->verb) {
    case VMHOST_OPEN:
        relay_listen(&h->relay, fd, &err);
        break;
    case VMHOST_SSHD:
        if (!h->sshd)
            sshd_start(h, &err);
        break;
    case VMHOST_KILL_SSH:
        if (h->sshd)
            ssh_kill(h, &err);
        else
            err_set(&err, ERR_NOTFOUND, "no sshd runs on this VM");
        break;
    case VMHOST_FAULTS:
        relay_faults_set(&h->relay, &q->faults);
        break;
    case VMHOST_RESET:
        relay_reset(&h->relay);
        break;
    default:
        break;
    }
    reply_send(h, q->verb, &err);
}

static void on_control(uv_poll_t *p, int status, int events)
{
    (void)events;
    (void)status;
    struct vmhost_request q;
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } aux;
    struct iovec v = {&q, sizeof q};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &aux, .msg_controllen = sizeof aux};
    ssize_t n = recvmsg(VMHOST_CONTROL_FD, &m, MSG_CMSG_CLOEXEC);
    if (n != (ssize_t)sizeof q) {
        if (((struct vmhost *)p->data)->ns.mode == NETNS_NONE)
            kill_descendants();
        _exit(0);
    }
    request_do(p->data, &q, fd_received(&m));
}

static int build(struct vmhost *h, const json_t *j, struct err *err)
{
    const char *name = json_string_value(json_object_get(j, "name"));
    const char *private_address = json_string_value(json_object_get(j, "private"));
    const char *unix_path = json_string_value(json_object_get(j, "unix"));
    bool with_sshd = json_is_true(json_object_get(j, "sshd"));
    h->dir = json_string_value(json_object_get(j, "dir"));
    h->ns.mode = (enum netns_mode)json_integer_value(json_object_get(j, "mode"));
    h->ns.net_fd = VMHOST_NET_FD;
    h->ns.user_fd = VMHOST_USER_FD;
    bool apart = h->ns.mode != NETNS_NONE;
    h->sshd_at.sin_family = AF_INET;
    h->sshd_at.sin_port = htons((uint16_t)json_integer_value(json_object_get(j, "port")));
    inet_pton(AF_INET, apart ? "127.0.0.1" : private_address, &h->sshd_at.sin_addr);

    int rc = netns_machine_enter(&h->ns, name, err);
    unsigned serial = (unsigned)json_integer_value(json_object_get(j, "serial"));
    rc = rc ? rc : netns_network_enter(&h->ns, private_address, serial, err);
    if (apart)
        close(VMHOST_NET_FD), close(VMHOST_USER_FD);
    if (rc)
        return rc;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    uv_loop_init(&h->loop);
    rc = relay_init(&h->relay, &h->loop, &h->sshd_at, err);
    struct services_setup s = {.vm_name = name,
                               .address = apart ? NULL : private_address,
                               .unix_path = unix_path,
                               .kinds = (uint32_t)json_integer_value(json_object_get(j, "services"))};
    rc = rc ? rc : services_start(&s, err);
    return rc || !with_sshd ? rc : sshd_start(h, err);
}

int vmhost_main(const char *json)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* Ctrl-C is the sandbox's to answer */
    json_t *j = json_loads(json, 0, NULL);
    static struct vmhost h;
    struct err err = {0};
    int rc =
        j ? build(&h, j, &err) : err_set(&err, ERR_INVAL, "vm-host is started by `adit-sandbox run` only");
    reply_send(&h, VMHOST_READY, &err);
    if (rc)
        return 1;
    h.control.data = h.child.data = &h;
    uv_poll_init(&h.loop, &h.control, VMHOST_CONTROL_FD);
    uv_poll_start(&h.control, UV_READABLE | UV_DISCONNECT, on_control);
    uv_signal_init(&h.loop, &h.child);
    uv_signal_start(&h.child, on_child, SIGCHLD);
    uv_run(&h.loop, UV_RUN_DEFAULT);
    return 0;
}
