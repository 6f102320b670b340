/*
 * lookup: the ways in which ARM can be asked about VMs; each is a flow in a file of its own.
 *
 * All follow the asynchronous contract: a negative start never calls back; otherwise the callback fires
 * exactly once, never inside the start; cancelling is silent. Thread: the loop's.
 */
#ifndef ADIT_RESOLVER_LOOKUP_H
#define ADIT_RESOLVER_LOOKUP_H

#include "arm_id.h"
#include "azure/azure.h"
#include "facts.h"

/* lookup_direct: one VM and its interfaces by GETs; facts is borrowed. */
struct lookup_direct;
typedef void (*lookup_direct_cb)(void *arg, const struct resolver_facts *facts, const struct err *err);
int lookup_direct_start(struct azure *a, struct clock *clock, const struct arm_vm_id *vm,
                        uint32_t deadline_ms, lookup_direct_cb cb, void *arg, struct lookup_direct **out,
                        struct err *err);
void lookup_direct_cancel(struct lookup_direct *l);

/* lookup_instance: the same for an instance of a Uniform scale set. */
struct lookup_instance;
int lookup_instance_start(struct azure *a, struct clock *clock, const struct arm_vm_id *vm,
                          uint32_t deadline_ms, lookup_direct_cb cb, void *arg, struct lookup_instance **out,
                          struct err *err);
void lookup_instance_cancel(struct lookup_instance *l);

/* lookup_graph: every VM of these names in the subscriptions (none: all visible ones) by one query; no names:
 * every VM. The facts and the array are borrowed; count may be 0. `answered`: ARM was there, but its answer
 * is an error or makes no sense. */
#define LOOKUP_GRAPH_NAMES_MAX 1000 /* of one query */

struct lookup_graph;
typedef void (*lookup_graph_cb)(void *arg, struct resolver_facts *const *vms, size_t count, bool answered,
                                const struct err *err);
int lookup_graph_start(struct azure *a, struct clock *clock, const char *const *names, size_t name_count,
                       const char *const *subscriptions, size_t subscription_count, uint32_t deadline_ms,
                       lookup_graph_cb cb, void *arg, struct lookup_graph **out, struct err *err);
void lookup_graph_cancel(struct lookup_graph *l);

/* lookup_list: the IDs of every VM of one name, by listing each subscription (≥ 1) in turn: for callers whom
 * the Resource Graph does not answer. */
struct lookup_list;
#define LOOKUP_LIST_MAX 32 /* VMs of one name; more are not looked for */
typedef void (*lookup_list_cb)(void *arg, const struct arm_vm_id *vms, size_t count, const struct err *err);
int lookup_list_start(struct azure *a, struct clock *clock, const char *name,
                      const char *const *subscriptions, size_t subscription_count, uint32_t deadline_ms,
                      lookup_list_cb cb, void *arg, struct lookup_list **out, struct err *err);
void lookup_list_cancel(struct lookup_list *l);

#endif
