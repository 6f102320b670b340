/*
 * list: an intrusive doubly linked list. A node is on at most one list; membership is state.
 *
 * Thread: none of its own; guarded by whoever owns the list. Header only: every call is a few moves.
 */
#ifndef ADIT_BASE_LIST_H
#define ADIT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

/* True for an empty head and for a node that is on no list. */
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_push(struct list *head, struct list *node) /* at the end */
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_push(head->next, node);
}

/* Takes the node off its list and leaves it initialised; a node that is on none may be given. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline void list_move(struct list *head, struct list *node) /* to the end of another list */
{
    list_remove(node);
    list_push(head, node);
}

static inline struct list *list_first(const struct list *head) /* NULL when empty */
{
    return head->next == head ? NULL : head->next;
}

static inline struct list *list_pop(struct list *head) /* takes the first off; NULL when empty */
{
    struct list *n = list_first(head);
    if (n)
        list_remove(n);
    return n;
}

static inline size_t list_count(const struct list *head) /* O(n) */
{
    size_t n = 0;
    for (const struct list *p = head->next; p != head; p = p->next)
        n++;
    return n;
}

/* Appends all of `from` to `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* The current node may be removed inside the loop, no other one. */
#define list_each(var, head, type, member)                                                                   \
    for (struct list *var##_pos = (head)->next, *var##_next = var##_pos->next;                               \
         var##_pos != (head) && ((var) = container_of(var##_pos, type, member), true);                       \
         var##_pos = var##_next, var##_next = var##_pos->next)

#endif
