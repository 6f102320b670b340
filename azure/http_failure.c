/*
 * http_failure: what curl's result code means for the user and for trying again.
 */
#include <string.h>

#include "http_private.h"

static enum http_failure kind_of(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR: /* before the first byte of the request */
        return HTTP_NOT_CONNECTED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return HTTP_BROKEN;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMED_OUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return HTTP_NOT_TRUSTED;
    default:
        return HTTP_IMPOSSIBLE;
    }
}

static void host_of(CURL *easy, char *out, size_t size)
{
    const char *url = NULL;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    url = url ? url : "";
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t n = strcspn(host, "/?#");
    n = n < size ? n : size - 1;
    memcpy(out, host, n);
    out[n] = 0;
}

/* A proxy that would not connect us: what it answered, or 0. */
static long proxy_refusal(CURL *easy)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status >= 300 ? status : 0;
}

static enum http_failure proxy_failure(CURL *easy, const char *host, long status, struct err *err)
{
    const char *ip = NULL;
    long port = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    err_set(err, ERR_UNAVAILABLE, "%s: the proxy at %s port %ld answers %ld", host, ip && *ip ? ip : "?",
            port, status);
    if (status == 407)
        err_hint(err, "; give its user name and password in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT");
    else
        err_hint(err, "; check HTTPS_PROXY, or name the host in NO_PROXY if it can be reached without");
    return status >= 500 ? HTTP_NOT_CONNECTED : HTTP_IMPOSSIBLE;
}

enum http_failure http_failure_of(const struct http_req *req, struct err *err)
{
    char host[300];
    const char *reason = req->reason[0] ? req->reason : curl_easy_strerror(req->result);
    if (req->result == CURLE_OK)
        return HTTP_ANSWERED;
    host_of(req->easy, host, sizeof(host));
    enum http_failure kind = kind_of(req->result);
    if (req->out_of_memory || req->result == CURLE_OUT_OF_MEMORY) {
        err_set(err, ERR_NOMEM, "%s: out of memory", host);
        return HTTP_IMPOSSIBLE;
    }
    if (req->too_big) {
        err_set(err, ERR_LIMIT, "%s: the answer is larger than %u MiB", host, HTTP_BODY_MAX >> 20);
        return HTTP_IMPOSSIBLE;
    }
    long refusal = proxy_refusal(req->easy);
    if (refusal)
        return proxy_failure(req->easy, host, refusal, err);
    err_set(err, kind == HTTP_TIMED_OUT ? ERR_TIMEOUT : ERR_UNAVAILABLE, "%s: %s", host, reason);
    if (req->result == CURLE_SSL_CACERT_BADFILE)
        err_hint(err, "; check azure: ca-file in the configuration");
    else if (kind == HTTP_NOT_TRUSTED)
        err_hint(err, "; if your network inspects TLS or this is a cloud of your own, give its certificates "
                      "as azure: ca-file");
    else if (kind == HTTP_NOT_CONNECTED)
        err_hint(err,
                 "; check the network, HTTPS_PROXY, and the endpoints under azure: in the configuration");
    return kind;
}
