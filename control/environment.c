/*
 * environment: finds out whether two processes have the same settings for Azure, without telling their
 * values.
 */
#include "environment.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/siphash.h"

#define NAME_COUNT (sizeof NAMES / sizeof NAMES[0])
#define SUM_SIZE 17 /* 64 bits in hexadecimal */

/* Those that choose who aditd is in Azure, and where. */
static const char *const NAMES[] = {
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_AUTHORITY_HOST",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_CONFIG_DIR",
};

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void sum(char out[SUM_SIZE], const uint64_t key[2], const char *value)
{
    snprintf(out, SUM_SIZE, "%016" PRIx64, siphash(key, value, strlen(value)));
}

json_t *environment_describe(void)
{
    uint64_t key[2];
    char text[SUM_SIZE], key_text[2 * SUM_SIZE];
    json_t *sums = json_object();

    if (uv_random(NULL, NULL, key, sizeof key, 0, NULL) != 0) {
        json_decref(sums);
        return NULL;
    }
    snprintf(key_text, sizeof key_text, "%016" PRIx64 "%016" PRIx64, key[0], key[1]);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const char *value = setting(NAMES[i]);
        if (!value)
            continue;
        sum(text, key, value);
        json_object_set_new(sums, NAMES[i], json_string(text));
    }
    if (json_object_size(sums) > 0)
        return json_pack("{s:s, s:o}", "key", key_text, "sums", sums);
    json_decref(sums);
    return NULL;
}

static int read_key(const char *text, uint64_t key[2])
{
    char half[SUM_SIZE];
    if (!text || strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
        return -1;
    for (int i = 0; i < 2; i++) {
        snprintf(half, sizeof half, "%.16s", text + (size_t)i * 16);
        key[i] = strtoull(half, NULL, 16);
    }
    return 0;
}

int environment_compare(const json_t *args, json_t **out, struct err *err)
{
    const json_t *sums = json_object_get(args, "sums");
    uint64_t key[2];
    char text[SUM_SIZE];

    if (read_key(json_string_value(json_object_get(args, "key")), key) != 0 || !json_is_object(sums))
        return err_set(err, ERR_INVAL, "\"key\" must be 32 hexadecimal digits, \"sums\" an object");
    json_t *differ = json_array();
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const char *theirs = json_string_value(json_object_get(sums, NAMES[i]));
        const char *ours = setting(NAMES[i]);
        if (!theirs)
            continue;
        if (ours)
            sum(text, key, ours);
        if (!ours || strcmp(text, theirs) != 0)
            json_array_append_new(differ, json_string(NAMES[i]));
    }
    *out = json_pack("{s:o}", "differ", differ);
    return *out ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}
