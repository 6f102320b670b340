/*
 * fuzz_arm_challenge: reads anything as the head and body of ARM's 401. Up to the first NUL it is the value
 * of WWW-Authenticate, the rest is the body.
 */
#include <jansson.h>
#include <string.h>

#include "azure/challenge.h"
#include "base/mem.h"
#include "fuzz.h"

#define NAME "WWW-Authenticate"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = memchr(data, 0, size);
    size_t value_len = nul ? (size_t)(nul - data) : size, rest = size - value_len - (nul ? 1 : 0);
    size_t head_len = sizeof(NAME) + value_len + 1;
    char *head = mem_zalloc(head_len);
    char tenant[CHALLENGE_TENANT_SIZE];
    FUZZ_CHECK(head);
    memcpy(head, NAME, sizeof(NAME));
    memcpy(head + sizeof(NAME), data, value_len);
    struct http_reply reply = {.failure = HTTP_ANSWERED,
                               .status = 401,
                               .body = nul ? (const char *)nul + 1 : "",
                               .len = rest,
                               .head = head,
                               .head_len = head_len};
    json_t *json = json_loadb(reply.body, reply.len, 0, NULL);
    char *claims = challenge_claims(&reply);
    if (claims) {
        json_t *object = json_loads(claims, 0, NULL);
        FUZZ_CHECK(json_is_object(object) && strlen(claims) <= CHALLENGE_CLAIMS_MAX);
        json_decref(object);
    }
    if (challenge_tenant(&reply, json, tenant))
        FUZZ_CHECK(strlen(tenant) == CHALLENGE_TENANT_SIZE - 1 &&
                   strspn(tenant, "0123456789abcdefABCDEF-") == CHALLENGE_TENANT_SIZE - 1);
    reply.status = 403;
    FUZZ_CHECK(!challenge_claims(&reply) && !challenge_tenant(&reply, json, tenant));
    mem_free(claims);
    mem_free(head);
    json_decref(json);
    return 0;
}
