/*
 * truth_gather: asks ssh about every VM of a configuration, and fills what adit.yaml leaves open.
 *
 *   BUILTIN ──what ssh has built in──▶ SYSTEM ──what the machine's file says──▶ HOSTS ──all told──▶ OVER
 *      └──no ssh, or it does not answer: nothing is filled──────────────────────────────────────────▶┘
 * HOSTS asks about several at a time: each VM, and each host of a ProxyJump that an answer names. One that
 * takes longer than ssh_g allows is given up, and so are those that have not been asked yet: what makes one
 * hang (Match exec) tends to make all of them hang. There is an end to asking, too, for thousands of VMs on a
 * slow machine; those that come up by themselves go first. Each keeps a text that says so, for the VM's note.
 */
#include "truth_gather.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "config/overlay.h"
#include "ssh_g.h"
#include "truth_self.h"

#define SYSTEM_FILE "/etc/ssh/ssh_config"
#define AT_A_TIME 8
#define ALL_MS 10000 /* after which no other is asked: whoever started aditd waits for it */
#define ASKS_MAX (CONFIG_VMS_MAX + OVERLAY_HOPS_MAX)

enum gather_state { GATHER_BUILTIN, GATHER_SYSTEM, GATHER_HOSTS, GATHER_OVER };

struct ask {
    struct list node; /* waiting, asked or done */
    struct truth_gather *g;
    char *file, *host; /* file NULL: ssh's usual ones */
    const char *engine;
    struct ssh_g *run;
    struct ssh_truth truth;
    bool told;
    char *trouble;
};

struct truth_gather {
    uv_loop_t *loop;
    uv_timer_t soon; /* to step on a later turn */
    enum gather_state state;
    const struct config *config;
    struct config_vm *vm; /* the only one, or NULL for all */
    char *builtin, *system;
    struct ssh_g *run; /* for these two */
    struct list waiting, asked, done;
    struct map *asks; /* "FILE\nHOST" → struct ask */
    unsigned running;
    bool gave_up;
    uint64_t began_at;
    struct truth_self self;
    truth_gather_cb cb;
    truth_vm_cb vm_cb;
    void *arg;
};

static void step(struct truth_gather *g);

/* ---- its parts ---- */

static void drop_asks(struct list *l)
{
    struct list *node;
    while ((node = list_pop(l)) != NULL) {
        struct ask *a = container_of(node, struct ask, node);
        if (a->run)
            ssh_g_cancel(a->run);
        ssh_truth_done(&a->truth);
        mem_free(a->trouble);
        mem_free(a->file);
        mem_free(a->host);
        mem_free(a);
    }
}

static void on_closed(uv_handle_t *h)
{
    struct truth_gather *g = h->data;
    mem_free(g->builtin);
    mem_free(g->system);
    truth_self_done(&g->self);
    map_free(g->asks, NULL);
    config_unref(g->config);
    mem_free(g);
}

static void close_all(struct truth_gather *g)
{
    g->state = GATHER_OVER;
    if (g->run)
        ssh_g_cancel(g->run);
    drop_asks(&g->waiting);
    drop_asks(&g->asked);
    drop_asks(&g->done);
    uv_close((uv_handle_t *)&g->soon, on_closed);
}

static void on_soon(uv_timer_t *t)
{
    step(t->data);
}

static void step_soon(struct truth_gather *g)
{
    uv_timer_start(&g->soon, on_soon, 0, 0);
}

static char *key_of(const char *ssh_config, const char *host)
{
    return mem_printf("%s\n%s", ssh_config, host);
}

static struct ask *find(struct truth_gather *g, const char *ssh_config, const char *host)
{
    char *key = key_of(ssh_config, host);
    struct ask *a = key ? map_get(g->asks, key) : NULL;
    mem_free(key);
    return a;
}

