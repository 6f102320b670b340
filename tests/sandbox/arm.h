/*
 * arm: Azure Resource Manager: what every call goes through before its handler, and the knobs that tests
 * turn.
 *
 * Order, as ARM's: token, api-version, knobs, subscription, resource group, handler. One file arm_*.c a
 * resource kind; arm_routes.c says which call goes where. Thread: the main loop's.
 */
#ifndef ADIT_SANDBOX_ARM_H
#define ADIT_SANDBOX_ARM_H

#include <jansson.h>
#include <uv.h>

#include "base/list.h"
#include "http.h"
#include "nsg.h"
#include "quota.h"
#include "world.h"

struct sandbox;
struct token;
struct network_config;

#define ARM_WILDCARDS 6

/* One call under way. */
struct arm_call {
    struct sandbox *sb;
    const struct http_request *q;
    struct http_reply *r;
    const struct token *token;                     /* the caller's */
    const struct world_subscription *subscription; /* of the path; NULL when it names none */
    const char *group;                             /* of the path in its true case; NULL likewise */
    const struct arm_route *route;
    bool only_reads;           /* a script that changes nothing: set by its handler */
    char *args[ARM_WILDCARDS]; /* the other wildcards, as they were written */
    unsigned args_count;
};

typedef void (*arm_handler_cb)(struct arm_call *c);

/* A route. In the path, {s} and {g} are subscription and group, * is any one segment; case does not count. */
struct arm_route {
    const char *method, *path, *kind; /* kind: the name of its counter */
    arm_handler_cb handler;
};

extern const struct arm_route arm_routes[]; /* ends with method NULL */

/* What `ctl arm` has set. */
struct arm {
    json_t *counters;       /* kind → number of requests */
    unsigned throttle_left; /* so many calls get 429 */
    unsigned status;        /* every call gets this status; 0 = none */
    unsigned delay_ms;      /* every reply waits so long */
    unsigned claims_left;   /* so many calls with tokens from before are challenged */
    char claims_time[32];   /* what the challenge insists on */
    bool other_tenant;      /* all subscriptions belong to TOKEN_OTHER_TENANT */
    struct quota quota;
    uint64_t stale_ms;   /* how far Resource Graph is behind; 0 = not at all */
    uv_timer_t *sampler; /* of graph_past.c, while it is behind */
    struct list faults;  /* fault.h */
    json_t *denied;      /* patterns of actions that the caller may not do */
    json_t *writes;      /* arm_writes.c */
    unsigned writes_count;
};

void arm_init(struct arm *a);
void arm_done(struct arm *a);
void arm_handle(struct sandbox *sb, const struct http_request *q, struct http_reply *r);
void arm_count(struct sandbox *sb, const char *kind);

/* arm_access.c: the caller's roles. -1: it was not denied, or there are too many. */
int arm_deny(struct arm *a, const char *action, bool deny);
bool arm_denied(const struct arm *a, const char *action);
bool arm_access_passes(struct arm_call *c); /* false: 403 is set; so in the next one */
bool arm_link_passes(struct arm_call *c, const char *action, const char *scope);

/* arm_writes.c: the requests since the last clear that were sent to change something. */
void arm_write_note(const struct arm_call *c); /* the reply is set */
json_t *arm_writes_json(const struct arm *a);
void arm_writes_clear(struct arm *a);

/* arm_reply.c */
void arm_error(struct http_reply *r, unsigned status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void arm_not_found(struct arm_call *c, const char *type, const char *name); /* 404 ResourceNotFound */
json_t *
arm_body(struct arm_call *c); /* the request's JSON object, or NULL with 400 already set; json_decref it */
/* ".../providers/TYPE/NAME" of a resource in a VM's group. shout: the group in capitals, as lists return it.
 */
json_t *arm_id(const struct vm *vm, bool shout, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A page of `all` (stolen), cut by the world's page-size and $skiptoken, with nextLink when there is more. */
void arm_page_send(struct arm_call *c, json_t *all);

/* args[0] names it (of a Uniform scale set: the set, and args[1] the instance); NULL with 404 already set */
struct vm *arm_vm(struct arm_call *c);
struct vm *arm_target(const struct arm_call *c); /* the VM that the path is about in some way, or NULL */
struct vm *arm_nic(struct arm_call *c, bool *primary);         /* args[0]; NULL with 404 already set */
struct vm *arm_nsg(struct arm_call *c, enum nsg_place *place); /* likewise */
json_t *arm_nsg_id(const struct vm *vm, enum nsg_place place);
json_t *arm_rule_json(const struct vm *vm, enum nsg_place place, const char *name, json_t *properties);
json_t *arm_rules_json(const struct vm *vm, enum nsg_place place);
json_t *arm_vm_json(struct vm *vm, bool instance_view, bool shout);
json_t *arm_instance_view(struct vm *vm);

void arm_subscriptions_list(struct arm_call *c);
void arm_subscription_get(struct arm_call *c);
void arm_groups_list(struct arm_call *c);
void arm_group_get(struct arm_call *c);
void arm_vms_list(struct arm_call *c); /* of the group, or of the subscription */
void arm_nics_list(struct arm_call *c);
void arm_vm_get(struct arm_call *c);
void arm_vm_instance_view(struct arm_call *c);
void arm_vm_start(struct arm_call *c);
void arm_vm_restart(struct arm_call *c);
void arm_vm_deallocate(struct arm_call *c);
void arm_vm_power_off(struct arm_call *c);
void arm_nic_get(struct arm_call *c);
void arm_nic_put(struct arm_call *c);
void arm_effective_nsgs(struct arm_call *c);
void arm_vnet_get(struct arm_call *c);
void arm_subnets_list(struct arm_call *c);
void arm_subnet_get(struct arm_call *c);
void arm_public_ips_list(struct arm_call *c);
void arm_public_ip_get(struct arm_call *c);
void arm_public_ip_put(struct arm_call *c);
void arm_public_ip_delete(struct arm_call *c);
void arm_nsg_get(struct arm_call *c);
void arm_rules_list(struct arm_call *c);
void arm_rule_get(struct arm_call *c);
void arm_rule_put(struct arm_call *c);
void arm_rule_delete(struct arm_call *c);
json_t *arm_extensions(struct vm *vm); /* each as a resource; a new reference */
void arm_extensions_list(struct arm_call *c);
void arm_extension_get(struct arm_call *c);
void arm_extension_put(struct arm_call *c);
void arm_extension_delete(struct arm_call *c);
void arm_run_command(struct arm_call *c);
void arm_commands_list(struct arm_call *c);
void arm_command_get(struct arm_call *c);
void arm_command_put(struct arm_call *c);
void arm_command_delete(struct arm_call *c);
void arm_operation_get(struct arm_call *c);
void arm_graph(struct arm_call *c);
void arm_sets_list(struct arm_call *c);
void arm_set_get(struct arm_call *c);
void arm_set_nics_list(struct arm_call *c);
void arm_set_ips_list(struct arm_call *c);
void arm_instances_list(struct arm_call *c);
void arm_instance_get(struct arm_call *c);
void arm_instance_nics_list(struct arm_call *c);
void arm_instance_nic_get(struct arm_call *c);
void arm_instance_ips(struct arm_call *c);

json_t *arm_nic_json(struct vm *vm, bool primary, bool expand, bool shout);
json_t *arm_public_ip_json(struct vm *vm, const struct network_config *n);

#endif
