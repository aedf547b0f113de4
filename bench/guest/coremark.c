/* SPDX-License-Identifier: MIT
 * Ordinary integer work in the proportions of an embedded benchmark: a linked list searched, sorted and reversed, a
 * matrix product, a state machine over text, and CRCs over all results. An operation is one pass over the four.
 */
#include "workload.h"

/* CRC-16 with the reversed polynomial A001h, bit by bit: branches that depend on data. */
static unsigned crc16(unsigned crc, unsigned value)
{
    for (int bit = 0; bit < 16; bit++, value >>= 1) {
        unsigned odd = (crc ^ value) & 1;

        crc >>= 1;
        if (odd)
            crc ^= 0xA001;
    }
    return crc;
}

enum { NODES = 200 };

struct node {
    struct node *next;
    int key, order;
};

static struct node nodes[NODES];

static struct node *list_build(unsigned seed)
{
    for (int i = 0; i < NODES; i++) {
        seed = seed * 1103515245u + 12345u;
        nodes[i] =
            (struct node){.next = i + 1 < NODES ? &nodes[i + 1] : 0, .key = (int)(seed >> 16 & 0x3FF), .order = i};
    }
    return nodes;
}

static struct node *list_find(struct node *list, int key)
{
    while (list && list->key != key)
        list = list->next;
    return list;
}

static struct node *list_reverse(struct node *list)
{
    struct node *done = 0;

    while (list) {
        struct node *next = list->next;

        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static int by_key(const struct node *a, const struct node *b) { return a->key - b->key; }
static int by_order(const struct node *a, const struct node *b) { return a->order - b->order; }

/* Merge sort without recursion: runs of 1, 2, 4 ... nodes are merged until one run is left. The comparison goes through
 * a pointer, as in a library's sort. */
static struct node *list_sort(struct node *list, int (*compare)(const struct node *, const struct node *))
{
    for (int run = 1;; run *= 2) {
        struct node *head = 0, **end = &head, *left = list;
        int merges = 0;

        while (left) {
            struct node *right = left;
            int lefts = 0, rights = run;

            for (; lefts < run && right; lefts++)
                right = right->next;
            merges++;
            while (lefts > 0 || (rights > 0 && right)) {
                struct node **from = &left;

                if (lefts == 0 || (rights > 0 && right && compare(right, left) < 0))
                    from = &right;
                *(from == &left ? &lefts : &rights) -= 1;
                *end = *from;
                end = &(*end)->next;
                *from = (*from)->next;
            }
            left = right;
        }
        *end = 0;
        list = head;
        if (merges <= 1)
            return list;
    }
}

static unsigned list_pass(unsigned seed, unsigned crc)
{
    struct node *list = list_build(seed);

    for (int key = 0; key < 20; key++) {
        struct node *found = list_find(list, key * 50);

        crc = crc16(crc, found ? (unsigned)found->order : 0xFFFF);
        list = list_reverse(list);
    }
    list = list_sort(list, by_key);
    for (const struct node *n = list; n; n = n->next)
        crc = crc16(crc, (unsigned)n->key);
    list = list_sort(list, by_order);
    return crc16(crc, (unsigned)list->key);
}

enum { SIZE = 20 };

static short left[SIZE][SIZE], right[SIZE][SIZE];
static int product[SIZE][SIZE];

static unsigned matrix_pass(unsigned seed, unsigned crc)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            left[i][j] = (short)(seed + (unsigned)(i * j));
            right[i][j] = (short)(seed * 3 + (unsigned)(i - j));
        }
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            int sum = 0;

            for (int k = 0; k < SIZE; k++)
                sum += left[i][k] * right[k][j];
            product[i][j] = sum;
        }
    for (int i = 0; i < SIZE; i++)
        crc = crc16(crc, (unsigned)product[i][i]);
    return crc;
}

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, INVALID, STATES };

static enum state step(enum state s, char c)
{
    int digit = c >= '0' && c <= '9';

    switch (s) {
    case START:
        if (c == '+' || c == '-')
            return SIGN;
        return digit ? INTEGER : c == '.' ? POINT : INVALID;
    case SIGN: return digit ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER:
        if (c == '.')
            return FRACTION;
        return digit ? INTEGER : c == 'e' ? EXPONENT : INVALID;
    case POINT: return digit ? FRACTION : INVALID;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit ? EXPONENT : INVALID;
    default: return INVALID;
    }
}

static unsigned text_pass(unsigned seed, unsigned crc)
{
    static const char text[] =
        "5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e3,-.123e2,-87e832,T0.3e-1F,"
        "-T.T++Tq,1T3.4e4z,34.0e-T^,5012,-874,0.1e9,x,17";
    unsigned seen[STATES] = {0};
    enum state s = START;

    for (int pass = 0; pass < 16; pass++)
        for (const char *p = text; *p != '\0'; p++) {
            if (*p == ',') {
                seen[s]++;
                s = START;
            } else {
                s = step(s, (char)(*p ^ (seed % 97 == 0)));
            }
        }
    for (int i = 0; i < STATES; i++)
        crc = crc16(crc, seen[i]);
    return crc;
}

word work_coremark(word count)
{
    unsigned crc = 0xFFFF;

    for (word i = 0; i < count; i++) {
        crc = list_pass((unsigned)i, crc);
        crc = matrix_pass((unsigned)i, crc);
        crc = text_pass((unsigned)i, crc);
    }
    return crc;
}