/* Enters a host, once. What cannot be entered for want of memory is not asked about. */
static void enter(struct truth_gather *g, const char *ssh_config, const char *engine, const char *host)
{
    bool usual = strcmp(ssh_config, "auto") == 0;
    if (strcmp(ssh_config, "off") == 0 || host[0] == '-' || map_count(g->asks) >= ASKS_MAX ||
        find(g, ssh_config, host))
        return;
    struct ask *a = mem_zalloc(sizeof *a);
    char *key = key_of(ssh_config, host), *name = mem_strdup(host), *file = NULL;
    bool ok = a && key && name && (usual || (file = mem_strdup(ssh_config)) != NULL) &&
              map_set(g->asks, key, a, NULL) == 0;
    mem_free(key);
    if (!ok) {
        mem_free(a);
        mem_free(name);
        mem_free(file);
        return;
    }
    *a = (struct ask){.g = g, .host = name, .file = file, .engine = engine};
    list_init(&a->node);
    list_push(&g->waiting, &a->node);
}

static const char *engine_of(const struct config_vm *vm)
{
    return vm->ssh.engine == CONFIG_ENGINE_NATIVE ? "native" : "auto";
}

/* ---- answers ---- */

static void enter_jumps(struct ask *a)
{
    const char *ssh_config = a->file ? a->file : "auto";
    if (!a->truth.jump || a->truth.through_adit || a->g->vm)
        return;
    for (const char *p = a->truth.jump; *p;) {
        struct overlay_jump jump;
        size_t n = strcspn(p, ",");
        if (overlay_jump_parse(&jump, p, n, NULL) == 0)
            enter(a->g, ssh_config, a->engine, jump.host);
        p += n;
        p += *p == ',';
    }
}

static void trouble(struct ask *a, const struct err *err)
{
    mem_free(a->trouble);
    a->trouble = err->code == ERR_TIMEOUT
                     ? mem_printf("`ssh -G %s` gave no answer within %d s (does a Match exec of ssh_config "
                                  "hang?): its ssh_config is left out",
                                  a->host, SSH_G_LIMIT_MS / 1000)
                     : mem_printf("`ssh -G %s` failed: %s; its ssh_config is left out", a->host, err->msg);
}

static void on_told(void *arg, const char *text, const struct err *err)
{
    struct ask *a = arg;
    struct truth_gather *g = a->g;
    struct err why = {0};
    a->run = NULL;
    g->running--;
    list_move(&g->done, &a->node);
    if (text && ssh_truth_parse(&a->truth, a->host, text, g->builtin, a->file ? NULL : g->system,
                                &g->self.who, &why) == 0) {
        a->told = true;
        truth_check_algorithms(&a->truth, a->engine);
        enter_jumps(a);
    } else {
        trouble(a, err ? err : &why);
        g->gave_up |= err && err->code == ERR_TIMEOUT;
    }
    step(g);
}

static void ask_next(struct truth_gather *g)
{
    while (g->running < AT_A_TIME && !list_empty(&g->waiting)) {
        struct ask *a = container_of(list_pop(&g->waiting), struct ask, node);
        struct err err = {0};
        list_push(&g->done, &a->node);
        if (g->gave_up || uv_now(g->loop) - g->began_at > ALL_MS) {
            err_set(&err, ERR_CANCELED,
                    g->gave_up ? "it was not run, as another one gave no answer in time"
                               : "it was not run, as asking about all VMs takes too long");
            trouble(a, &err);
        } else if (ssh_g_start(&a->run, g->loop, a->file, a->host, on_told, a, &err) < 0) {
            trouble(a, &err);
        } else {
            list_move(&g->asked, &a->node);
            g->running++;
        }
    }
}

/* ---- what is built in, and the machine's file ---- */

static void on_base(void *arg, const char *text, const struct err *err)
{
    struct truth_gather *g = arg;
    bool builtin = g->state == GATHER_BUILTIN;
    g->run = NULL;
    if (builtin)
        g->builtin = mem_strdup(text);
    else
        g->system = mem_strdup(text);
    if (err)
        log_warn(NULL, "`ssh -F %s -G` failed: %s", builtin ? "none" : SYSTEM_FILE, err->msg);
    g->state = builtin ? (text ? GATHER_SYSTEM : GATHER_OVER) : GATHER_HOSTS;
    step(g);
}

static void ask_base(struct truth_gather *g)
{
    bool builtin = g->state == GATHER_BUILTIN;
    struct err err = {0};
    if (!builtin && access(SYSTEM_FILE, R_OK) != 0)
        g->state = GATHER_HOSTS;
    else if (ssh_g_start(&g->run, g->loop, builtin ? "none" : SYSTEM_FILE, "adit", on_base, g, &err) == 0)
        return;
    else if (builtin) {
        log_info(NULL, "%s: what an ssh_config says of VMs is left out", err.msg);
        g->state = GATHER_OVER;
    } else {
        g->state = GATHER_HOSTS;
    }
    step(g);
}

