/*
 * fake_world_private: what the files of the fake world share.
 */
#ifndef ADIT_TESTS_FAKE_WORLD_PRIVATE_H
#define ADIT_TESTS_FAKE_WORLD_PRIVATE_H

#include "fake_world.h"

struct azure *fake_azure_new(struct fake_world *w); /* free() */

/* One thing under way: done by a timer. */
struct fake_op {
    struct timer timer;
    struct fake_world *w;
    void (*finish)(struct fake_op *op); /* frees it before it calls out */
};
void fake_op_begin(struct fake_op *op, struct fake_world *w, uint64_t ms, void (*finish)(struct fake_op *op));
void fake_op_end(struct fake_op *op); /* frees it */

bool fake_lets_in(const struct fake_world *w); /* the rules let CALLER reach port 22 */
bool fake_sshd_up(const struct fake_world *w); /* it listens */

json_t *fake_vm_doc(const struct fake_world *w);
json_t *fake_nic_doc(const struct fake_world *w, bool expand);
json_t *fake_pip_doc(const struct fake_world *w);
json_t *fake_nsg_doc(const char *id, json_t *rules);
json_t *fake_effective_doc(const struct fake_world *w);

#endif
