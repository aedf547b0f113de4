/* SPDX-License-Identifier: MIT
 * A table of symbols in address order.
 */
#include "kernel/symbols.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bits.h"
#include "base/text.h"
#include "kernel/pack.h"

struct entry {
    u64 address;
    u32 name; /* offset in the pool of names; rises in the order in which symbols were added */
    char type;
};

struct symbols {
    struct entry *entry;
    size_t count, room;
    char *names;
    size_t names_size, names_room;
    u64 *end; /* ends of sections, ascending */
    size_t ends, ends_room;
    u64 *place;     /* the addresses of symbols that are places, ascending, each once */
    u32 *preferred; /* the entry that is named at each */
    size_t places;
    u32 *slot;    /* hash table over the names: entry + 1, or 0 */
    size_t slots; /* a power of two */
    u64 seed;     /* of the hash: names must not be made to meet in it; nothing but speed depends on it */
    bool sorted;
};

struct symbols *symbols_new(void) { return kernel_alloc(sizeof(struct symbols)); }

void symbols_free(struct symbols *s)
{
    if (s == NULL)
        return;
    free(s->entry);
    free(s->names);
    free(s->end);
    free(s->place);
    free(s->preferred);
    free(s->slot);
    free(s);
}

void symbols_add(struct symbols *s, u64 address, char type, const char *name, size_t length)
{
    struct entry *e;

    if (s->names_size + length + 1 > UINT32_MAX || s->count == UINT32_MAX - 1) {
        fprintf(stderr, "ringside: more than 4 GiB of symbol names\n");
        abort();
    }
    s->entry = kernel_grow(s->entry, &s->room, s->count + 1, sizeof *s->entry);
    s->names = kernel_grow(s->names, &s->names_room, s->names_size + length + 1, 1);
    e = &s->entry[s->count++];
    *e = (struct entry){.address = address, .name = (u32)s->names_size, .type = type};
    memcpy(s->names + s->names_size, name, length);
    s->names[s->names_size + length] = '\0';
    text_make_plain(s->names + s->names_size);
    s->names_size += length + 1;
    s->sorted = false;
}

void symbols_add_end(struct symbols *s, u64 address)
{
    s->end = kernel_grow(s->end, &s->ends_room, s->ends + 1, sizeof *s->end);
    s->end[s->ends++] = address;
    s->sorted = false;
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return (a->name > b->name) - (a->name < b->name);
}

static int compare_u64(const void *left, const void *right)
{
    const u64 *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static bool is_place(const struct entry *e) { return e->type != 'a' && e->type != 'A'; }

static bool is_global(char type) { return type >= 'A' && type <= 'Z'; }

static bool ends_with(const char *name, size_t length, const char *suffix)
{
    size_t n = strlen(suffix);

    return length > n && strcmp(name + length - n, suffix) == 0;
}

/* Names that a linker script puts at the edges of sections, by the habits of Linux's. */
static bool is_marker(const char *name)
{
    static const char *const whole[] = {"_text", "_stext", "_etext", "_sinittext", "_einittext", "_sdata", "_edata"};
    size_t length = strlen(name);

    if (name[0] != '_')
        return ends_with(name, length, "_text_start") || ends_with(name, length, "_text_end");
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        if (strcmp(name, whole[i]) == 0)
            return true;
    }
    return strncmp(name, "__begin_", 8) == 0 || strncmp(name, "__end_", 6) == 0 || strncmp(name, "__start_", 8) == 0 ||
           strncmp(name, "__stop_", 7) == 0 || ends_with(name, length, "_start") || ends_with(name, length, "_end") ||
           ends_with(name, length, "_begin");
}

/* Marks where code ends, by the habits of Linux's linker script: alone at its address it names nothing. */
static bool is_end_of_code(const char *name)
{
    return strcmp(name, "_etext") == 0 || strcmp(name, "_einittext") == 0 || ends_with(name, strlen(name), "text_end");
}

/* Which of several names at one address says most about it: the higher. */
static int name_rank(const struct symbols *s, const struct entry *e)
{
    const char *name = s->names + e->name;
    int rank = 0;

    if (is_marker(name))
        rank -= 100;
    if (strchr("tTwW", e->type) != NULL && e->type != '\0')
        rank += 50;
    if (is_global(e->type))
        rank += 10;
    /* The kernel's 64-bit entry stands for its 32-bit alias where a call has one body. */
    if (strncmp(name, "__ia32_", 7) == 0)
        rank -= 5;
    for (unsigned i = 0; i < 4 && name[i] == '_'; i++)
        rank--;
    return rank;
}

