/* SPDX-License-Identifier: MIT
 * kallsyms: the tables of names. Tokens are found first (an index of 256 ascending numbers, and the 256 strings that it
 * points to), then the names (a count, and as many lists of tokens), then the markers, which must be exactly what the
 * names say.
 */
#define _GNU_SOURCE /* memmem */
#include "kernel/kallsyms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "kernel/pack.h"

#define TOKEN_LIMIT 512u         /* the longest token */
#define FEWEST_TOKENS 32u        /* characters that the tokens must have together: any names have that many */
#define FEWEST_SYMBOLS 256u      /* no kernel has so few; what looks like a smaller table is none */
#define NAMES_LIMIT (256u << 20) /* bytes of all names together */

/* The first position in the range whose address is a multiple of 4. */
static size_t first_aligned(const struct kallsyms *k) { return (size_t)(-k->range->address & 3); }

/* The strings begin at `table`: each ends where the index says that the next one begins. */
static bool strings_at(struct kallsyms *k, size_t table, const u8 *index, size_t end)
{
    for (unsigned i = 1; i < 256; i++) {
        size_t at = table + load_le16(index + 2 * i);

        if (at > end || k->bytes[at - 1] != 0)
            return false;
    }
    for (unsigned i = 0; i < 256; i++) {
        const char *text = (const char *)k->bytes + table + load_le16(index + 2 * i);
        const u8 *zero = memchr(text, 0, (size_t)(k->bytes + end - (const u8 *)text));

        if (zero == NULL || (i < 255 && zero + 1 != k->bytes + table + load_le16(index + 2 * i + 2)))
            return false;
        for (const char *c = text; *c != '\0'; c++) {
            if (*c <= ' ' || *c > '~')
                return false;
        }
        k->token[i] = text;
    }
    k->token_table = table;
    return true;
}

/* An index of strings of which some are not empty. */
static bool index_at(const u8 *index)
{
    unsigned last = 0;

    if (load_le16(index) != 0)
        return false;
    for (unsigned i = 1; i < 256; i++) {
        unsigned next = load_le16(index + 2 * i);

        if (next <= last || next - last > TOKEN_LIMIT + 1)
            return false;
        last = next;
    }
    return last >= 256 + FEWEST_TOKENS;
}

/* Every version so far has the strings just before their index; look there first, then everywhere. */
static bool find_strings(struct kallsyms *k, size_t index)
{
    const u8 *numbers = k->bytes + index;
    size_t least = load_le16(numbers + 2 * 255) + 1;

    for (size_t back = least; back <= least + TOKEN_LIMIT + 8 && back <= index; back++) {
        if (strings_at(k, index - back, numbers, index))
            return true;
    }
    for (size_t at = first_aligned(k); at + least < k->size && k->work < KALLSYMS_WORK_LIMIT; at += 4, k->work++) {
        if (strings_at(k, at, numbers, k->size))
            return true;
    }
    return false;
}

/* The next table of tokens from position *at on. */
static bool find_tokens(struct kallsyms *k, size_t *at)
{
    for (; *at + 512 <= k->size && k->work < KALLSYMS_WORK_LIMIT; *at += 4) {
        if (index_at(k->bytes + *at) && find_strings(k, *at)) {
            k->token_index = *at;
            return true;
        }
    }
    return false;
}

/* The number of tokens of a name, and where they begin. Since 6.1 a number from 128 on takes two bytes, the low seven
 * bits first; before, none was so large. returns: false when it is none or the tokens do not fit into the range */
static bool name_tokens(const struct kallsyms *k, size_t *at, size_t *tokens)
{
    if (*at >= k->size)
        return false;
    *tokens = k->bytes[(*at)++];
    if (*tokens & 0x80) {
        if (*at >= k->size || k->bytes[*at] & 0x80)
            return false;
        *tokens = (*tokens & 0x7f) | (size_t)k->bytes[(*at)++] << 7;
    }
    return *tokens != 0 && *tokens <= k->size - *at;
}

static bool is_type(char c) { return c != '\0' && strchr("AaBbCcDdGgIiNnPpRrSsTtUuVvWw?-", c) != NULL; }

size_t kallsyms_name(const struct kallsyms *k, size_t at, char text[KALLSYMS_NAME_LIMIT], size_t *length)
{
    size_t tokens, made = 0;

    if (!name_tokens(k, &at, &tokens))
        return 0;
    for (; tokens != 0; tokens--) {
        const char *token = k->token[k->bytes[at++]];

        while (*token != '\0' && made < KALLSYMS_NAME_LIMIT - 1)
            text[made++] = *token++;
        if (*token != '\0')
            return 0;
    }
    text[made] = '\0';
    *length = made;
    return made >= 2 && is_type(text[0]) ? at : 0;
}

