/*
 * via_dial: streams through a VM that the main loop asked for; each is handed over and then looked after
 * until it ends.
 */
#include <unistd.h>

#include "base/mem.h"
#include "via.h"

struct via_dialled {
    struct list node; /* plane.vias */
    struct plane *plane;
    struct via *via;
    uint64_t req; /* 0 once answered */
};

static void dialled_free(struct via_dialled *d)
{
    list_remove(&d->node);
    mem_free(d);
}

static void on_open(void *arg, int fd, size_t index, const struct err *err)
{
    (void)index;
    struct via_dialled *d = arg;
    struct plane *plane = d->plane;
    uint64_t req = d->req;
    d->req = 0;
    if (err)
        dialled_free(d);
    plane->o.ops.dialed(plane->o.ops_arg, req, fd, err);
}

static void on_ended(void *arg, const struct err *err)
{
    (void)err;
    dialled_free(arg);
}

static const struct via_events events = {.open = on_open, .ended = on_ended};

void via_dial(struct plane *plane, uint64_t vm, const struct dial_address *addresses, size_t count,
              uint32_t deadline_ms, uint64_t req)
{
    struct err err = {0};
    struct via_dialled *d = mem_zalloc(sizeof *d);
    if (!d) {
        err_set(&err, ERR_NOMEM, "out of memory");
        plane->o.ops.dialed(plane->o.ops_arg, req, -1, &err);
        return;
    }
    d->plane = plane;
    d->req = req;
    list_push(&plane->vias, &d->node);
    if (via_open(&d->via, plane, vm, addresses, count, deadline_ms, &events, d, &err) < 0) {
        dialled_free(d);
        plane->o.ops.dialed(plane->o.ops_arg, req, -1, &err);
    }
}

void via_close_all(struct plane *plane)
{
    struct err err = {0};
    err_set(&err, ERR_CANCELED, "adit is shutting down");
    struct list *node;
    while ((node = list_first(&plane->vias)) != NULL) {
        struct via_dialled *d = container_of(node, struct via_dialled, node);
        uint64_t req = d->req;
        via_close(d->via);
        dialled_free(d);
        if (req)
            plane->o.ops.dialed(plane->o.ops_arg, req, -1, &err);
    }
}
