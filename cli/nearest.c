/*
 * nearest: which of some words a mistyped one was meant to be.
 */
#include "nearest.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX 32

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Insertions, deletions, replacements and swaps of neighbours between two words of at most WORD_MAX letters.
 */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
    unsigned d[WORD_MAX + 1][WORD_MAX + 1];

    for (size_t i = 0; i <= n; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            unsigned change = a[i - 1] != b[j - 1];
            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    }
    return d[n][m];
}

const char *nearest_word(const char *typed, const char *const *words)
{
    const char *best = NULL;
    size_t n = strlen(typed);
    unsigned best_distance = 0;

    for (; *words && n <= WORD_MAX; words++) {
        size_t m = strlen(*words);
        if (m > WORD_MAX)
            continue;
        unsigned allowed = m <= 3 ? 1 : 2;
        unsigned d = n >= 2 && strncmp(typed, *words, n) == 0 ? 1 : distance(typed, n, *words, m);
        if (d <= allowed && (!best || d < best_distance)) {
            best = *words;
            best_distance = d;
        }
    }
    return best;
}
