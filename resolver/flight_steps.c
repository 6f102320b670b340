/*
 * flight_steps: the way of a look-up from a name to facts.
 *
 * Happy path of rg/vm: the subscription is known, direct GETs give the facts; when many come together, and
 * always for a bare name, one Resource Graph query does (batch.c). The Resource Graph lags behind, so its
 * answer is confirmed by direct GETs when the caller wants that, when it says that the VM is not running or
 * has no address, and when it does not know rg/vm. Direct GETs wait for their turn (pace.c). A refresh that
 * nobody waits for confirms nothing: it only marks what is doubtful. Failure modes: a hint that leads nowhere
 * (404) turns into a search; a Resource Graph that refuses is replaced by direct GETs, or for a bare name by
 * listing; a confirmation that fails leaves the graph's answer standing if it was not demanded; a name that
 * fits no VM is followed by a query for the nearest ones (miss.c).
 *
 *   SUBSCRIPTION --direct---------------> DIRECT --> over
 *        \--many come together--v          ^ |  ^ |
 *   SEARCH --------------------> GRAPH ----+ |  | +-404--> MISS --> over
 *     ^                          |   \--> over |  |
 *     |                          +-refused-> LIST_SEARCH -> LIST
 *     +------- hint is wrong -----------------+
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "candidates.h"
#include "flight.h"

static void go_on(struct flight *f, enum flight_state state);

static void on_miss(void *arg, const struct nearest *nearest)
{
    struct flight *f = arg;
    struct err why = f->miss_err;
    f->miss = NULL;
    nearest_hint(nearest, &why);
    flight_finish(f, NULL, &why);
}

/* No such VM: perhaps the name is mistyped. */
static void not_found(struct flight *f, const struct err *err)
{
    struct err why = *err;
    const struct miss_options o = {.resolver = f->resolver,
                                   .group = f->asked.group,
                                   .name = f->asked.name,
                                   .subscription = f->asked.group[0] ? f->vm.subscription : NULL,
                                   .ask = !f->graphless};
    f->miss_err = *err;
    if (f->asked.instance[0] || miss_start(&f->miss, &o, on_miss, f, NULL) < 0) {
        f->miss = NULL;
        flight_finish(f, NULL, &why);
    }
}

void flight_on_subscriptions(struct subscriptions_wait *w, const struct err *err)
{
    struct flight *f = container_of(w, struct flight, wait);
    struct err why;
    if (!err) {
        go_on(f, f->state);
        return;
    }
    why = *err;
    flight_finish(f, NULL, &why);
}

static void on_direct(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct flight *f = arg;
    struct err why;
    err_clear(&why);
    f->by_gets = NULL;
    f->by_instance = NULL;
    if (facts) {
        flight_finish(f, facts, &why);
    } else if (err->code == ERR_NOTFOUND && f->hinted) {
        f->hinted = false;
        go_on(f, FLIGHT_SEARCH);
    } else if (f->graph_facts && !f->direct && err->code != ERR_NOTFOUND) {
        log_warn((&(struct log_ctx){.module = "resolver", .vm = f->asked.label}),
                 "the Resource Graph's answer is used unconfirmed: %s", err->msg);
        flight_finish(f, f->graph_facts, &why);
    } else if (err->code == ERR_NOTFOUND) {
        why = *err;
        err_hint(&why, f->asked.instance[0] ? "; check the names: az vmss list-instances"
                                            : "; check the names: az vm list -o table");
        not_found(f, &why);
    } else {
        why = *err;
        flight_finish(f, NULL, &why);
    }
}

/* The Resource Graph answers, but with a refusal or nonsense. */
static void without_graph(struct flight *f, const struct err *err)
{
    static struct log_rate rate = {.burst = 1, .every_ms = 60000};
    bool bare = !f->asked.group[0];
    log_write(LOG_WARN, &(struct log_ctx){.module = "resolver", .vm = f->asked.label}, &rate,
              "the Resource Graph is of no help, %s: %s",
              bare ? "listing the VMs instead" : "asking for the VMs one by one", err->msg);
    f->graphless = true;
    go_on(f, bare ? FLIGHT_LIST_SEARCH : FLIGHT_DIRECT);
}

static void on_one(struct flight *f, const struct resolver_facts *vm)
{
    struct err why;
    err_clear(&why);
    if (!f->direct && vm->power == RESOLVER_POWER_RUNNING && vm->address_count) {
        flight_finish(f, vm, &why);
    } else if (!f->foreground) {
        flight_doubt(f);
    } else if (!arm_vm_id_parse(vm->id, &f->vm)) {
        err_set(&why, ERR_PROTOCOL, "the Resource Graph's answer has no usable resource ID");
        flight_finish(f, NULL, &why);
    } else {
        f->graph_facts = resolver_facts_ref(vm);
        go_on(f, FLIGHT_DIRECT);
    }
}

/* The Resource Graph knows no VM of that name, or several. */
static void on_none_or_several(struct flight *f, struct resolver_facts *const *vms, size_t count)
{
    struct err why;
    err_clear(&why);
    if (!f->foreground)
        flight_doubt(f);
    else if (f->asked.group[0])
        go_on(f, FLIGHT_DIRECT);
    else if (candidates_of_facts(&why, f->asked.name, vms, count) == ERR_NOTFOUND)
        not_found(f, &why);
    else
        flight_finish(f, NULL, &why);
}

