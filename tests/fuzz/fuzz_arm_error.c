/*
 * fuzz_arm_error: reads any body as ARM's error reply. The first byte chooses the status.
 */
#include <string.h>

#include "azure/azure_private.h"
#include "fuzz.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {400, 401, 403, 404, 408, 409, 418, 429, 500, 503, 302};
    if (size == 0)
        return 0;
    struct http_reply reply = {.failure = HTTP_ANSWERED,
                               .status = statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))],
                               .body = (const char *)data + 1,
                               .len = size - 1,
                               .head = "",
                               .head_len = 0};
    json_t *json = json_loadb(reply.body, reply.len, 0, NULL);
    struct err err = {0};
    int rc = azure_arm_error(&err, &reply, json);
    FUZZ_CHECK(rc < 0 && err.code == rc && err.msg[0]);
    FUZZ_CHECK(memchr(err.msg, 0, sizeof(err.msg)) && !strpbrk(err.msg, "\r\n\x1b"));
    FUZZ_CHECK(azure_arm_error_code(json));
    json_decref(json);
    return 0;
}
