/*
 * forward_listener: finds forwards that cannot listen side by side, in any number of them and in linear time.
 *
 * Private to config/. A wildcard address takes its port from every address of its family; "localhost" takes
 * both loopback addresses. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_FORWARD_LISTENER_H
#define ADIT_CONFIG_FORWARD_LISTENER_H

#include "forward_spec.h"

struct map;

struct listener_set {
    struct map *by_key; /* private */
};

int listener_set_init(struct listener_set *s); /* ERR_NOMEM */
void listener_set_done(struct listener_set *s);

/* Adds the listening end under `tag` (borrowed, never NULL). When one that is there already listens at the
 * same place, *clash is its tag, else NULL. `space` keeps sets apart: forwards of different spaces never
 * clash. ERR_NOMEM. */
int listener_set_add(struct listener_set *s, unsigned space, const struct forward_end *listen, void *tag,
                     void **clash);

#endif
