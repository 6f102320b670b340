/*
 * hands_private: the inside of prepare_hands, shared by the files that make it up.
 */
#ifndef ADIT_DAEMON_HANDS_PRIVATE_H
#define ADIT_DAEMON_HANDS_PRIVATE_H

#include "base/chunk.h"
#include "base/list.h"
#include "base/ready.h"
#include "prepare_hands.h"
#include "ssh/ask.h"

struct hands {
    struct daemon *d;
    struct config_vm *vm;
    const struct resolver_facts *facts; /* of the last look-up, or NULL */
    struct readyq *ready;
    struct chunk_pool chunks;
    struct list open;   /* struct hand.node: under way */
    struct list asked;  /* questions of a login (hand_ask.c) */
    unsigned lingering; /* that are over, but whose handles still close */
    bool closing;
};

/* One thing that is under way: embedded first in each of them. */
struct hand {
    struct list node;
    struct hands *hands;
    void (*cancel)(struct hand *hand); /* silent; frees it, now or when its handles are closed */
};

void hand_begin(struct hand *hand, struct hands *h, void (*cancel)(struct hand *hand));
/* It is over. lingers: it still has handles to close, and calls hand_gone() once it has. */
void hand_end(struct hand *hand, bool lingers);
void hand_gone(struct hands *h);

bool hands_is_address(const struct hands *h); /* the VM is known by its address alone */
/* Forgets what is remembered and asks ARM; the callback hands its facts to hands_looked(). */
int hands_look(struct hands *h, uint32_t deadline_ms, resolver_cb cb, void *arg, struct resolver_req **out,
               struct err *err);
void hands_looked(struct hands *h, const struct resolver_facts *facts);

/* hand_ask.c: puts a login's questions to the request that the run belongs to. */
struct ssh_ask hand_ask(struct hands *h);
void hand_ask_stop(struct hands *h); /* what is being asked is taken back, silently */

/* hand_knock.c, hand_enter.c */
void *hand_knock(void *hands, uint32_t deadline_ms, prepare_text_cb cb, void *arg, struct err *err);
void *hand_enter(void *hands, const char *keys, const char *target_host, uint16_t target_port,
                 enum prepare_stage until, prepare_stage_cb cb, void *arg, struct err *err);

#endif
