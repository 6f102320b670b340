/*
 * pipe: the arithmetic of the modelled link.
 */
#include "pipe.h"

#include "base/mem.h"

#define NS_PER_S UINT64_C(1000000000)
#define SLACK (4u << 20) /* bytes that a receiver may leave lying beyond what is in flight anyway */

void link_pipe_init(struct link_pipe *p, struct link_line *line)
{
    p->line = line;
    p->bytes = 0;
    /* In flight: delay and queue at full rate. Twice that leaves room for a receiver that takes turns. */
    uint64_t flight = line->bytes_per_s / 1000 * (line->delay_ns / 1000000 + LINK_QUEUE_MS);
    p->bytes_max = (size_t)(2 * flight + SLACK);
    list_init(&p->runs);
}

void link_pipe_done(struct link_pipe *p)
{
    for (struct list *node; (node = list_pop(&p->runs));)
        mem_free(container_of(node, struct link_run, node));
    p->bytes = 0;
}

uint64_t link_pipe_open_at(const struct link_pipe *p, uint64_t now)
{
    uint64_t queue_ns = LINK_QUEUE_MS * 1000000ull;
    if (p->bytes + LINK_RUN_MAX > p->bytes_max)
        return UINT64_MAX;
    return p->line->free_ns > now + queue_ns ? p->line->free_ns - queue_ns : 0;
}

void link_pipe_put(struct link_pipe *p, struct link_run *run, uint64_t now)
{
    struct link_line *line = p->line;
    if (line->free_ns < now)
        line->free_ns = now;
    line->free_ns += run->len * NS_PER_S / line->bytes_per_s;
    run->due_ns = line->free_ns + line->delay_ns;
    p->bytes += run->len;
    list_push(&p->runs, &run->node);
}

struct link_run *link_pipe_arrived(struct link_pipe *p, uint64_t now, uint64_t *due)
{
    struct list *node = list_first(&p->runs);
    struct link_run *run = node ? container_of(node, struct link_run, node) : NULL;
    if (!run || run->due_ns <= now)
        return run;
    if (run->due_ns < *due)
        *due = run->due_ns;
    return NULL;
}

void link_pipe_took(struct link_pipe *p, struct link_run *run, size_t n)
{
    run->done += n;
    p->bytes -= n;
    if (run->done < run->len)
        return;
    list_remove(&run->node);
    mem_free(run);
}
