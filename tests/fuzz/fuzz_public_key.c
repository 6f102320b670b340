/*
 * fuzz_public_key: checks any bytes as a public key line; what is taken is one line that is taken again as it
 * is.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "prepare/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line, *again;
    struct err err = {0};
    if (key_line_check((const char *)data, size, &line, &err) == 0) {
        for (const char *c = line; *c; c++)
            FUZZ_CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
        FUZZ_CHECK(key_line_check(line, strlen(line), &again, &err) == 0);
        FUZZ_CHECK(strcmp(line, again) == 0);
        mem_free(line);
        mem_free(again);
    } else {
        FUZZ_CHECK(!line && err.code == ERR_INVAL);
    }
    return 0;
}
