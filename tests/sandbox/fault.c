/*
 * fault: finds the fault that a call or an operation meets, and says it in ARM's words.
 */
#include "fault.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "lro.h"
#include "sandbox.h"

/* What the platform says with a code when nothing else was told. */
static const struct {
    const char *code, *message;
} sayings[] = {
    {"AllocationFailed",
     "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read "
     "more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"},
    {"SkuNotAvailable",
     "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: "
     "Standard_B2s' is currently not available in location 'westeurope'. Please try another size or deploy "
     "to a different location or different zone. See https://aka.ms/azureskunotavailable for details."},
    {"VMExtensionProvisioningError",
     "VM has reported a failure when processing extension 'WindowsOpenSSH' (publisher "
     "'Microsoft.Azure.OpenSSH' and type 'WindowsOpenSSH'). Error message: 'OpenSSH could not be "
     "installed.'. More information on troubleshooting is available at "
     "https://aka.ms/VMExtensionTroubleshoot."},
    {"VMExtensionProvisioningTimeout",
     "Provisioning of VM extension WindowsOpenSSH has timed out. Extension provisioning has taken too long "
     "to complete. The extension did not report a message."},
    {"VMAgentStatusCommunicationError",
     "VM has not reported status for VM agent or extensions. Please verify the VM has a running VM agent, "
     "and can establish outbound connections to Azure storage."},
    {"OperationPreempted", "Operation execution has been preempted by a more recent operation."},
    {"Canceled", "The operation was canceled."},
    {"PublicIPCountLimitReached",
     "Cannot create more than 10 public IP addresses for this subscription in this region."},
    {"InternalExecutionError", "An internal execution error occurred. Please retry later."},
    {"InternalServerError", "An error occurred."},
    {"OperationNotAllowed", "The operation is not allowed since another operation is in progress."},
    {"Conflict",
     "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
     "https://aka.ms/activitylog to get more details on the conflicting requests."},
    {"TooManyRequests", "The request is being throttled as the limit has been reached for operation type."},
};

static const char *saying(const char *code)
{
    for (unsigned i = 0; i < sizeof sayings / sizeof *sayings; i++)
        if (strcasecmp(sayings[i].code, code) == 0)
            return sayings[i].message;
    return "It was told to answer so.";
}

int fault_add(struct list *faults, const struct fault *f, struct err *err)
{
    bool known = false;
    for (const struct arm_route *r = arm_routes; r->method; r++)
        known = known || strcmp(r->kind, f->kind) == 0;
    if (!known)
        return err_set(err, ERR_INVAL, "no calls are of the kind %s; `status` counts them by kind", f->kind);
    if (list_count(faults) >= FAULTS_MAX)
        return err_set(err, ERR_LIMIT, "there are %d faults; arm clear", FAULTS_MAX);
    struct fault *own = mem_alloc(sizeof *own);
    if (!own)
        return err_set(err, ERR_NOMEM, "out of memory");
    *own = *f;
    list_push_front(faults, &own->node);
    return 0;
}

static void fault_end(struct fault *f)
{
    list_remove(&f->node);
    mem_free(f);
}

void fault_clear(struct list *faults)
{
    struct fault *f;
    list_each(f, faults, struct fault, node) fault_end(f);
}

unsigned fault_release(struct sandbox *sb, const char *kind, const struct vm *vm)
{
    struct fault *f;
    list_each(f, &sb->arm.faults, struct fault, node)
    {
        if (f->what == FAULT_HANG && (!kind || strcmp(kind, f->kind) == 0) && (!vm || vm == f->vm))
            fault_end(f);
    }
    return lro_release(sb, kind, vm);
}

static struct fault *find(struct sandbox *sb, const char *kind, const struct vm *vm, bool of_operation)
{
    struct fault *f;
    list_each(f, &sb->arm.faults, struct fault, node)
    {
        bool operation = f->what == FAULT_FAIL || f->what == FAULT_HANG;
        if (operation == of_operation && strcmp(f->kind, kind) == 0 && (!f->vm || f->vm == vm))
            return f;
    }
    return NULL;
}

