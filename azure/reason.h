/*
 * reason: what an error of ARM's tells beyond its code, read back from its message.
 *
 * For those who are given the `struct err` of an azure_reply_cb or azure_lro_cb and nothing else. Pure
 * functions; any thread. Sources: ARM's error codes of Compute and Network for operations that exclude each
 * other; its 403 AuthorizationFailed.
 */
#ifndef ADIT_AZURE_REASON_H
#define ADIT_AZURE_REASON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Another operation on the resource is under way, and this one may be begun when that has ended: 409 or 429
 * AnotherOperationInProgress, RetryableErrorDueToAnotherOperation, … or a Conflict or OperationNotAllowed
 * that says so. */
bool azure_error_busy(const struct err *err);

/* The role's action that the caller lacks ("Microsoft.Compute/virtualMachines/start/action"). False, and
 * out "", when the error is none of 403, or does not say. */
bool azure_error_action(const struct err *err, char *out, size_t size);

/* ARM's code ("InvalidParameter"), where it gave one. */
bool azure_error_code(const struct err *err, char *out, size_t size);

#endif
