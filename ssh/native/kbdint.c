/*
 * kbdint: keyboard-interactive: the server's questions go up, a person's answers down (RFC 4256).
 *
 * One round of questions at a time is with a person; the server has to wait for its answers (§3.2).
 */
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "native.h"

int native_auth_kbdint(struct ssh_engine *e, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_writer w;
    wire_write_init(&w);
    auth_begin(n, &w, "keyboard-interactive");
    wire_put_cstr(&w, ""); /* language */
    wire_put_cstr(&w, ""); /* submethods */
    return auth_ask(n, &w, AUTH_KBDINT, err);
}

int native_auth_answers(struct ssh_engine *e, const char *const *answers, unsigned count, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_writer w;
    if (n->login.state != AUTH_ANSWERING)
        return 0;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_USERAUTH_INFO_RESPONSE);
    wire_put_u32(&w, n->login.questions);
    for (unsigned i = 0; i < n->login.questions; i++)
        wire_put_cstr(&w, answers && i < count ? answers[i] : "");
    return auth_ask(n, &w, AUTH_KBDINT, err);
}

/* RFC 4256 §3.2 */
int kbdint_questions(struct native *n, struct wire_reader *r, struct err *err)
{
    struct ssh_prompt prompts[SSH_PROMPTS_MAX];
    char texts[SSH_PROMPTS_MAX][256], title[512], part[256];
    struct wire_str name = wire_get_str(r), text = wire_get_str(r);
    (void)wire_get_str(r);
    uint32_t count = wire_get_u32(r);
    if (!wire_ok(r) || count > SSH_PROMPTS_MAX)
        return native_wrong("malformed questions, or too many", err);
    ssh_text_clean(title, sizeof part, name.data, name.len);
    ssh_text_clean(part, sizeof part, text.data, text.len);
    if (*part)
        snprintf(title + strlen(title), sizeof title - strlen(title), "%s%s", *title ? ": " : "", part);
    for (uint32_t i = 0; i < count; i++) {
        struct wire_str prompt = wire_get_str(r);
        prompts[i].echo = wire_get_bool(r);
        if (wire_ok(r))
            prompts[i].text = ssh_text_clean(texts[i], sizeof texts[i], prompt.data, prompt.len);
    }
    if (!wire_end(r))
        return native_wrong("malformed questions", err);
    n->login.questions = count;
    n->login.state = AUTH_ANSWERING;
    if (count == 0)
        return native_auth_answers(&n->base, NULL, 0, err);
    n->base.up->auth_prompts(n->base.conn, title, prompts, count);
    return 0;
}
