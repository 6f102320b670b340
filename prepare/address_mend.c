/*
 * address_mend: makes a Standard public IP address and gives it to the VM's primary ipConfiguration.
 *
 *   NAME ──{vm}-ip is taken by another: {vm}-ip-2, …──▶ NAME
 *     └──free, or ours and unused──▶ RECORD ──▶ PUT the address ──▶ GET the interface ──▶ PUT it
 *                                                                        ▲                 │
 *                                                                        └──412: changed───┘
 *
 * The interface goes back as it came but for the one reference: its etag is in it, so that a change by
 * somebody else in between is refused and not undone. Failure modes: told by the write that met them; an
 * address that was made stays recorded, the next prepare takes it up and an undo removes it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "azure/reason.h"
#include "base/mem.h"
#include "run.h"

#define PIP_QUERY "api-version=" NETWORK_API
#define NAMES_MAX 9

static void ask_name(struct prepare_run *run, size_t nth);
static void get_nic(struct prepare_run *run, size_t try);

static void failed(struct prepare_run *run, const struct err *err)
{
    step_mend_failed(run, PREPARE_ADDRESS, err);
}

static int set_name(struct prepare_run *run, size_t nth, struct err *err)
{
    char *name = nth == 1 ? mem_printf("%s-ip", run->vm.name) : mem_printf("%s-ip-%zu", run->vm.name, nth);
    char *id = name ? mem_printf("/subscriptions/%s/resourceGroups/%s/providers/"
                                 "Microsoft.Network/publicIPAddresses/%s",
                                 run->vm.subscription, run->vm.group, name)
                    : NULL;
    if (!id) {
        mem_free(name);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    mem_free(run->plan.public_ip);
    run->plan.public_ip = name;
    mem_free(run->public_id);
    run->public_id = id;
    return 0;
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
        step_mended(run, PREPARE_ADDRESS, "gave %s the public IP address %s", run->vm.name,
                    run->plan.public_ip);
}

static void on_nic(struct prepare_run *run, size_t try, const json_t *doc, const struct err *err)
{
    struct err why = {0};
    if (err) {
        failed(run, err);
    } else if (address_nic_put(run, doc, run->way.config, NULL, run->public_id, on_nic_put, try, &why) < 0) {
        failed(run, &why);
    }
}

static void get_nic(struct prepare_run *run, size_t try)
{
    struct err why = {0};
    if (call_get(run, run->way.nic, NULL, PIP_QUERY, on_nic, try, &why) < 0)
        failed(run, &why);
}

static void on_made(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    if (err) {
        failed(run, err);
        return;
    }
    step_changed(run, PREPARE_ADDRESS, "made the public IP address %s", run->plan.public_ip);
    step_doing(run, PREPARE_ADDRESS, "giving it to %s", run->vm.name);
    get_nic(run, 1);
}

static int note(struct record_vm *r, const void *arg)
{
    const struct prepare_run *run = arg;
    return record_text_set(&r->public_ip, run->public_id) || record_text_set(&r->public_nic, run->way.nic) ||
                   record_text_set(&r->public_config, run->way.config)
               ? ERR_NOMEM
               : 0;
}

static void make(struct prepare_run *run)
{
    struct err why = {0};
    json_t *body =
        json_pack("{s:s,s:{s:s},s:{s:s,s:s}}", "location", run->vm.location, "sku", "name", "Standard",
                  "properties", "publicIPAllocationMethod", "Static", "publicIPAddressVersion", "IPv4");
    int bad = body ? 0 : -1;
    if (body && run->vm.zone[0])
        bad = json_object_set_new(body, "zones", json_pack("[s]", run->vm.zone));
    if (bad)
        err_set(&why, ERR_NOMEM, "out of memory");
    else if (run_record(run, note, run)) {
        struct call_change put = {
            .method = "PUT", .id = run->public_id, .query = PIP_QUERY, .body = body, .deadline_ms = 300000};
        step_doing(run, PREPARE_ADDRESS, "making the public IP address %s", run->plan.public_ip);
        call_write(run, &put, on_made, 0, &why);
    }
    json_decref(body);
    if (why.code)
        failed(run, &why);
}

/* What is there under that name: may we have it? */
static void on_name(struct prepare_run *run, size_t nth, const json_t *doc, const struct err *err)
{
    struct record_vm *r;
    struct err why = {0};
    if (err && err->code != ERR_NOTFOUND) {
        failed(run, err);
        return;
    }
    if (err) {
        make(run);
        return;
    }
    if (!(r = run_recall(run)))
        return;
    bool ours = r->public_ip && strcasecmp(r->public_ip, run->public_id) == 0 &&
                !json_object_get(json_object_get(doc, "properties"), "ipConfiguration");
    record_free(r);
    if (ours) {
        step_doing(run, PREPARE_ADDRESS, "giving %s to %s", run->plan.public_ip, run->vm.name);
        get_nic(run, 1);
    } else if (nth < NAMES_MAX) {
        ask_name(run, nth + 1);
    } else {
        err_set(&why, ERR_EXISTS, "%s-ip and its like are all taken", run->vm.name);
        failed(run, &why);
    }
}

static void ask_name(struct prepare_run *run, size_t nth)
{
    struct err why = {0};
    if (set_name(run, nth, &why) < 0 ||
        call_get(run, run->public_id, NULL, PIP_QUERY, on_name, nth, &why) < 0)
        failed(run, &why);
}

void address_mend(struct prepare_run *run, enum prepare_step s)
{
    step_doing(run, s, "making a public IP address for %s", run->vm.name);
    ask_name(run, 1);
}
