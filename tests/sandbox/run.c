/*
 * run: `adit-sandbox run`: builds the world, waits until all of it is up, serves until a signal, takes all of
 * it down.
 *
 * Order: directories and client key; namespaces; addresses; certificates and HTTPS; VM files; VM processes,
 * side by side; adit.yaml and env; the control socket; ready. A failure before that ends the program with one
 * message.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env.h"
#include "graph.h"
#include "lro.h"
#include "sandbox.h"
#include "sshd.h"
#include "tls.h"
#include "vm.h"

static void stop(struct sandbox *sb, int status)
{
    sb->exit_status = status;
    uv_stop(&sb->loop);
}

static void on_signal(uv_signal_t *s, int signum)
{
    (void)signum;
    stop(s->data, 0);
}

static void on_http(void *arg, const struct http_request *q, struct http_reply *r)
{
    struct sandbox *sb = arg;
    if (token_path(q->path))
        token_handle(sb, q, r);
    else
        arm_handle(sb, q, r);
}

static void all_up(struct sandbox *sb)
{
    struct err err = {0};
    if (sb->fabric.mode == NETNS_NONE)
        fprintf(stderr,
                "adit-sandbox: no network namespaces here (%s): VMs share this machine's loopback; a VM's "
                "services are\n"
                "adit-sandbox: at its private address 127.67.%u.x, not at its localhost; ports below 1024 "
                "need root\n",
                sb->fabric_why.msg, sb->addresses.block);
    int rc = env_write(sb, &err);
    rc = rc ? rc : ctl_open(&sb->ctl, sb, &err);
    rc = rc ? rc : env_ready(sb, &err);
    if (rc) {
        fprintf(stderr, "adit-sandbox: %s\n", err.msg);
        stop(sb, 1);
        return;
    }
    fprintf(stderr, "adit-sandbox: ready: %s; point a shell at it with: . %s/env\n", sb->http.base, sb->dir);
}

static void on_booted(void *arg, const struct err *err)
{
    struct sandbox *sb = ((struct vm *)arg)->sb;
    if (err) {
        fprintf(stderr, "adit-sandbox: %s\n", err->msg);
        stop(sb, 1);
    } else if (--sb->booting == 0) {
        all_up(sb);
    }
}

static int https_start(struct sandbox *sb, unsigned port, struct err *err)
{
    struct tls_files tls;
    int rc = tls_files_new(&tls, err);
    if (rc)
        return rc;
    char path[512];
    snprintf(path, sizeof path, "%s/ca.pem", sb->dir);
    rc = fs_replace(path, tls.ca_pem, strlen(tls.ca_pem), 0644, err);
    rc = rc ? rc
            : http_start(&sb->http, &sb->loop, (uint16_t)port, tls.chain_pem, tls.key_pem, on_http, sb, err);
    tls_files_done(&tls);
    return rc;
}

static int vms_make(struct sandbox *sb, struct err *err)
{
    struct world *w = &sb->world;
    snprintf(sb->caller, sizeof sb->caller, "%s", w->file->caller);
    w->vms = mem_calloc(w->file->vms_count, sizeof *w->vms);
    if (!w->vms)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (unsigned i = 0; i < w->file->vms_count; i++) {
        w->vms_count = i + 1;
        int rc = vm_init(&w->vms[i], sb, &w->file->vms[i], i, err);
        if (rc)
            return rc;
    }
    sb->booting = 1; /* our own, so that none is the last before all are counted */
    for (unsigned i = 0; i < w->vms_count; i++) {
        if (w->vms[i].spec->power != INITIAL_RUNNING || w->vms[i].spec->synthetic)
            continue;
        sb->booting++;
        int rc = vm_boot(&w->vms[i], on_booted, &w->vms[i], err);
        if (rc)
            return rc;
    }
    if (--sb->booting == 0)
        all_up(sb);
    return 0;
}

static int build(struct sandbox *sb, const struct world_choice *world, unsigned port, struct err *err)
{
    const char *sshd;
    int rc = sshd_find(&sshd, err);
    rc = rc ? rc : world_file_load(&sb->world.file, world, err);
    rc = rc ? rc : env_prepare(sb, err);
    if (rc)
        return rc;
    netns_fabric_open(&sb->fabric, &sb->fabric_why);
    rc = address_book_open(&sb->addresses, err);
    rc = rc ? rc : https_start(sb, port, err);
    rc = rc ? rc : identity_start(sb, err);
    rc = rc ? rc : token_book_keys(&sb->tokens, err);
    return rc ? rc : vms_make(sb, err);
}

static void take_down(struct sandbox *sb)
{
    env_not_ready(sb);
    graph_past_end(sb);
    for (unsigned i = 0; i < sb->world.vms_count; i++) {
        sb->world.vms[i].booted = NULL;
        vm_deallocate(&sb->world.vms[i]);
        vm_done(&sb->world.vms[i]);
    }
    public_ip_all_free(sb);
    ctl_close(&sb->ctl);
    lro_all_close(sb);
    http_stop(&sb->http);
    identity_stop(sb);
    uv_close((uv_handle_t *)&sb->on_int, NULL);
    uv_close((uv_handle_t *)&sb->on_term, NULL);
    uv_run(&sb->loop, UV_RUN_DEFAULT);
    uv_loop_close(&sb->loop);
    token_book_done(&sb->tokens);
    arm_done(&sb->arm);
    netns_fabric_close(&sb->fabric);
    mem_free(sb->world.vms);
    world_file_free(sb->world.file);
    mem_free(sb->public_key);
}

/* One sandbox a directory: a second one would take the first one's files away. */
static int lock_dir(const char *dir)
{
    char path[512];
    struct err err = {0};
    if (fs_mkdirs(dir, 0700, &err) < 0) {
        fprintf(stderr, "adit-sandbox: %s\n", err.msg);
        return -1;
    }
    snprintf(path, sizeof path, "%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    fprintf(stderr, "adit-sandbox: %s: %s\n", path,
            errno == EWOULDBLOCK ? "another sandbox runs in this directory" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

int sandbox_run(const char *dir, const struct world_choice *world, unsigned arm_port)
{
    static struct sandbox sb;
    struct err err = {0};
    struct rlimit files;
    struct passwd *pw = getpwuid(geteuid());
    int lock = lock_dir(dir);
    if (lock < 0)
        return 1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    sb.dir = dir;
    sb.user = pw ? mem_strdup(pw->pw_name) : mem_strdup("root");
    sb.fabric.net_fd = sb.fabric.user_fd = sb.addresses.lock_fd = -1;
    list_init(&sb.lros);
    list_init(&sb.world.ips);
    token_book_init(&sb.tokens);
    arm_init(&sb.arm);
    uv_loop_init(&sb.loop);
    uv_signal_init(&sb.loop, &sb.on_int);
    uv_signal_init(&sb.loop, &sb.on_term);
    sb.on_int.data = sb.on_term.data = &sb;
    uv_signal_start(&sb.on_int, on_signal, SIGINT);
    uv_signal_start(&sb.on_term, on_signal, SIGTERM);
    if (build(&sb, world, arm_port, &err) == 0) {
        uv_run(&sb.loop, UV_RUN_DEFAULT);
    } else {
        fprintf(stderr, "adit-sandbox: %s\n", err.msg);
        sb.exit_status = 1;
    }
    take_down(&sb);
    mem_free(sb.user);
    close(lock);
    return sb.exit_status;
}
