/*
 * suggest: picks the nearest word by the number of letters to insert, drop, change or swap.
 */
#include "suggest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 31 /* longer words get no suggestion */

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static int same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: the edit distance in which a swap of neighbours counts as one. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t row[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= na; i++) {
        for (size_t j = 0; j <= nb; j++) {
            if (i == 0 || j == 0) {
                row[i][j] = i + j;
                continue;
            }
            size_t change = row[i - 1][j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
            row[i][j] = min3(row[i - 1][j] + 1, row[i][j - 1] + 1, change);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
                row[i - 2][j - 2] + 1 < row[i][j])
                row[i][j] = row[i - 2][j - 2] + 1;
        }
    }
    return row[na][nb];
}

void suggest_init(struct suggest *s, const char *word)
{
    size_t len = strlen(word);
    *s = (struct suggest){.word = word};
    s->distance =
        len > WORD_MAX ? 0 : 1 + (len < 3 ? len / 2 : 1 + len / 6); /* first distance that is too far */
}

void suggest_offer(struct suggest *s, const char *candidate)
{
    size_t na = strlen(s->word), nb = strlen(candidate);
    if (na > WORD_MAX || nb > WORD_MAX)
        return;
    size_t d = distance(s->word, na, candidate, nb);
    if (d < s->distance) {
        s->distance = d;
        s->best = candidate;
    }
}
