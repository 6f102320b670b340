/*
 * fuzz_graph_rows: parses any JSON as two pages of Resource Graph rows.
 */
#include "fuzz.h"
#include "resolver/arm_id.h"
#include "resolver/candidates.h"
#include "resolver/graph_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    struct graph_rows g;
    struct arm_vm_id id;
    struct err err = {0};
    graph_rows_init(&g);
    const json_t *rows = json_is_object(json) ? json_object_get(json, "data") : json;
    if (graph_rows_add(&g, rows, &err) == 0 && graph_rows_add(&g, rows, &err) == 0) {
        graph_rows_end(&g);
        FUZZ_CHECK(g.count <= GRAPH_VMS_MAX);
        for (size_t i = 0; i < g.count; i++)
            FUZZ_CHECK(arm_vm_id_parse(g.vms[i]->id, &id) &&
                       g.vms[i]->address_count <= RESOLVER_ADDRESSES_MAX);
        if (g.count != 1)
            FUZZ_CHECK(candidates_of_facts(&err, "web1", g.vms, g.count) < 0 && err.msg[0]);
    }
    graph_rows_done(&g);
    json_decref(json);
    return 0;
}
