/*
 * mailbox: what crossing from one loop to another costs, 16 messages at a time.
 */
#include "base/mailbox.h"

#include "base/mem.h"
#include "micro.h"

#define BATCH 16

struct letter {
    struct mail mail;
    uint64_t value;
};

struct mailbox_work {
    uv_loop_t loop;
    struct mailbox *box;
    uint64_t sent, received, sum;
};

static void letter_free(struct mail *mail)
{
    mem_free(container_of(mail, struct letter, mail));
}

static void on_letter(void *arg, struct mail *mail)
{
    struct mailbox_work *w = arg;
    w->sum += container_of(mail, struct letter, mail)->value;
    w->received++;
    letter_free(mail);
}

static void done(void *ctx)
{
    struct mailbox_work *w = ctx;
    if (w->box)
        mailbox_close(w->box, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
    mem_free(w);
}

static int setup(void **ctx, struct err *err)
{
    struct mailbox_work *w = mem_zalloc(sizeof *w);
    if (!w || uv_loop_init(&w->loop) != 0) {
        mem_free(w);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (mailbox_new(&w->box, &w->loop, on_letter, w) < 0) {
        done(w);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *ctx = w;
    return 0;
}

static int post(struct mailbox_work *w)
{
    struct letter *letter = mem_alloc(sizeof *letter);
    if (!letter)
        return -1;
    letter->mail.free = letter_free;
    letter->value = ++w->sent;
    if (mailbox_post(w->box, &letter->mail) == 0)
        return 0;
    mem_free(letter);
    return -1;
}

static int run(void *ctx, uint32_t ops)
{
    struct mailbox_work *w = ctx;
    while (ops--) {
        for (int i = 0; i < BATCH; i++)
            if (post(w) < 0)
                return -1;
        while (w->received < w->sent)
            uv_run(&w->loop, UV_RUN_ONCE);
    }
    return w->sum == w->sent * (w->sent + 1) / 2 ? 0 : -1;
}

const struct micro micro_mailbox = {
    .name = "mailbox",
    .what = "16 messages posted and received",
    .guard_ops = 500,
    .setup = setup,
    .run = run,
    .done = done,
};
