/*
 * graph_rows: the parser of the Resource Graph's rows.
 */
#include "graph_rows.h"

#include <string.h>

#include "base/mem.h"
#include "facts_build.h"

void graph_rows_init(struct graph_rows *g)
{
    memset(g, 0, sizeof(*g));
}

void graph_rows_done(struct graph_rows *g)
{
    for (size_t i = 0; i < g->count; i++)
        resolver_facts_unref(g->vms[i]);
    mem_free(g->vms);
    mem_free(g->first_nic);
    mem_free(g->last_nic);
    memset(g, 0, sizeof(*g));
}

void graph_rows_end(struct graph_rows *g)
{
    for (size_t i = 0; i < g->count; i++)
        facts_address_sort(g->vms[i]);
}

static int room_for_one(struct graph_rows *g, struct err *err)
{
    if (g->count < g->room)
        return 0;
    if (g->count >= GRAPH_VMS_MAX)
        return err_set(err, ERR_LIMIT, "the Resource Graph found more than %d VMs", GRAPH_VMS_MAX);
    size_t room = g->room ? g->room * 2 : 8;
    struct resolver_facts **grown = mem_realloc(g->vms, room * sizeof(struct resolver_facts *));
    if (!grown)
        return err_set(err, ERR_NOMEM, "out of memory");
    g->vms = grown;
    g->room = room;
    return 0;
}

static int vm_begin(struct graph_rows *g, const json_t *row, struct err *err)
{
    struct resolver_facts *f;
    int rc = room_for_one(g, err);
    if (rc)
        return rc;
    rc = facts_new(&f, facts_text(row, "id"), RESOLVER_SOURCE_GRAPH, err);
    if (rc)
        return rc;
    g->vms[g->count++] = f;
    mem_free(g->first_nic);
    mem_free(g->last_nic);
    g->first_nic = g->last_nic = NULL;
    f->power = facts_power_of(facts_text(row, "power"));
    f->os = facts_os_of(facts_text(row, "osType"));
    if (facts_keep(&f->vm_id, facts_text(row, "vmId")) ||
        facts_keep(&f->location, facts_text(row, "location")) ||
        facts_keep(&f->admin_user, facts_text(row, "adminUser")) ||
        facts_keep(&f->provisioning, facts_text(row, "provisioning")))
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

/* A flag that may be missing: then the first of its kind has it. */
static bool flag(const json_t *row, const char *name, bool is_first)
{
    const json_t *v = json_object_get(row, name);
    return json_is_boolean(v) ? json_is_true(v) : is_first;
}

static int configuration_add(struct graph_rows *g, const json_t *row, struct err *err)
{
    struct resolver_facts *f = g->vms[g->count - 1];
    const char *nic = facts_text(row, "nicId");
    bool new_nic = !nic || !g->last_nic || strcasecmp(g->last_nic, nic) != 0;
    if (facts_keep(&g->last_nic, nic) || (!g->first_nic && facts_keep(&g->first_nic, nic)))
        return err_set(err, ERR_NOMEM, "out of memory");
    bool primary_nic = flag(row, "nicPrimary", !nic || strcasecmp(g->first_nic, nic) == 0);
    bool primary_ip = flag(row, "ipPrimary", new_nic);
    if (facts_address_add(f, facts_text(row, "publicIp"), true, primary_nic, primary_ip) ||
        facts_address_add(f, facts_text(row, "privateIp"), false, primary_nic, primary_ip))
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

int graph_rows_add(struct graph_rows *g, const json_t *data, struct err *err)
{
    size_t i;
    json_t *row;
    if (!json_is_array(data))
        return err_set(err, ERR_PROTOCOL, "the Resource Graph's answer has no rows");
    json_array_foreach(data, i, row)
    {
        const char *id = facts_text(row, "id");
        int rc = 0;
        if (!id)
            continue;
        if (g->count == 0 || strcasecmp(g->vms[g->count - 1]->id, id) != 0)
            rc = vm_begin(g, row, err);
        if (rc == ERR_PROTOCOL)
            continue;
        if (rc || (rc = configuration_add(g, row, err)) != 0)
            return rc;
    }
    return 0;
}