static void on_batch(struct batch_wait *w, bool ask_directly, struct resolver_facts *const *vms, size_t count,
                     bool answered, const struct err *err)
{
    struct flight *f = container_of(w, struct flight, in_batch);
    struct err why;
    err_clear(&why);
    if (ask_directly) {
        go_on(f, FLIGHT_DIRECT);
    } else if (err && answered && err->code != ERR_TIMEOUT && err->code != ERR_AUTH) {
        without_graph(f, err);
    } else if (err) {
        why = *err;
        flight_finish(f, NULL, &why);
    } else if (count == 1) {
        on_one(f, vms[0]);
    } else {
        on_none_or_several(f, vms, count);
    }
}

static void on_list(void *arg, const struct arm_vm_id *vms, size_t count, const struct err *err)
{
    struct flight *f = arg;
    struct err why;
    err_clear(&why);
    f->by_list = NULL;
    if (err) {
        why = *err;
        flight_finish(f, NULL, &why);
    } else if (count != 1 && candidates_of_ids(&why, f->asked.name, vms, count) == ERR_NOTFOUND) {
        not_found(f, &why);
    } else if (count != 1) {
        flight_finish(f, NULL, &why);
    } else {
        f->vm = vms[0];
        go_on(f, FLIGHT_DIRECT);
    }
}

static uint32_t time_left(const struct flight *f)
{
    uint64_t now = clock_now(f->resolver->clock);
    return now < f->deadline_at ? (uint32_t)(f->deadline_at - now) : 1;
}

static int ask_arm_now(struct flight *f, struct err *err)
{
    struct resolver *r = f->resolver;
    if (f->vm.instance[0])
        return lookup_instance_start(r->azure, r->clock, &f->vm, time_left(f), on_direct, f, &f->by_instance,
                                     err);
    return lookup_direct_start(r->azure, r->clock, &f->vm, time_left(f), on_direct, f, &f->by_gets, err);
}

void flight_on_turn(struct timer *t)
{
    struct flight *f = container_of(t, struct flight, turn);
    struct err err;
    err_clear(&err);
    if (f->no_turn)
        err_set(
            &err, ERR_THROTTLED,
            "so many VMs are being looked up that its turn does not come within %u s; adit keeps below the "
            "%u reads a second that Azure grants",
            (unsigned)(time_left(f) / 1000), 1000 / PACE_EVERY_MS);
    else
        ask_arm_now(f, &err);
    if (err.code)
        flight_finish(f, NULL, &err);
}

/* Now, or when it is this one's turn. */
static int ask_arm(struct flight *f, struct err *err)
{
    unsigned reads = f->vm.instance[0] ? 3 : 2;
    uint64_t wait = pace_take(f->resolver->pace, f->vm.subscription, reads, time_left(f));
    f->no_turn = wait > time_left(f);
    if (wait == 0)
        return ask_arm_now(f, err);
    return timer_start(&f->turn, f->no_turn ? 0 : wait) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

static int ask_graph(struct flight *f, struct err *err)
{
    f->in_batch.subscription = f->vm.subscription;
    f->in_batch.group = f->asked.group;
    f->in_batch.name = f->asked.name;
    f->in_batch.deadline_at = f->deadline_at;
    f->in_batch.cb = on_batch;
    return batch_join(f->resolver->batch, &f->in_batch) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

static int ask_list(struct flight *f, struct err *err)
{
    struct resolver *r = f->resolver;
    const char **guids = NULL;
    size_t count = 0;
    int rc = subscriptions_search(r->subscriptions, true, time_left(f), &f->wait, &guids, &count, err);
    if (rc)
        return rc > 0 ? 0 : rc;
    f->state = FLIGHT_LIST;
    rc = lookup_list_start(r->azure, r->clock, f->asked.name, guids, count, time_left(f), on_list, f,
                           &f->by_list, err);
    mem_free(guids);
    return rc;
}

static int search(struct flight *f, struct err *err)
{
    struct resolver *r = f->resolver;
    const char **guids = NULL;
    size_t count = 0;
    int rc = subscriptions_search(r->subscriptions, false, time_left(f), &f->wait, &guids, &count, err);
    if (rc)
        return rc > 0 ? 0 : rc;
    rc = batch_scope(r->batch, guids, count) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    mem_free(guids);
    f->state = FLIGHT_GRAPH;
    return rc ? rc : ask_graph(f, err);
}

int flight_step(struct flight *f, struct err *err)
{
    const char *guid, *subscription = f->asked.subscription[0] ? f->asked.subscription : NULL;
    int rc;
    switch (f->state) {
    case FLIGHT_SUBSCRIPTION:
        rc = subscriptions_resolve(f->resolver->subscriptions, subscription, time_left(f), &f->wait, &guid,
                                   err);
        if (rc)
            return rc > 0 ? 0 : rc;
        snprintf(f->vm.subscription, sizeof(f->vm.subscription), "%s", guid);
        f->state = f->direct || f->vm.instance[0] ? FLIGHT_DIRECT : FLIGHT_GRAPH;
        return f->state == FLIGHT_DIRECT ? ask_arm(f, err) : ask_graph(f, err);
    case FLIGHT_SEARCH:
        return search(f, err);
    case FLIGHT_GRAPH:
        return ask_graph(f, err);
    case FLIGHT_LIST_SEARCH:
    case FLIGHT_LIST:
        return ask_list(f, err);
    case FLIGHT_DIRECT:
        return ask_arm(f, err);
    }
    return err_set(err, ERR_INVAL, "no such state");
}

static void go_on(struct flight *f, enum flight_state state)
{
    struct err err;
    err_clear(&err);
    f->state = state;
    if (flight_step(f, &err) < 0)
        flight_finish(f, NULL, &err);
}
