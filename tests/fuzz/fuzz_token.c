/*
 * fuzz_token: reads anything as what the sign-in endpoint answers to a request for a token. The first byte
 * chooses the status. What comes out is fit for a header, and no error holds it.
 */
#include <string.h>

#include "azure/entra.h"
#include "base/mem.h"
#include "fuzz.h"

#define SECRET "Q8~s3cret.of-ours"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 401, 403, 429, 500, 302};
    static const struct azure_cloud cloud = {.login = "https://login.example"};
    static char sent[] = "client_id=me&client_secret=" SECRET;
    static const struct blob form = {.data = sent, .len = sizeof(sent) - 1};
    const struct entra_call call = {.cloud = &cloud,
                                    .form = &form,
                                    .tenant = "t",
                                    .keeps_refresh = true,
                                    .tenant_from = "TENANT",
                                    .client_from = "CLIENT",
                                    .proof_from = "PROOF"};
    struct token token = {0};
    struct err err = {0};
    if (size == 0)
        return 0;
    /* A reply's body ends with a NUL that its length leaves out. */
    char *body = mem_strndup((const char *)data + 1, size - 1);
    FUZZ_CHECK(body);
    struct http_reply reply = {.failure = HTTP_ANSWERED,
                               .status = statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))],
                               .body = body,
                               .len = strlen(body),
                               .head = "",
                               .head_len = 0};
    int rc = entra_reply_parse(&call, &reply, &token, &err);
    if (rc == 0) {
        FUZZ_CHECK(reply.status == 200 && token.value && token.value[0]);
        for (const char *c = token.value; *c; c++)
            FUZZ_CHECK((unsigned char)*c > 0x20 && (unsigned char)*c < 0x7f);
    } else {
        FUZZ_CHECK(err.code == rc && err.msg[0] && !strpbrk(err.msg, "\r\n\x1b"));
        FUZZ_CHECK(!strstr(err.msg, SECRET));
    }
    token_done(&token);
    mem_free(body);
    return 0;
}
