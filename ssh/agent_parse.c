/*
 * agent_parse: reads what an agent answers.
 */
#include <string.h>

#include "agent.h"
#include "base/mem.h"
#include "base/wire.h"
#include "text.h"

enum { AGENT_FAILURE = 5, AGENT_IDENTITIES_ANSWER = 12, AGENT_SIGN_RESPONSE = 14 };

void ssh_agent_keys_done(struct ssh_agent_keys *k)
{
    for (size_t i = 0; i < k->count; i++)
        mem_free(k->keys[i].blob);
    mem_free(k->keys);
    k->keys = NULL;
    k->count = 0;
}

int ssh_agent_parse_list(struct ssh_agent_keys *out, const uint8_t *reply, size_t n, struct err *err)
{
    struct wire_reader r;
    out->keys = NULL;
    out->count = 0;
    wire_read_init(&r, reply, n);
    uint8_t type = wire_get_u8(&r);
    if (wire_ok(&r) && type == AGENT_FAILURE)
        return err_set(err, ERR_AUTH, "the agent does not tell its keys (is it locked?)");
    uint32_t count = wire_get_u32(&r);
    if (!wire_ok(&r) || type != AGENT_IDENTITIES_ANSWER || count > n / 8)
        return err_set(err, ERR_PROTOCOL, "the agent's answer makes no sense");
    if (count > SSH_AGENT_KEYS_MAX)
        return err_set(err, ERR_LIMIT, "the agent holds more than %d keys", SSH_AGENT_KEYS_MAX);
    if (count == 0)
        return 0;
    out->keys = mem_calloc(count, sizeof *out->keys);
    if (!out->keys)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        struct ssh_agent_key *k = &out->keys[out->count];
        struct wire_str blob = wire_get_str(&r), comment = wire_get_str(&r);
        if (!wire_ok(&r)) {
            ssh_agent_keys_done(out);
            return err_set(err, ERR_PROTOCOL, "the agent's answer ends too early");
        }
        k->blob = mem_alloc(blob.len ? blob.len : 1);
        if (!k->blob) {
            ssh_agent_keys_done(out);
            return err_set(err, ERR_NOMEM, "out of memory");
        }
        if (blob.len)
            memcpy(k->blob, blob.data, blob.len);
        k->blob_len = blob.len;
        ssh_text_clean(k->comment, sizeof k->comment, comment.data, comment.len);
        out->count++;
    }
    return 0;
}

int ssh_agent_parse_sign(const uint8_t **sig, size_t *sig_len, const uint8_t *reply, size_t n,
                         struct err *err)
{
    struct wire_reader r;
    wire_read_init(&r, reply, n);
    uint8_t type = wire_get_u8(&r);
    if (wire_ok(&r) && type == AGENT_FAILURE)
        return err_set(err, ERR_AUTH, "the agent refused to sign");
    struct wire_str s = wire_get_str(&r);
    if (!wire_ok(&r) || type != AGENT_SIGN_RESPONSE || s.len == 0)
        return err_set(err, ERR_PROTOCOL, "the agent's answer makes no sense");
    *sig = s.data;
    *sig_len = s.len;
    return 0;
}