static void retry_after(struct arm_call *c, int seconds)
{
    if (seconds >= 0)
        http_reply_header(c->r, "Retry-After", "%d", seconds);
}

/* Microsoft.Network's word for a lock. */
static void retryable(struct arm_call *c, const char *id, int seconds)
{
    arm_error(c->r, 429, "RetryableError", "A retryable error occured.");
    json_t *detail =
        json_pack("{s:s,s:o}", "code", "RetryableErrorDueToAnotherOperation", "message",
                  json_sprintf("Operation %s (%s) is updating resource %s. The call can be "
                               "retried in %d seconds.",
                               strcasestr(c->q->path, "/securityRules/") ? "PutSecurityRuleOperation"
                                                                         : "PutNetworkInterfaceOperation",
                               id, c->q->path, seconds >= 0 ? seconds : 12));
    json_object_set_new(json_object_get(c->r->body, "error"), "details", json_pack("[o]", detail));
    retry_after(c, seconds);
}

static void conflict(struct arm_call *c, const char *id, const char *code)
{
    bool network = strcasestr(c->q->path, "/Microsoft.Network/") != NULL;
    if (*code) {
        arm_error(c->r, 409, code, "%s", saying(code));
    } else if (network) {
        arm_error(c->r, 409, "AnotherOperationInProgress",
                  "Another operation on this or dependent resource is in progress. To retrieve status of the "
                  "operation use uri: %s/subscriptions/%s/providers/Microsoft.Network/locations/westeurope/"
                  "operations/%s?api-version=%s.",
                  c->sb->http.base, c->subscription->id, id, http_query(c->q, "api-version"));
        json_object_set_new(json_object_get(c->r->body, "error"), "details", json_array());
    } else if (strcmp(c->route->kind, "vm.runCommand") == 0) {
        arm_error(c->r, 409, "Conflict",
                  "Run command extension execution is in progress. Please wait for completion before "
                  "invoking a run command.");
    } else {
        arm_error(c->r, 409, "Conflict", "%s", saying("Conflict"));
    }
}

void fault_busy(struct arm_call *c, const char *id)
{
    if (strcasestr(c->q->path, "/Microsoft.Network/"))
        retryable(c, id, 1);
    else
        conflict(c, id, "");
}

bool fault_refuses(struct arm_call *c)
{
    struct fault *f = find(c->sb, c->route->kind, arm_target(c), false);
    char id[WORLD_UUID_LEN];
    if (!f)
        return false;
    world_uuid(id);
    arm_count(c->sb, "refused");
    if (f->what == FAULT_CONFLICT) {
        conflict(c, id, f->code);
    } else if (f->what == FAULT_RETRYABLE) {
        retryable(c, id, f->retry_after_s);
    } else {
        arm_error(c->r, f->status, f->code, "%s", *f->message ? f->message : saying(f->code));
        retry_after(c, f->retry_after_s);
    }
    if (--f->left == 0)
        fault_end(f);
    return true;
}

void fault_plan(struct lro *o)
{
    struct fault *f = find(o->sb, o->kind, o->vm, true);
    if (!f)
        return;
    if (f->what == FAULT_HANG) {
        o->hung = true;
        return;
    }
    const char *code = f->code;
    if (!*code)
        code = strcmp(o->kind, "vm.start") == 0        ? "AllocationFailed"
               : strcmp(o->kind, "extension.put") == 0 ? "VMExtensionProvisioningError"
               : o->network                            ? "InternalServerError"
                                                       : "InternalExecutionError";
    snprintf(o->told_code, sizeof o->told_code, "%s", code);
    snprintf(o->told, sizeof o->told, "%s", *f->message ? f->message : saying(code));
    if (--f->left == 0)
        fault_end(f);
}
