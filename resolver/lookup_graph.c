/*
 * lookup_graph: finds VMs by name, or all of them, with one Resource Graph query that already carries every
 * fact.
 *
 * The request is ARM's POST /providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01 with
 *
 *   {"subscriptions": ["GUID", …],              absent: every subscription that the caller can see
 *    "query": QUERY,
 *    "options": {"resultFormat": "objectArray", "$top": 1000, "$skipToken": "…"}}   $skipToken from the
 * second page on
 *
 * QUERY is one line, its parts joined by single blanks; NAMES is 'web1' or 'web1', 'web2', …, each quoted for
 * KQL; for every VM the comparison with names is left out:
 *
 *   Resources
 *   | where type =~ 'microsoft.compute/virtualmachines' and name in~ (NAMES)
 *   | mv-expand nic = properties.networkProfile.networkInterfaces
 *   | extend nicId = tolower(tostring(nic.id))
 *   | join kind=leftouter (Resources
 *       | where type =~ 'microsoft.network/networkinterfaces'
 *       | mv-expand ipc = properties.ipConfigurations
 *       | project nicId = tolower(id), ipName = tostring(ipc.name), ipPrimary =
 * tobool(ipc.properties.primary), privateIp = tostring(ipc.properties.privateIPAddress), publicIpId =
 * tolower(tostring(ipc.properties.publicIPAddress.id))) on nicId | join kind=leftouter (Resources | where
 * type =~ 'microsoft.network/publicipaddresses' | project publicIpId = tolower(id), publicIp =
 * tostring(properties.ipAddress)) on publicIpId | project id, name, resourceGroup, subscriptionId, location,
 * vmId = tostring(properties.vmId), osType = tostring(properties.storageProfile.osDisk.osType), power =
 * tostring(properties.extended.instanceView.powerState.code), adminUser =
 * tostring(properties.osProfile.adminUsername), provisioning = tostring(properties.provisioningState), nicId,
 * nicPrimary = tobool(nic.properties.primary), ipName, ipPrimary, privateIp, publicIp | order by id asc,
 * nicId asc, ipName asc
 *
 * The reply is {"totalRecords", "count", "data": [ROW, …], "resultTruncated": "false", "$skipToken"?}. One
 * ROW is one ipConfiguration; a VM with several has neighbouring rows that repeat its own columns:
 *
 *   {"id": "/subscriptions/…/virtualMachines/web1", "name": "web1", "resourceGroup": "rg-web" (lower case),
 *    "subscriptionId": "GUID", "location": "westeurope", "vmId": "GUID", "osType": "Linux" | "Windows",
 *    "power": "PowerState/running", "adminUser": "azureuser", "provisioning": "Succeeded",
 *    "nicId": "/subscriptions/…" (lower case), "nicPrimary": true | false | null, "ipName": "ipconfig1",
 *    "ipPrimary": true | false | null, "privateIp": "10.0.0.4", "publicIp": "20.1.2.3"}
 *
 * What is unknown is "" or null: "publicIp" without a public address or while a Dynamic one is unallocated,
 * "power" while the platform does not know it, everything from "ipName" on for a NIC that is gone.
 */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "graph_rows.h"
#include "kql.h"
#include "lookup.h"

#define GRAPH_PATH "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
#define ROWS_A_PAGE 1000
#define PAGES_MAX 50
#define SKIP_TOKEN_MAX 8192

struct lookup_graph {
    struct azure *azure;
    struct clock *clock;
    uint64_t deadline_at;
    json_t *body; /* of the request; gains a $skipToken for every further page */
    struct azure_req *req;
    struct graph_rows rows;
    unsigned pages;
    lookup_graph_cb cb;
    void *arg;
};

void lookup_graph_cancel(struct lookup_graph *l)
{
    if (l->req)
        azure_cancel(l->req);
    json_decref(l->body);
    graph_rows_done(&l->rows);
    mem_free(l);
}

