/*
 * netns: makes the fabric once, and puts each VM's process into namespaces of its own.
 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BRIDGE "vnet"
#define MASK "255.255.0.0"

static int proc_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* A user keeps his own id inside; sshd then runs as that user, exactly as it would outside. */
static int user_enter(struct err *err)
{
    unsigned uid = geteuid(), gid = getegid();
    char line[64];
    if (unshare(CLONE_NEWUSER) < 0)
        return err_sys(err, errno, "user namespace");
    if (proc_write("/proc/self/setgroups", "deny") < 0)
        return err_sys(err, errno, "/proc/self/setgroups");
    snprintf(line, sizeof line, "%u %u 1", uid, uid);
    if (proc_write("/proc/self/uid_map", line) < 0)
        return err_sys(err, errno, "/proc/self/uid_map");
    snprintf(line, sizeof line, "%u %u 1", gid, gid);
    if (proc_write("/proc/self/gid_map", line) < 0)
        return err_sys(err, errno, "/proc/self/gid_map");
    return 0;
}

static int fabric_make(int with_user, struct err *err)
{
    if (with_user) {
        int rc = user_enter(err);
        if (rc)
            return rc;
    }
    if (unshare(CLONE_NEWNET) < 0)
        return err_sys(err, errno, "network namespace");
    int rc = netlink_bridge_new(BRIDGE, err);
    return rc ? rc : netlink_link_up(BRIDGE, err);
}

/* The child makes the namespaces and lives until the parent has opened them through /proc. */
static int fabric_try(struct netns *n, int with_user, struct err *err)
{
    int up[2], down[2];
    if (pipe2(up, O_CLOEXEC) < 0)
        return err_sys(err, errno, "pipe");
    if (pipe2(down, O_CLOEXEC) < 0) {
        close(up[0]), close(up[1]);
        return err_sys(err, errno, "pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = {0};
        close(down[1]);
        fabric_make(with_user, &e);
        char c;
        _exit(write(up[1], &e, sizeof e) < 0 || read(down[0], &c, 1) < 0);
    }
    close(up[1]), close(down[0]);
    struct err e = {.code = ERR_SYSTEM, .msg = "fork failed"};
    if (pid > 0 && read(up[0], &e, sizeof e) == (ssize_t)sizeof e && e.code == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
        n->net_fd = open(path, O_RDONLY | O_CLOEXEC);
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
        n->user_fd = with_user ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (n->net_fd < 0 || (with_user && n->user_fd < 0))
            err_sys(&e, errno, "open %s", path);
    }
    close(up[0]), close(down[1]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return e.code ? err_copy(err, &e, e.code) : 0;
}

void netns_fabric_open(struct netns *n, struct err *why)
{
    *n = (struct netns){.mode = NETNS_NONE, .net_fd = -1, .user_fd = -1};
    const char *forced = getenv("ADIT_SANDBOX_NETNS");
    if (forced && strcmp(forced, "none") == 0) {
        err_set(why, ERR_UNSUPPORTED, "ADIT_SANDBOX_NETNS=none");
        return;
    }
    int with_user = geteuid() != 0;
    if (fabric_try(n, with_user, why) == 0)
        n->mode = with_user ? NETNS_USER : NETNS_ROOT;
    else
        netns_fabric_close(n);
}

void netns_fabric_close(struct netns *n)
{
    if (n->net_fd >= 0)
        close(n->net_fd);
    if (n->user_fd >= 0)
        close(n->user_fd);
    n->net_fd = n->user_fd = -1;
}

const char *netns_mode_name(enum netns_mode mode)
{
    static const char *const names[] = {"root", "user", "none"};
    return names[mode];
}

/* Stays outside as the process that the sandbox knows: its end is the VM's end, by PR_SET_PDEATHSIG of
 * process 1. */
static void outside_wait(pid_t init)
{
    int status = 0;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    while (waitpid(init, &status, 0) < 0 && errno == EINTR)
        continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int netns_machine_enter(const struct netns *n, const char *hostname, struct err *err)
{
    if (n->mode == NETNS_NONE)
        return 0;
    if (n->mode == NETNS_USER && setns(n->user_fd, CLONE_NEWUSER) < 0)
        return err_sys(err, errno, "entering the user namespace");
    if (unshare(CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
        return err_sys(err, errno, "process namespace");
    if (sethostname(hostname, strlen(hostname)) < 0)
        return err_sys(err, errno, "hostname %s", hostname);
    pid_t init = fork();
    if (init < 0)
        return err_sys(err, errno, "fork");
    if (init > 0)
        outside_wait(init);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* A /proc that knows the VM's processes, for ps and the like; where it may not be mounted they do
     * without. */
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 0;
    int mounted = mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    (void)mounted;
    return 0;
}

int netns_network_enter(const struct netns *n, const char *private_address, unsigned serial, struct err *err)
{
    if (n->mode == NETNS_NONE)
        return 0;
    if (unshare(CLONE_NEWNET) < 0)
        return err_sys(err, errno, "network namespace");
    int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0)
        return err_sys(err, errno, "/proc/thread-self/ns/net");
    char name[32];
    snprintf(name, sizeof name, "vm%u", serial);
    int rc = setns(n->net_fd, CLONE_NEWNET) < 0 ? err_sys(err, errno, "entering the fabric")
                                                : netlink_veth_new(name, BRIDGE, "eth0", own, err);
    if (setns(own, CLONE_NEWNET) < 0 && !rc)
        rc = err_sys(err, errno, "entering the VM's network");
    close(own);
    rc = rc ? rc : netlink_link_up("lo", err);
    rc = rc ? rc : netlink_address_set("eth0", private_address, MASK, err);
    rc = rc ? rc : netlink_link_up("eth0", err);
    if (!rc && proc_write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0") < 0)
        rc = err_sys(err, errno, "low ports for the VM");
    return rc;
}
