/*
 * metadata: one question to a metadata service of the machine that we run on, asked again where that helps.
 *
 * Never by a proxy. Source: the rules of Azure's instance metadata service: 404, 408, 410, 429 and 5xx pass,
 * 410 within 70 s. Thread: the loop's.
 */
#ifndef ADIT_AZURE_METADATA_H
#define ADIT_AZURE_METADATA_H

#include "base/clock.h"
#include "http.h"

#define METADATA_PROBE_MS 1000u

struct metadata_req;

struct metadata_call {
    struct http *http;
    struct clock *clock;
    const char *url;            /* with the query; copied */
    const char *const *headers; /* copied */
    size_t header_count;
    uint32_t deadline_ms;
    bool probe; /* one try of METADATA_PROBE_MS, and whatever comes of it is told */
};

/* Exactly once, never inside metadata_send(). err NULL: an answer, whatever its status, that is not worth
 * another try. Otherwise nobody answered: ERR_NOTFOUND for a probe, else as http_cb has it. */
typedef void (*metadata_cb)(void *arg, const struct http_reply *reply, const struct err *err);

int metadata_send(const struct metadata_call *call, metadata_cb cb, void *arg, struct metadata_req **out,
                  struct err *err); /* ERR_NOMEM, ERR_SYSTEM */
void metadata_cancel(struct metadata_req *req);

#endif
