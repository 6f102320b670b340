/*
 * fuzz_script_output: takes any JSON as the answer of a Run Command; what comes out moves no cursor.
 */
#include <jansson.h>

#include "base/mem.h"
#include "fuzz.h"
#include "prepare/script.h"

static void check(const char *text)
{
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= 0x20 || *text == '\n' || *text == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    char *out, *bad;
    struct err err = {0};
    if (script_output(json, &out, &bad, &err) == 0) {
        check(out);
        check(bad);
        mem_free(out);
        mem_free(bad);
    } else {
        FUZZ_CHECK(!out && !bad && err.code);
    }
    json_decref(json);
    return 0;
}
