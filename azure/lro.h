/*
 * lro: one long-running operation of ARM's, from the request that begins it to its end.
 *
 * Source: ARM's asynchronous operations: Azure-AsyncOperation (a status document) before Location (202 until
 * done) before provisioningState of what was PUT. The URLs are used verbatim and only on the cloud's own ARM
 * host. Thread: the loop's.
 */
#ifndef ADIT_AZURE_LRO_H
#define ADIT_AZURE_LRO_H

#include "azure.h"

struct azure_lro;

/* Exactly once, never inside azure_lro_start(). err NULL: it succeeded; result is the last document, borrowed
 * for the call: the status document (its properties.output is what a Run Command said), the body at Location,
 * or the resource; NULL when ARM sent none. Otherwise err: ERR_UNAVAILABLE (ARM says Failed or Canceled; the
 * message has ARM's code and text), ERR_TIMEOUT (it goes on in Azure), ERR_PROTOCOL, and as azure_send(). */
typedef void (*azure_lro_cb)(void *arg, const struct json_t *result, const struct err *err);

/* call as for azure_send(); its deadline_ms is for the whole operation, 0 = 10 minutes. A reply that is final
 * at once is fine too. Errors as azure_send(). */
int azure_lro_start(struct azure *a, const struct azure_call *call, azure_lro_cb cb, void *arg,
                    struct azure_lro **out, struct err *err);
void azure_lro_cancel(struct azure_lro *l); /* synchronous and silent; the operation goes on in Azure */

#endif
