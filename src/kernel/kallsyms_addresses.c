/* SPDX-License-Identifier: MIT
 * kallsyms: the table of addresses. Each form that kernels have used is tried at each place where as many numbers
 * ascend as there are names, and believed only when the names come to lie where they must: code in code, the markers of
 * sections at their edges.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "kernel/kallsyms.h"
#include "kernel/pack.h"

/* How addresses are kept.
 * PERCPU:   32 bits; 0 and up is the value itself (an offset into per-CPU memory), below 0 it is base - 1 - value
 * RELATIVE: 32 bits, added to the base
 * WORDS:    the addresses themselves
 * PLACE:    32 bits with a sign, added to the address of the entry itself */
enum form { FORM_PERCPU, FORM_RELATIVE, FORM_WORDS, FORM_PLACE, FORMS };

static const char *const form_words[FORMS] = {
    [FORM_PERCPU] = "relative offsets (per-CPU ones absolute)",
    [FORM_RELATIVE] = "relative offsets",
    [FORM_WORDS] = "addresses",
    [FORM_PLACE] = "offsets from each entry",
};

/* What the names say of their addresses. */
struct expectation {
    size_t begins[3]; /* the symbols _text, _stext and _sinittext, where code begins. SIZE_MAX: there is none */
    u8 *code;         /* for each symbol: 1 when it is code */
    size_t first;     /* the first that is a place, not a value */
};

static unsigned entry_size(const struct kallsyms *k, enum form form)
{
    return form == FORM_WORDS && k->image->is64 ? 8 : 4;
}

/* The position of the first entry whose address is a multiple of its size. */
static size_t first_aligned_entry(const struct kallsyms *k, unsigned size)
{
    return (size_t)(-k->range->address & (size - 1));
}

/* The entry at a position of the range, as a number that ascends along the table. */
static u64 entry_key(const struct kallsyms *k, size_t at, enum form form)
{
    u32 value = load_le32(k->bytes + at);

    if (form == FORM_WORDS)
        return k->image->is64 ? load_le64(k->bytes + at) : value;
    if (form == FORM_PERCPU && value & 0x80000000u)
        return 0x100000000ull + ~value;
    if (form == FORM_PLACE)
        return (k->range->address + at + (u64)(i64)(i32)value) & (k->image->is64 ? UINT64_MAX : UINT32_MAX);
    return value;
}

static u64 entry_address(const struct kallsyms *k, size_t at, enum form form, u64 base)
{
    u64 key = entry_key(k, at, form);

    if (form == FORM_WORDS || form == FORM_PLACE)
        return key;
    if (form == FORM_PERCPU)
        return key >= 0x100000000ull ? base + (key - 0x100000000ull) : key;
    return base + key;
}

static struct expectation expect_names(const struct kallsyms *k)
{
    static const char *const names[] = {"_text", "_stext", "_sinittext"};
    struct expectation e = {
        .begins = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, .code = kernel_alloc(k->count), .first = SIZE_MAX};
    char text[KALLSYMS_NAME_LIMIT];
    size_t at = k->names, length;

    for (size_t i = 0; i < k->count; i++) {
        at = kallsyms_name(k, at, text, &length);
        e.code[i] = text[0] == 't' || text[0] == 'T';
        if (e.first == SIZE_MAX && text[0] != 'a' && text[0] != 'A')
            e.first = i;
        for (unsigned n = 0; n < ARRAY_LEN(names) && text[1] == '_'; n++) {
            if (strcmp(text + 1, names[n]) == 0)
                e.begins[n] = i;
        }
    }
    return e;
}

/* The address is where an executable range begins. */
static bool begins_code(const struct kernel_image *image, u64 address)
{
    return kernel_image_executes(image, address) && !kernel_image_executes(image, address - 1);
}

/* What marks the end of a section lies behind it. A segment that is not executable may hold the code of the start:
 * where there are no section headers any memory will do. */
static bool may_be_code(const struct kernel_image *image, u64 address)
{
    if (image->sections == 0)
        return kernel_image_holds(image, address) || kernel_image_holds(image, address - 1);
    return kernel_image_executes(image, address) || kernel_image_executes(image, address - 1);
}

