/*
 * address_undo: takes the public IP address that we made off the interface, and removes it.
 *
 *   GET the address ──gone──▶ forget it
 *     └──on our ipConfiguration, or on none──▶ GET the interface ──▶ PUT it without ──▶ DELETE ──▶ forget it
 *     └──on another machine's──▶ left as it is, and forgotten: it is in somebody else's use
 */
#include <string.h>
#include <strings.h>

#include "address.h"
#include "azure/reason.h"
#include "base/mem.h"
#include "ref.h"
#include "run.h"

#define QUERY "api-version=" NETWORK_API
#define UNDO PREPARE_ADDRESS

static void get_nic(struct prepare_run *run, size_t try);

static void failed(struct prepare_run *run, const struct err *err)
{
    step_undo_failed(run, UNDO, err);
}

static int drop(struct record_vm *r, const void *arg)
{
    record_text_set(&r->public_ip, NULL);
    record_text_set(&r->public_nic, NULL);
    record_text_set(&r->public_config, NULL);
    return 0;
}

static void on_deleted(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const char *name = ref_name(run->undo->public_ip);
    if (err && err->code != ERR_NOTFOUND) {
        failed(run, err);
    } else if (run_record(run, drop, NULL)) {
        step_changed(run, UNDO, "removed the public IP address %s", name);
        step_undone(run, UNDO, "%s is removed", name);
    }
}

static void remove_it(struct prepare_run *run)
{
    struct err why = {0};
    struct call_change call = {
        .method = "DELETE", .id = run->undo->public_ip, .query = QUERY, .deadline_ms = 300000};
    step_doing(run, UNDO, "removing the public IP address %s", ref_name(run->undo->public_ip));
    if (call_write(run, &call, on_deleted, 0, &why) < 0)
        failed(run, &why);
}

static void on_nic_put(struct prepare_run *run, size_t try, const json_t *doc, const struct err *err)
{
    char code[64];
    bool changed =
        err && azure_error_code(err, code, sizeof(code)) && strcmp(code, "PreconditionFailed") == 0;
    if (changed && try < ADDRESS_TRIES)
        get_nic(run, try + 1);
    else if (err)
        failed(run, err);
    else
        remove_it(run);
}

static void on_nic(struct prepare_run *run, size_t try, const json_t *doc, const struct err *err)
{
    const struct record_vm *r = run->undo;
    struct err why = {0};
    if (err && err->code == ERR_NOTFOUND)
        remove_it(run);
    else if (err)
        failed(run, err);
    else if (address_nic_put(run, doc, r->public_config, r->public_ip, NULL, on_nic_put, try, &why) < 0)
        failed(run, &why);
}

static void get_nic(struct prepare_run *run, size_t try)
{
    struct err why = {0};
    step_doing(run, UNDO, "taking %s off %s", ref_name(run->undo->public_ip), run->vm.name);
    if (call_get(run, run->undo->public_nic, NULL, QUERY, on_nic, try, &why) < 0)
        failed(run, &why);
}

/* "…/networkInterfaces/NIC/ipConfigurations/CONFIG": is it this interface's? */
static bool is_on(const char *config_id, const char *nic, const char *config)
{
    size_t n = strlen(nic);
    return strncasecmp(config_id, nic, n) == 0 && config_id[n] == '/' &&
           strcasecmp(ref_name(config_id), config) == 0;
}

static void on_address(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const struct record_vm *r = run->undo;
    const json_t *on = json_object_get(json_object_get(doc, "properties"), "ipConfiguration");
    const char *config = json_string_value(json_object_get(on, "id"));
    if (err && err->code == ERR_NOTFOUND) {
        if (run_record(run, drop, NULL))
            step_skip(run, UNDO, "%s is gone already", ref_name(r->public_ip));
    } else if (err) {
        failed(run, err);
    } else if (!config) {
        remove_it(run);
    } else if (is_on(config, r->public_nic, r->public_config)) {
        get_nic(run, 1);
    } else if (run_record(run, drop, NULL)) {
        step_skip(run, UNDO, "%s is left: something else uses it by now", ref_name(r->public_ip));
    }
}

void address_undo(struct prepare_run *run, enum prepare_step s)
{
    struct err why = {0};
    if (!run_undo_recall(run))
        return;
    if (!run->undo->public_ip)
        step_skip(run, s, "adit made no public IP address");
    else if (call_get(run, run->undo->public_ip, NULL, QUERY, on_address, 0, &why) < 0)
        failed(run, &why);
}