/* The best named among entries first to last (without it), which have one address; SIZE_MAX when none is a place. */
static size_t best_named(const struct symbols *s, size_t first, size_t last)
{
    size_t best = SIZE_MAX;
    int best_rank = 0;

    if (last == first + 1) /* as most are: no choice */
        return is_place(&s->entry[first]) ? first : SIZE_MAX;
    for (size_t i = first; i < last; i++) {
        int rank;

        if (!is_place(&s->entry[i]))
            continue;
        rank = name_rank(s, &s->entry[i]);
        if (best == SIZE_MAX || rank > best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

static void index_places(struct symbols *s)
{
    free(s->place);
    free(s->preferred);
    s->place = kernel_alloc(s->count * sizeof *s->place);
    s->preferred = kernel_alloc(s->count * sizeof *s->preferred);
    s->places = 0;
    for (size_t first = 0, last; first < s->count; first = last) {
        u64 address = s->entry[first].address;
        size_t best;

        for (last = first + 1; last < s->count && s->entry[last].address == address;)
            last++;
        best = best_named(s, first, last);
        if (best == SIZE_MAX)
            continue;
        if (is_end_of_code(s->names + s->entry[best].name)) {
            symbols_add_end(s, address);
            continue;
        }
        s->place[s->places] = address;
        s->preferred[s->places++] = (u32)best;
    }
}

static u64 hash_name(const struct symbols *s, const char *name)
{
    u64 hash = 0xcbf29ce484222325ull ^ s->seed; /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (u8)*name) * 0x100000001b3ull;
    return hash ^ hash >> 32;
}

static void index_names(struct symbols *s)
{
    if (getrandom(&s->seed, sizeof s->seed, GRND_NONBLOCK) != sizeof s->seed)
        s->seed = 0;
    free(s->slot);
    for (s->slots = 16; s->slots < s->count * 2; s->slots *= 2)
        ;
    s->slot = kernel_alloc(s->slots * sizeof *s->slot);
    for (size_t i = 0; i < s->count; i++) {
        const char *name = s->names + s->entry[i].name;
        size_t at = hash_name(s, name) & (s->slots - 1);

        while (s->slot[at] != 0 && strcmp(s->names + s->entry[s->slot[at] - 1].name, name) != 0)
            at = (at + 1) & (s->slots - 1);
        if (s->slot[at] == 0 || (is_global(s->entry[i].type) && !is_global(s->entry[s->slot[at] - 1].type)))
            s->slot[at] = (u32)i + 1;
    }
}

/* In ascending order, each once: sorting again finds the same ends of code again. */
static void sort_ends(struct symbols *s)
{
    size_t kept = 0;

    if (s->ends > 1)
        qsort(s->end, s->ends, sizeof *s->end, compare_u64);
    for (size_t i = 0; i < s->ends; i++) {
        if (kept == 0 || s->end[kept - 1] != s->end[i])
            s->end[kept++] = s->end[i];
    }
    s->ends = kept;
}

void symbols_sort(struct symbols *s)
{
    bool ordered = true;

    for (size_t i = 1; i < s->count && ordered; i++)
        ordered = compare_entries(&s->entry[i - 1], &s->entry[i]) < 0;
    if (!ordered)
        qsort(s->entry, s->count, sizeof *s->entry, compare_entries);
    index_places(s);
    sort_ends(s);
    index_names(s);
    s->sorted = true;
}

size_t symbols_count(const struct symbols *s) { return s->count; }

struct symbol symbols_at(const struct symbols *s, size_t i)
{
    assert(s->sorted && i < s->count);
    return (struct symbol){
        .address = s->entry[i].address, .name = s->names + s->entry[i].name, .type = s->entry[i].type};
}

/* How many of the ascending numbers are at most value. */
static size_t count_up_to(const u64 *number, size_t count, u64 value)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (number[middle] <= value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The address after the last byte of place number i; 0 stands for 2^64. */
static u64 place_end(const struct symbols *s, size_t i)
{
    u64 address = s->place[i];
    size_t end = count_up_to(s->end, s->ends, address);
    bool followed = i + 1 < s->places;

    if (end < s->ends && (!followed || s->end[end] < s->place[i + 1]))
        return s->end[end];
    return followed ? s->place[i + 1] : (address & PAGE_MASK) + PAGE_SIZE;
}

bool symbols_lookup(const struct symbols *s, u64 address, struct symbol *found, u64 *offset)
{
    size_t i = count_up_to(s->place, s->places, address);

    assert(s->sorted || s->count == 0);
    if (i == 0 || address > place_end(s, i - 1) - 1)
        return false;
    *found = symbols_at(s, s->preferred[i - 1]);
    *offset = address - found->address;
    return true;
}

u64 symbols_end(const struct symbols *s, u64 address)
{
    size_t i = count_up_to(s->place, s->places, address);

    return i == 0 ? address : place_end(s, i - 1);
}

bool symbols_find(const struct symbols *s, const char *name, u64 *address)
{
    size_t at;

    assert(s->sorted || s->count == 0);
    if (s->slots == 0)
        return false;
    at = hash_name(s, name) & (s->slots - 1);
    for (; s->slot[at] != 0; at = (at + 1) & (s->slots - 1)) {
        const struct entry *e = &s->entry[s->slot[at] - 1];

        if (strcmp(s->names + e->name, name) == 0) {
            *address = e->address;
            return true;
        }
    }
    return false;
}

/* Packed: a word that tells the format, the ends, the addresses (each as its distance to the one before), the types,
 * the names. Like stands beside like, so that the bytes compress well. */
#define PACK_FORMAT 0x314d5953u /* "SYM1" */

u8 *symbols_pack(const struct symbols *s, size_t *size)
{
    struct pack_writer w = {0};
    u64 last = 0;

    assert(s->sorted || s->count == 0);
    pack_number(&w, PACK_FORMAT);
    pack_number(&w, s->ends);
    for (size_t i = 0; i < s->ends; i++) {
        pack_number(&w, s->end[i] - last);
        last = s->end[i];
    }
    pack_number(&w, s->count);
    last = 0;
    for (size_t i = 0; i < s->count; i++) {
        pack_number(&w, s->entry[i].address - last);
        last = s->entry[i].address;
    }
    for (size_t i = 0; i < s->count; i++)
        pack_bytes(&w, &s->entry[i].type, 1);
    for (size_t i = 0; i < s->count; i++)
        pack_string(&w, s->names + s->entry[i].name);
    *size = w.size;
    return w.bytes;
}

/* The next of the ascending addresses. */
static u64 unpack_address(struct pack_reader *r, u64 last)
{
    u64 distance = unpack_number(r);

    if (distance > UINT64_MAX - last)
        r->failed = true;
    return last + distance;
}

static void unpack_symbols(struct symbols *s, struct pack_reader *r, u64 *address, size_t count)
{
    const u8 *type;
    u64 last = 0;

    for (size_t i = 0; i < count; i++)
        last = address[i] = unpack_address(r, last);
    type = unpack_bytes(r, count);
    for (size_t i = 0; i < count && !r->failed; i++) {
        const char *name = unpack_string(r);

        if (!r->failed)
            symbols_add(s, address[i], (char)type[i], name, strlen(name));
    }
}

struct symbols *symbols_unpack(const u8 *bytes, size_t size, struct error *err)
{
    struct pack_reader r = {.at = bytes, .end = bytes + size};
    struct symbols *s = symbols_new();
    size_t ends, count;
    u64 *address, last = 0;

    if (unpack_number(&r) != PACK_FORMAT)
        r.failed = true;
    ends = unpack_count(&r, 1);
    for (size_t i = 0; i < ends && !r.failed; i++)
        symbols_add_end(s, last = unpack_address(&r, last));
    count = unpack_count(&r, 3); /* distance, type, the 0 of the name */
    address = kernel_alloc(count * sizeof *address);
    unpack_symbols(s, &r, address, count);
    free(address);
    if (r.failed || r.at != r.end) {
        symbols_free(s);
        error_set(err, EXIT_FILE, "the packed symbol table is damaged at byte %zu of %zu", (size_t)(r.at - bytes),
                  size);
        return NULL;
    }
    symbols_sort(s);
    return s;
}
