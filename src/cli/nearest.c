/* SPDX-License-Identifier: MIT
 * The known word nearest to a mistyped one.
 */
#include <string.h>

#include "cli/cli.h"

#define LONGEST 32

/* Levenshtein distance; words longer than LONGEST count as far away. */
static unsigned distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    unsigned row[LONGEST + 1];

    if (la > LONGEST || lb > LONGEST)
        return LONGEST;
    for (unsigned j = 0; j <= lb; j++)
        row[j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned substitute = diagonal + (a[i - 1] != b[j - 1]);
            unsigned best = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = substitute < best ? substitute : best;
        }
    }
    return row[lb];
}

const char *cli_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    unsigned best_distance = 4;

    for (; *words != NULL; words++) {
        unsigned d = distance(word, *words);

        if (d < best_distance) {
            best_distance = d;
            best = *words;
        }
    }
    return best;
}