/* ---- the end ---- */

static const struct ssh_truth *look_up(void *arg, const char *ssh_config, const char *host)
{
    const struct ask *a = find(arg, ssh_config, host);
    return a && a->told ? &a->truth : NULL;
}

static const char *look_up_trouble(void *arg, const char *ssh_config, const char *host)
{
    const struct ask *a = find(arg, ssh_config, host);
    return a ? a->trouble : NULL;
}

static void tell_all(struct truth_gather *g)
{
    const struct overlay_source from = {look_up, look_up_trouble, g};
    const struct config *filled = NULL;
    struct err err = {0};
    truth_gather_cb cb = g->cb;
    void *arg = g->arg;
    if (config_overlay(&filled, g->config, &from, &err) < 0) {
        log_error(NULL, "ssh_config is left out: %s", err.msg);
        filled = config_ref(g->config);
    }
    close_all(g);
    cb(arg, filled);
}

static void tell_vm(struct truth_gather *g)
{
    truth_vm_cb cb = g->vm_cb;
    void *arg = g->arg;
    const struct list *node = list_first(&g->done);
    if (node) {
        const struct ask *a = container_of(node, struct ask, node);
        if (config_vm_fill(g->vm, g->config, a->told ? &a->truth : NULL, a->trouble) < 0)
            log_error(NULL, "vm %s: ssh_config is left out: out of memory", g->vm->alias);
    }
    close_all(g);
    cb(arg);
}

static void step(struct truth_gather *g)
{
    switch (g->state) {
    case GATHER_BUILTIN:
    case GATHER_SYSTEM:
        if (list_empty(&g->waiting)) {
            g->state = GATHER_OVER;
            step_soon(g);
        } else {
            ask_base(g);
        }
        return;
    case GATHER_HOSTS:
        ask_next(g);
        if (g->running == 0) {
            g->state = GATHER_OVER;
            step_soon(g);
        }
        return;
    case GATHER_OVER:
        if (g->vm)
            tell_vm(g);
        else
            tell_all(g);
        return;
    }
}

static struct truth_gather *gather_new(uv_loop_t *loop, const struct config *config, void *arg)
{
    struct truth_gather *g = mem_zalloc(sizeof *g);
    if (!g)
        return NULL;
    g->loop = loop;
    g->arg = arg;
    uv_update_time(loop);
    g->began_at = uv_now(loop);
    g->config = config_ref(config);
    list_init(&g->waiting);
    list_init(&g->asked);
    list_init(&g->done);
    uv_timer_init(loop, &g->soon);
    g->soon.data = g;
    g->asks = map_new(false);
    if (g->asks && truth_self_init(&g->self) == 0) {
        step_soon(g);
        return g;
    }
    close_all(g);
    return NULL;
}

int truth_gather_start(struct truth_gather **out, uv_loop_t *loop, const struct config *file,
                       truth_gather_cb cb, void *arg, struct err *err)
{
    struct truth_gather *g = gather_new(loop, file, arg);
    if (!g)
        return err_set(err, ERR_NOMEM, "out of memory");
    g->cb = cb;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < file->vm_count; i++)
            if (file->vms[i].up == (round == 0))
                enter(g, file->vms[i].ssh.ssh_config, engine_of(&file->vms[i]), file->vms[i].alias);
    *out = g;
    return 0;
}

int truth_gather_vm(struct truth_gather **out, uv_loop_t *loop, const struct config *config,
                    struct config_vm *vm, const char *host, truth_vm_cb cb, void *arg, struct err *err)
{
    struct truth_gather *g = gather_new(loop, config, arg);
    if (!g)
        return err_set(err, ERR_NOMEM, "out of memory");
    g->vm = vm;
    g->vm_cb = cb;
    enter(g, vm->ssh.ssh_config, engine_of(vm), host);
    *out = g;
    return 0;
}

void truth_gather_cancel(struct truth_gather *g)
{
    close_all(g);
}
