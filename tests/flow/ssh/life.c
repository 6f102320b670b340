/*
 * life: a connection's whole life with a few channels of different kinds.
 */
#include "life.h"

static void open_peers(struct life *l)
{
    l->opened = true;
    for (int i = 0; i < LIFE_PEERS; i++) {
        struct peer *p = &l->peers[i];
        p->eof_when_sent = true;
        p->may_fail = l->short_of_memory;
        if (i == 1)
            p->hello = "300000\n";
        else if (i == 2)
            p->to_send = 300000;
        static const enum target_kind kind[LIFE_PEERS] = {TARGET_GREET, TARGET_SOURCE, TARGET_DRAIN,
                                                          TARGET_EARLY};
        peer_open_tcp(p, l->link.conn, "127.0.0.1", l->s->targets.port[kind[i]]);
    }
}

bool life_over(void *arg)
{
    struct life *l = arg;
    if (l->link.closed)
        return true;
    if (!l->link.up || (l->was_cut && l->what == 0))
        return false;
    if (!l->opened)
        open_peers(l);
    for (int i = 0; i < LIFE_PEERS; i++) {
        if (!l->peers[i].closed)
            return false;
    }
    return true;
}