/* Walk the names from `at`. returns: the position behind the last of `count`; 0 when they are no names */
static size_t walk_names(struct kallsyms *k, size_t at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t tokens;

        k->work++;
        if (!name_tokens(k, &at, &tokens) || !is_type(k->token[k->bytes[at]][0]))
            return 0;
        at += tokens;
    }
    return at;
}

/* The markers (where every 256th name begins, counted from the first) as 32-bit numbers, 64-bit ones before 4.20:
 * written down from the names, then searched for. returns: false when they stand nowhere */
static bool find_markers(struct kallsyms *k, size_t names)
{
    size_t count = (k->count + 255) / 256, at = names, tokens = 0;
    u8 *wanted = kernel_alloc(count * 8);
    const u8 *found = NULL;

    for (unsigned width = 4; width <= 8 && found == NULL; width += 4) {
        at = names;
        for (size_t i = 0; i < k->count; i++) {
            if (i % 256 == 0 && width == 4)
                store_le32(wanted + i / 256 * 4, (u32)(at - names));
            else if (i % 256 == 0)
                store_le64(wanted + i / 256 * 8, at - names);
            name_tokens(k, &at, &tokens);
            at += tokens;
        }
        found = memmem(k->bytes, k->size, wanted, count * width);
    }
    free(wanted);
    if (found == NULL)
        return false;
    k->markers = (size_t)(found - k->bytes);
    k->names = names;
    k->names_end = at;
    return true;
}

/* The number of symbols stands before the names, on its own or in a word of 64 bits. */
static bool find_names(struct kallsyms *k)
{
    for (size_t at = first_aligned(k) + 4; at < k->size && k->work < KALLSYMS_WORK_LIMIT; at += 4) {
        for (size_t back = 4; back <= 8 && back <= at; back += 4) {
            size_t count = load_le32(k->bytes + at - back);

            /* A name takes two bytes at least. */
            if (count < FEWEST_SYMBOLS || count > (k->size - at) / 2 || walk_names(k, at, count) == 0)
                continue;
            k->count = count;
            if (find_markers(k, at))
                return true;
            k->work += k->size / 8;
        }
    }
    return false;
}

static void add_symbols(const struct kallsyms *k, struct symbols *symbols)
{
    char text[KALLSYMS_NAME_LIMIT];
    size_t at = k->names, length;

    for (size_t i = 0; i < k->count; i++) {
        at = kallsyms_name(k, at, text, &length);
        symbols_add(symbols, k->address[i], text[0], text + 1, length - 1);
    }
}

/* All names are texts: checked before an address is looked for. */
static bool check_names(const struct kallsyms *k)
{
    char text[KALLSYMS_NAME_LIMIT];
    size_t at = k->names, length, total = 0;

    for (size_t i = 0; i < k->count; i++) {
        at = kallsyms_name(k, at, text, &length);
        if (at == 0 || (total += length) > NAMES_LIMIT)
            return false;
    }
    return true;
}

/* How far the search of a range came. */
enum progress { NO_TOKENS, NO_NAMES, NO_ADDRESSES, FOUND };

static enum progress search_range(struct kallsyms *k, struct symbols *symbols)
{
    enum progress best = NO_TOKENS;

    for (size_t at = first_aligned(k); best < NO_ADDRESSES && find_tokens(k, &at); at += 4)
        best = find_names(k) && check_names(k) ? NO_ADDRESSES : NO_NAMES;
    if (best != NO_ADDRESSES || !kallsyms_find_addresses(k))
        return best;
    add_symbols(k, symbols);
    free(k->address);
    return FOUND;
}

static size_t file_offset(const struct kallsyms *k, size_t position) { return k->range->offset + position; }

bool kallsyms_find(const struct kernel_image *image, struct symbols *symbols, char *how, size_t how_size)
{
    static const char *const missing[] = {
        [NO_TOKENS] = "kallsyms: none in the image (no table of tokens)",
        [NO_NAMES] = "kallsyms: tokens, but no names that agree with their count and markers",
        [NO_ADDRESSES] = "kallsyms: names, but no addresses that fit them",
    };
    const struct kernel_range *range;
    enum progress best = NO_TOKENS;
    u64 work = 0;

    for (size_t i = 0; (range = kernel_image_data(image, i)) != NULL; i++) {
        struct kallsyms k = {
            .image = image, .range = range, .bytes = image->bytes + range->offset, .size = range->size, .work = work};
        enum progress came = search_range(&k, symbols);

        if (came == FOUND) {
            snprintf(how, how_size,
                     "kallsyms: %zu symbols, %s at 0x%zx, names at 0x%zx, markers at 0x%zx, tokens at 0x%zx of the ELF",
                     k.count, k.form, file_offset(&k, k.addresses), file_offset(&k, k.names),
                     file_offset(&k, k.markers), file_offset(&k, k.token_table));
            return true;
        }
        work = k.work;
        if (came > best)
            best = came;
    }
    snprintf(how, how_size, "%s", missing[best]);
    return false;
}