static void finish(struct lookup_graph *l, bool answered, const struct err *err)
{
    lookup_graph_cb cb = l->cb;
    void *arg = l->arg;
    struct graph_rows rows = l->rows;
    graph_rows_init(&l->rows);
    lookup_graph_cancel(l);
    if (!err)
        graph_rows_end(&rows);
    cb(arg, err ? NULL : rows.vms, err ? 0 : rows.count, answered, err);
    graph_rows_done(&rows);
}

static void on_page(void *arg, const struct azure_reply *reply, const struct err *err);

static int ask(struct lookup_graph *l, struct err *err)
{
    uint64_t now = clock_now(l->clock);
    if (l->pages++ >= PAGES_MAX)
        return err_set(err, ERR_LIMIT, "the Resource Graph's answer has more than %d pages", PAGES_MAX);
    struct azure_call call = {.method = "POST",
                              .path = GRAPH_PATH,
                              .body = l->body,
                              .deadline_ms = now < l->deadline_at ? (uint32_t)(l->deadline_at - now) : 1};
    return azure_send(l->azure, &call, on_page, l, &l->req, err);
}

/* 1 when another page was asked for, 0 after the last one, negative when that failed. */
static int ask_next(struct lookup_graph *l, const json_t *json, struct err *err)
{
    json_t *skip = json_object_get(json, "$skipToken");
    if (!json_is_string(skip) || json_string_length(skip) == 0)
        return 0;
    if (json_string_length(skip) > SKIP_TOKEN_MAX)
        return err_set(err, ERR_PROTOCOL, "the Resource Graph's $skipToken is longer than %d bytes",
                       SKIP_TOKEN_MAX);
    if (json_object_set(json_object_get(l->body, "options"), "$skipToken", skip))
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = ask(l, err);
    return rc ? rc : 1;
}

static void on_page(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct lookup_graph *l = arg;
    struct err why;
    err_clear(&why);
    l->req = NULL;
    if (err) {
        finish(l, reply != NULL, err);
        return;
    }
    int rc = graph_rows_add(&l->rows, json_object_get(reply->json, "data"), &why);
    if (!rc)
        rc = ask_next(l, reply->json, &why);
    if (rc <= 0)
        finish(l, rc == ERR_PROTOCOL, rc ? &why : NULL);
}

static json_t *body_of(const char *const *names, size_t name_count, const char *const *subscriptions,
                       size_t count)
{
    struct strbuf query;
    json_t *list = count ? json_array() : NULL;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(subscriptions[i]));
    strbuf_init(&query);
    kql_vms_named(&query, names, name_count);
    json_t *body = query.bad || (count && json_array_size(list) != count)
                       ? NULL
                       : json_pack("{s:s, s:{s:s, s:i}}", "query", query.data, "options", "resultFormat",
                                   "objectArray", "$top", ROWS_A_PAGE);
    strbuf_done(&query);
    if (body && list && json_object_set(body, "subscriptions", list)) {
        json_decref(body);
        body = NULL;
    }
    json_decref(list);
    return body;
}

int lookup_graph_start(struct azure *a, struct clock *clock, const char *const *names, size_t name_count,
                       const char *const *subscriptions, size_t subscription_count, uint32_t deadline_ms,
                       lookup_graph_cb cb, void *arg, struct lookup_graph **out, struct err *err)
{
    struct lookup_graph *l = mem_zalloc(sizeof(*l));
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->azure = a;
    l->clock = clock;
    l->deadline_at = clock_now(clock) + deadline_ms;
    l->cb = cb;
    l->arg = arg;
    graph_rows_init(&l->rows);
    l->body = body_of(names, name_count, subscriptions, subscription_count);
    int rc = l->body ? ask(l, err) : err_set(err, ERR_NOMEM, "out of memory, or a name that is no text");
    if (rc) {
        lookup_graph_cancel(l);
        return rc;
    }
    *out = l;
    return 0;
}
