/*
 * fuzz_config: loads any text as adit.yaml. What is refused has a place and a reason, found by our own checks
 * and not only by libcyaml; what is accepted comes back the same after being written as YAML.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "fuzz.h"

static void check_problems(const struct config_problems *problems, const struct err *err)
{
    FUZZ_CHECK(problems->count > 0 && problems->count <= 100 && err->msg[0]);
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *p = &problems->items[i];
        FUZZ_CHECK(p->text[0] && memchr(p->text, '\0', sizeof p->text));
        FUZZ_CHECK(p->line > 0 || strncmp(p->text, "not UTF-8", 9) == 0);
        FUZZ_CHECK(i == 0 || p->line >= p[-1].line);
    }
}

static void check_loaded(const struct config *c)
{
    const struct config *again;
    struct err err = {0};
    char *yaml = config_to_yaml(c), *json = config_to_json(c);
    FUZZ_CHECK(yaml && json);
    FUZZ_CHECK(config_load_text(&again, yaml, strlen(yaml), "/fuzz/adit.yaml", NULL, &err) == 0);
    char *second = config_to_json(again);
    FUZZ_CHECK(second && strcmp(json, second) == 0);
    config_unref(again);
    mem_free(second);
    mem_free(json);
    mem_free(yaml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config *c = NULL;
    struct config_problems problems = {0};
    struct err err = {0};
    (void)setenv("HOME", "/nonexistent", 1);
    int rc = config_load_text(&c, (const char *)data, size, "/fuzz/adit.yaml", &problems, &err);
    FUZZ_CHECK(rc == 0 || rc == ERR_CONFIG);
    if (rc == 0)
        check_loaded(c);
    else
        check_problems(&problems, &err);
    config_unref(c);
    config_problems_done(&problems);
    return 0;
}
