/*
 * reason: finds ARM's own code and words in messages as arm_error.c and lro.c write them.
 */
#include "reason.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

#define CODE_SIZE 80

bool azure_error_code(const struct err *err, char *out, size_t size)
{
    static const char *const before[] = {": 400 ",
                                         ": 403 ",
                                         ": 404 ",
                                         ": 409 ",
                                         ": 412 ",
                                         ": 429 ",
                                         "ended as Failed: ",
                                         "ended as Canceled: "};
    out[0] = 0;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        const char *p = strstr(err->msg, before[i]);
        if (!p)
            continue;
        p += strlen(before[i]);
        size_t n = strcspn(p, ": ");
        if (n == 0 || n >= size || p[n] != ':')
            continue;
        memcpy(out, p, n);
        out[n] = 0;
        return true;
    }
    return false;
}

bool azure_error_busy(const struct err *err)
{
    static const char *const always[] = {"AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation",
                                         "RetryableError", "ReferencedResourceNotProvisioned",
                                         "CanceledAndSupersededDueToAnotherOperation"};
    static const char *const perhaps[] = {"Conflict", "OperationNotAllowed"};
    char code[CODE_SIZE];
    if (!azure_error_code(err, code, sizeof(code)))
        return false;
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (strcmp(code, always[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof(perhaps) / sizeof(perhaps[0]); i++)
        if (strcmp(code, perhaps[i]) == 0)
            return strcasestr(err->msg, "in progress") || strcasestr(err->msg, "another operation");
    return false;
}

bool azure_error_action(const struct err *err, char *out, size_t size)
{
    static const char lacks[] = "the identity lacks ";
    out[0] = 0;
    if (err->code != ERR_DENIED)
        return false;
    if (text_quoted_after(err->msg, "perform action", out, size))
        return true;
    const char *p = strstr(err->msg, lacks);
    p = p ? p + sizeof(lacks) - 1 : "";
    size_t n = strcspn(p, ": ");
    if (n == 0 || n >= size)
        return false;
    memcpy(out, p, n);
    out[n] = 0;
    return true;
}
