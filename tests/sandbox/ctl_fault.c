/*
 * ctl_fault: the verbs of `arm` that spoil calls and operations by their kind, and those of `world`.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "fault.h"
#include "sandbox.h"
#include "snapshot.h"
#include "vm.h"

#define RETRY_AFTER_S 1

static const char *word(const struct ctl_call *call, unsigned i)
{
    return call->words_count > i ? call->words[i] : "";
}

/* "vm.start", or "vm.start@rg-desk/win-new". */
static int kind_read(struct ctl_call *call, const char *text, struct fault *f, struct err *err)
{
    size_t n = strcspn(text, "@");
    struct vm *vm = NULL;
    int rc = text[n] ? world_vm_by_word(&call->sb->world, text + n + 1, &vm, err) : 0;
    f->vm = vm;
    snprintf(f->kind, sizeof f->kind, "%.*s", (int)(n < sizeof f->kind ? n : sizeof f->kind - 1), text);
    return rc;
}

static void text_set(struct fault *f, const char *code, const char *message)
{
    snprintf(f->code, sizeof f->code, "%s", code);
    snprintf(f->message, sizeof f->message, "%s", message);
}

/* What each verb's words after KIND mean; NULL, or what is wrong. */
static const char *words_read(const struct ctl_call *call, struct fault *f)
{
    const char *verb = word(call, 1), *third = word(call, 3), *fourth = word(call, 4);
    f->left = (unsigned)strtoul(third, NULL, 10);
    f->retry_after_s = -1;
    if (strcmp(verb, "fail-operation") == 0) {
        f->what = FAULT_FAIL;
        f->left = 1;
        text_set(f, third, fourth);
    } else if (strcmp(verb, "hang-operation") == 0) {
        f->what = FAULT_HANG;
        f->left = 1;
    } else if (strcmp(verb, "conflict") == 0) {
        f->what = FAULT_CONFLICT;
        text_set(f, fourth, "");
    } else if (strcmp(verb, "retryable") == 0) {
        f->what = FAULT_RETRYABLE;
        f->retry_after_s = strcmp(fourth, "none") == 0 ? -1 : *fourth ? atoi(fourth) : RETRY_AFTER_S;
    } else {
        f->what = FAULT_REFUSE;
        f->status = (unsigned)strtoul(fourth, NULL, 10);
        if (f->status < 400 || f->status > 599)
            return "refuse takes KIND N STATUS [CODE [MESSAGE]]";
        f->retry_after_s = f->status == 429 ? RETRY_AFTER_S : -1;
        text_set(f,
                 *word(call, 5)     ? word(call, 5)
                 : f->status == 429 ? "TooManyRequests"
                                    : "InternalServerError",
                 word(call, 6));
    }
    return f->left ? NULL : "how many calls? N is a number";
}

bool ctl_arm_fault(struct ctl_call *call)
{
    static const char *const verbs[] = {"fail-operation", "hang-operation", "conflict", "retryable",
                                        "refuse"};
    bool ours = false;
    for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++)
        ours = ours || strcmp(verbs[i], word(call, 1)) == 0;
    if (!ours)
        return false;
    struct fault f = {0};
    struct err err = {0};
    const char *wrong = words_read(call, &f);
    if (wrong)
        ctl_answer(call, false, "%s", wrong);
    else if (kind_read(call, word(call, 2), &f, &err) || fault_add(&call->sb->arm.faults, &f, &err))
        ctl_answer(call, false, "%s", err.msg);
    else
        ctl_answer(call, true, "done");
    return true;
}

static void release(struct ctl_call *call)
{
    struct fault f = {0};
    struct err err = {0};
    if (kind_read(call, word(call, 2), &f, &err))
        ctl_answer(call, false, "%s", err.msg);
    else
        ctl_answer(call, true, "%u", fault_release(call->sb, *f.kind ? f.kind : NULL, f.vm));
}

static void json_answer(struct ctl_call *call, char *text)
{
    ctl_answer(call, text != NULL, "%s", text ? text : "out of memory");
    free(text);
}

bool ctl_arm_role(struct ctl_call *call)
{
    struct arm *a = &call->sb->arm;
    const char *what = word(call, 1), *value = word(call, 2);
    bool deny = strcmp(what, "deny") == 0;
    if (deny || strcmp(what, "allow") == 0) {
        if (!strchr(value, '/') && strcmp(value, "*") != 0)
            ctl_answer(call, false,
                       "%s takes an action: Microsoft.Network/networkSecurityGroups/securityRules/write",
                       what);
        else if (arm_deny(a, value, deny))
            ctl_answer(call, false, deny ? "too many are denied; arm clear" : "%s was not denied", value);
        else
            ctl_answer(call, true, "done");
    } else if (strcmp(what, "release-operation") == 0) {
        release(call);
    } else if (strcmp(what, "writes") == 0) {
        json_t *j = arm_writes_json(a);
        json_answer(call, json_dumps(j, JSON_INDENT(2)));
        json_decref(j);
    } else {
        return false;
    }
    return true;
}

/* The caller is somewhere else from now on. */
static void caller_set(struct ctl_call *call, const char *address)
{
    struct sandbox *sb = call->sb;
    struct err err = {0};
    struct in_addr a;
    if (inet_pton(AF_INET, address, &a) != 1) {
        ctl_answer(call, false, "world caller takes an IPv4 address");
        return;
    }
    snprintf(sb->caller, sizeof sb->caller, "%s", address);
    for (unsigned i = 0; i < sb->world.vms_count && !err.code; i++)
        vm_update(&sb->world.vms[i], &err);
    if (err.code)
        ctl_answer(call, false, "%s", err.msg);
    else
        ctl_answer(call, true, "done");
}

void ctl_world(struct ctl_call *call)
{
    if (strcmp(word(call, 1), "snapshot") == 0)
        json_answer(call, snapshot_text(call->sb));
    else if (strcmp(word(call, 1), "caller") == 0)
        caller_set(call, word(call, 2));
    else
        ctl_answer(call, false, "world takes snapshot, or caller ADDRESS");
}
