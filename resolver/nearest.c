/*
 * nearest: the distance between names (insertions, deletions, replacements, swaps of neighbours; case does
 * not count), and the few best.
 */
#include "nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 64u
#define FAR 100u

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(const char *a, const char *b)
{
    unsigned d[3][WORD_MAX + 1]; /* the row before the last one, the last one, this one */
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return strcasecmp(a, b) == 0 ? 0 : FAR;
    for (size_t j = 0; j <= m; j++)
        d[1][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        int c = tolower((unsigned char)a[i - 1]);
        d[2][0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            int e = tolower((unsigned char)b[j - 1]);
            d[2][j] = min2(min2(d[1][j], d[2][j - 1]) + 1, d[1][j - 1] + (c != e));
            if (i > 1 && j > 1 && c == tolower((unsigned char)b[j - 2]) &&
                e == tolower((unsigned char)a[i - 2]))
                d[2][j] = min2(d[2][j], d[0][j - 2] + 1);
        }
        memcpy(d[0], d[1], sizeof(d[0]));
        memcpy(d[1], d[2], sizeof(d[1]));
    }
    return d[1][m];
}

/* How many letters may be wrong in a name of this length. */
static unsigned allowed(const char *name)
{
    return min2(1 + (unsigned)(strlen(name) / 5), 3);
}

void nearest_init(struct nearest *n, const char *group, const char *name)
{
    memset(n, 0, sizeof(*n));
    n->group = group;
    n->name = name;
}

static bool has(const struct nearest *n, const struct arm_vm_id *vm)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcasecmp(n->best[i].name, vm->name) == 0 && strcasecmp(n->best[i].group, vm->group) == 0 &&
            strcasecmp(n->best[i].subscription, vm->subscription) == 0)
            return true;
    return false;
}

void nearest_offer(struct nearest *n, const struct arm_vm_id *vm)
{
    unsigned d = distance(n->name, vm->name);
    size_t i;
    if (d > allowed(n->name) || vm->instance[0] || has(n, vm))
        return;
    if (n->group[0] && strcasecmp(n->group, vm->group) != 0) /* the right name elsewhere is near, too */
        d += distance(n->group, vm->group) > allowed(n->group) ? 2 : 1;
    for (i = n->count < NEAREST_MAX ? n->count++ : NEAREST_MAX; i > 0 && n->distance[i - 1] > d; i--) {
        if (i == NEAREST_MAX)
            continue;
        n->best[i] = n->best[i - 1];
        n->distance[i] = n->distance[i - 1];
    }
    if (i == NEAREST_MAX)
        return;
    n->best[i] = *vm;
    n->distance[i] = d;
}

void nearest_hint(const struct nearest *n, struct err *err)
{
    for (size_t i = 0; i < n->count; i++)
        err_hint(err, "%s%s/%s%s",
                 i == 0             ? "; did you mean "
                 : i + 1 < n->count ? ", "
                                    : " or ",
                 n->best[i].group, n->best[i].name, i + 1 == n->count ? "?" : "");
}
