/*
 * prepare_hands: the table of what a run of prepare can have done, and its two short ones: finding the VM and
 * remembering its host keys.
 */
#include "prepare_hands.h"

#include "base/mem.h"
#include "hands_private.h"
#include "proxy/ssh_options.h"
#include "ssh/hostid.h"

#define LOCATE_MS 30000
#define BUFFER_MAX ((size_t)8 << 20)

void hand_begin(struct hand *hand, struct hands *h, void (*cancel)(struct hand *hand))
{
    hand->hands = h;
    hand->cancel = cancel;
    list_push(&h->open, &hand->node);
}

void hand_end(struct hand *hand, bool lingers)
{
    list_remove(&hand->node);
    hand->hands->lingering += lingers;
}

static void on_ready_closed(void *arg)
{
    struct hands *h = arg;
    struct daemon *d = h->d;
    chunk_pool_done(&h->chunks);
    resolver_facts_unref(h->facts);
    config_vm_free(h->vm);
    mem_free(h);
    daemon_hands_gone(d);
}

static void close_when_idle(struct hands *h)
{
    if (h->closing && h->lingering == 0)
        readyq_close(h->ready, on_ready_closed, h);
}

void hand_gone(struct hands *h)
{
    h->lingering--;
    close_when_idle(h);
}

bool hands_is_address(const struct hands *h)
{
    return h->vm->vm.kind == VM_NAME_ADDRESS;
}

static struct resolver_name name_of(const struct hands *h)
{
    const struct vm_name *n = &h->vm->vm;
    return (struct resolver_name){n->subscription, n->group, n->name, n->instance};
}

static void forget(struct hands *h)
{
    const struct resolver_name name = name_of(h);
    if (!h->d->resolver || hands_is_address(h))
        return;
    resolver_invalidate(h->d->resolver, &name);
    if (h->facts)
        resolver_invalidate(h->d->resolver, &(struct resolver_name){.name = h->facts->id});
}

int hands_look(struct hands *h, uint32_t deadline_ms, resolver_cb cb, void *arg, struct resolver_req **out,
               struct err *err)
{
    const struct resolver_name name = name_of(h);
    if (hands_is_address(h))
        return err_set(err, ERR_INVAL,
                       "%s is an address, not a VM of Azure's: say which VM it is (vm: group/name)",
                       h->vm->alias);
    if (!h->d->resolver)
        return err_copy(err, &h->d->azure_err, ERR_UNAVAILABLE);
    forget(h);
    return resolver_lookup(h->d->resolver, &name, RESOLVER_NO_CACHE | RESOLVER_DIRECT, deadline_ms, cb, arg,
                           out, err);
}

void hands_looked(struct hands *h, const struct resolver_facts *facts)
{
    resolver_facts_unref(h->facts);
    h->facts = resolver_facts_ref(facts);
}

/* ---- locate ---- */

struct locate {
    struct hand hand;
    struct resolver_req *req;
    prepare_text_cb cb;
    void *arg;
};

static void locate_cancel(struct hand *hand)
{
    struct locate *l = container_of(hand, struct locate, hand);
    resolver_cancel(l->req);
    hand_end(&l->hand, false);
    mem_free(l);
}

static void on_located(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct locate *l = arg;
    prepare_text_cb cb = l->cb;
    void *cb_arg = l->arg;
    if (facts)
        hands_looked(l->hand.hands, facts);
    hand_end(&l->hand, false);
    mem_free(l);
    cb(cb_arg, facts ? facts->id : NULL, facts ? NULL : err);
}

static void *locate(void *hands, prepare_text_cb cb, void *arg, struct err *err)
{
    struct hands *h = hands;
    struct locate *l = mem_zalloc(sizeof *l);
    if (!l) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    l->cb = cb;
    l->arg = arg;
    if (hands_look(h, LOCATE_MS, on_located, l, &l->req, err) < 0) {
        mem_free(l);
        return NULL;
    }
    hand_begin(&l->hand, h, locate_cancel);
    return &l->hand;
}

/* ---- the others ---- */

static int learn(void *hands, const char *id, const char *vm_id, const char *keys, struct err *err)
{
    const struct hands *h = hands;
    struct ssh_options_text text;
    struct ssh_hostid_want want;
    ssh_options_host(&want, &text, h->vm, h->facts, h->d->place->known_hosts);
    if (!h->facts)
        want.host = id;
    want.vm_id = vm_id;
    return ssh_hostid_learn(&want, keys, NULL, err);
}

static void cancel(void *hands, void *handle)
{
    struct hand *hand = handle;
    hand->cancel(hand);
}

struct prepare_hands hands_table(struct hands *h)
{
    return (struct prepare_hands){.self = h,
                                  .locate = locate,
                                  .knock = hand_knock,
                                  .enter = hand_enter,
                                  .learn = learn,
                                  .cancel = cancel};
}

const struct resolver_facts *hands_facts(const struct hands *h)
{
    return h->facts;
}

int hands_new(struct hands **out, struct daemon *d, const struct config_vm *vm, struct err *err)
{
    struct hands *h = mem_zalloc(sizeof *h);
    if (!h || config_vm_copy(vm, &h->vm) < 0) {
        mem_free(h);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    h->d = d;
    list_init(&h->open);
    list_init(&h->asked);
    chunk_pool_init(&h->chunks, BUFFER_MAX / CHUNK_SIZE, 0);
    int rc = readyq_new(&h->ready, &d->loop);
    if (rc < 0) {
        config_vm_free(h->vm);
        mem_free(h);
        return err_set(err, rc, "cannot make a queue on the main loop");
    }
    d->hands_open++;
    *out = h;
    return 0;
}

void hands_close(struct hands *h)
{
    struct list *node;
    while ((node = list_first(&h->open)) != NULL) {
        struct hand *hand = container_of(node, struct hand, node);
        hand->cancel(hand);
    }
    forget(h);
    h->closing = true;
    close_when_idle(h);
}