/* Do the names lie where they must with the table at `at`? */
static bool fits(struct kallsyms *k, const struct expectation *e, size_t at, enum form form, u64 base)
{
    unsigned size = entry_size(k, form);
    size_t code = 0, right = 0;

    if ((e->begins[0] == SIZE_MAX && e->begins[1] == SIZE_MAX) || e->first == SIZE_MAX ||
        !kernel_image_holds(k->image, entry_address(k, at + e->first * size, form, base)))
        return false;
    for (unsigned n = 0; n < ARRAY_LEN(e->begins); n++) {
        /* Where there are no section headers a segment may hold more than the code that runs at the start. */
        if (e->begins[n] != SIZE_MAX && (n < 2 || k->image->sections != 0) &&
            !begins_code(k->image, entry_address(k, at + e->begins[n] * size, form, base)))
            return false;
    }
    k->work += k->count;
    for (size_t i = 0; i < k->count; i++) {
        u64 address = entry_address(k, at + i * size, form, base);

        if (!e->code[i])
            continue;
        code++;
        right += may_be_code(k->image, address);
    }
    return code != 0 && right >= code - code / 50;
}

static void take(struct kallsyms *k, size_t at, enum form form, u64 base)
{
    unsigned size = entry_size(k, form);

    k->address = kernel_alloc(k->count * sizeof *k->address);
    for (size_t i = 0; i < k->count; i++)
        k->address[i] = entry_address(k, at + i * size, form, base);
    k->addresses = at;
    k->form = form_words[form];
}

/* The base of relative offsets stands behind them, at the next multiple of its size. */
static bool base_behind(struct kallsyms *k, size_t end, u64 *base)
{
    unsigned word = k->image->is64 ? 8 : 4;
    size_t at = end + (size_t)(-(k->range->address + end) & (word - 1));

    if (at > k->size || word > k->size - at)
        return false;
    for (size_t i = end; i < at; i++) {
        if (k->bytes[i] != 0)
            return false;
    }
    k->work += 16; /* the ranges are searched */
    *base = word == 8 ? load_le64(k->bytes + at) : load_le32(k->bytes + at);
    return kernel_image_holds(k->image, *base);
}

/* Where the kernel begins in memory: the lowest code. */
static u64 lowest_code(const struct kernel_image *image)
{
    u64 lowest = UINT64_MAX;

    for (size_t i = 0; i < image->segments; i++) {
        if (image->segment[i].execute && image->segment[i].address < lowest)
            lowest = image->segment[i].address;
    }
    return lowest;
}

/* One place for the table. assume: the base is nowhere and must be where the code begins. */
static bool try_at(struct kallsyms *k, struct expectation *e, size_t at, enum form form, bool assume)
{
    unsigned size = entry_size(k, form);
    size_t end = at + k->count * size;
    u64 base = 0;

    if (form == FORM_WORDS) {
        /* Nothing tells where addresses end but what follows in every version that has them: the number of symbols. */
        size_t next = end + (size_t)(-(k->range->address + end) & (size - 1));

        if (!assume && (next > k->size || k->size - next < 4 || load_le32(k->bytes + next) != k->count))
            return false;
    } else if (form == FORM_PLACE) {
        if (assume) /* there is no base: all was tried before */
            return false;
    } else if (assume) {
        base = lowest_code(k->image);
        /* The base is the lowest address, so an offset of 0 says where the table begins. */
        if (entry_key(k, at, form) != 0)
            return false;
    } else if (!base_behind(k, end, &base)) {
        return false;
    }
    if (!fits(k, e, at, form, base))
        return false;
    take(k, at, form, base);
    return true;
}

/* Try every place inside the ascending run from `first` to `last` (entries) that has room for all symbols and in which
 * numbers really rise. */
static bool try_run(struct kallsyms *k, struct expectation *e, size_t first, size_t last, enum form form, bool assume)
{
    unsigned size = entry_size(k, form);
    size_t start = first_aligned_entry(k, size);

    for (size_t i = first; i + k->count <= last && k->work < KALLSYMS_WORK_LIMIT; i++) {
        size_t at = start + i * size;

        k->work += 4;
        if (entry_key(k, at, form) != entry_key(k, at + (k->count - 1) * size, form) && try_at(k, e, at, form, assume))
            return true;
    }
    return false;
}

static bool search_form(struct kallsyms *k, struct expectation *e, enum form form, bool assume)
{
    unsigned size = entry_size(k, form);
    size_t start = first_aligned_entry(k, size), run = 0, entries;
    u64 last = 0;

    if (k->size < start + size)
        return false;
    entries = (k->size - start) / size;
    for (size_t i = 0; i < entries; i++) {
        u64 key = entry_key(k, start + i * size, form);

        if (key < last) {
            if (try_run(k, e, run, i, form, assume))
                return true;
            run = i;
        }
        last = key;
    }
    return try_run(k, e, run, entries, form, assume);
}

bool kallsyms_find_addresses(struct kallsyms *k)
{
    struct expectation e = expect_names(k);
    bool found = false;

    for (unsigned assume = 0; assume < 2 && !found; assume++) {
        for (unsigned form = 0; form < FORMS && !found; form++)
            found = search_form(k, &e, (enum form)form, assume != 0);
    }
    free(e.code);
    return found;
}
