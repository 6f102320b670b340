/*
 * fuzz_vm_name: parses any text as a VM's name; what parses must survive being written and read again.
 */
#include <string.h>

#include "base/mem.h"
#include "config/vm_name.h"
#include "fuzz.h"

static void check_parsed(const struct vm_name *n)
{
    struct vm_name again, copy;
    char *text = vm_name_text(n);
    FUZZ_CHECK(text && n->name && *n->name);
    FUZZ_CHECK((n->kind == VM_NAME_GROUP || n->kind == VM_NAME_INSTANCE) == (n->group != NULL));
    FUZZ_CHECK((n->kind == VM_NAME_INSTANCE) == (n->instance != NULL));
    FUZZ_CHECK(vm_name_parse(&again, text, NULL) == 0);
    FUZZ_CHECK(vm_name_equal(n, &again));
    FUZZ_CHECK(vm_name_copy(&copy, n) == 0 && vm_name_equal(n, &copy));
    vm_name_done(&copy);
    vm_name_done(&again);
    mem_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    struct vm_name n;
    struct err err = {0};
    if (vm_name_parse(&n, text, &err) == 0) {
        check_parsed(&n);
        vm_name_done(&n);
    } else {
        FUZZ_CHECK(err.code == ERR_INVAL && err.msg[0]);
    }
    if (vm_name_parse_address(&n, text, NULL) == 0) {
        FUZZ_CHECK(n.kind == VM_NAME_ADDRESS && strcmp(n.name, text) == 0);
        vm_name_done(&n);
    }
    mem_free(text);
    return 0;
}
