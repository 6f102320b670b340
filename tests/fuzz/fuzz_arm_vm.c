/*
 * fuzz_arm_vm: parses any JSON as ARM's VM; what comes out must be fit to be shown, asked for and picked
 * from.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "resolver/arm_vm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    struct arm_vm vm;
    struct arm_vm_id id;
    struct err err = {0};
    if (arm_vm_parse(&vm, json, &err) == 0) {
        FUZZ_CHECK(vm.nic_count <= ARM_VM_NICS_MAX && vm.facts->address_count == 0);
        FUZZ_CHECK(arm_vm_id_parse(vm.facts->id, &id) && strcmp(id.name, vm.facts->name) == 0);
        for (size_t i = 0; i < vm.nic_count; i++) {
            FUZZ_CHECK(arm_id_is(vm.nics[i].id, "Microsoft.Network/networkInterfaces"));
            FUZZ_CHECK(vm.nics[i].primary == (i == 0));
        }
        json_t *shown = resolver_facts_to_json(vm.facts);
        FUZZ_CHECK(shown);
        json_decref(shown);
        arm_vm_done(&vm);
    } else {
        FUZZ_CHECK(err.code == ERR_PROTOCOL && err.msg[0]);
    }
    json_decref(json);
    return 0;
}
