/* SPDX-License-Identifier: MIT
 * The chunks inside a test of a MOO file.
 */
#include <string.h>

#include "base/bits.h"
#include "base/text.h"
#include "conform/moo/moo.h"

/* Bits of REGS, in their order. */
static const u8 narrow_place[] = {MOO_EAX, MOO_EBX, MOO_ECX, MOO_EDX, MOO_CS,  MOO_SS,  MOO_DS,
                                  MOO_ES,  MOO_ESP, MOO_EBP, MOO_ESI, MOO_EDI, MOO_EIP, MOO_EFLAGS};
/* What the initial state must have. */
#define WIDE_REGISTERS ((1u << (MOO_EFLAGS + 1)) - (1u << MOO_EAX)) /* EAX to EFLAGS */
#define NARROW_REGISTERS (WIDE_REGISTERS & ~(1u << MOO_FS | 1u << MOO_GS))

bool moo_parse_registers(const u8 *chunk, u32 size, bool wide, struct moo_registers *out)
{
    unsigned width = wide ? 4 : 2, places = wide ? MOO_REGISTERS : (unsigned)sizeof narrow_place;
    u32 present, at = width;

    *out = (struct moo_registers){.wide = wide};
    if (size < width)
        return false;
    present = wide ? load_le32(chunk) : load_le16(chunk);
    for (unsigned i = 0; i < 8 * width; i++) {
        if (!(present >> i & 1))
            continue;
        if (size - at < width)
            return false;
        if (i < places) { /* further bits: registers of a later version */
            unsigned place = wide ? i : narrow_place[i];

            out->present |= 1u << place;
            out->value[place] = wide ? load_le32(chunk + at) : load_le16(chunk + at);
        }
        at += width;
    }
    return at == size;
}

/* ---- a walk over chunks */

struct walk {
    const u8 *at, *end;
    const u8 *tag, *body;
    u32 size;
    bool bad;
};

static bool next_chunk(struct walk *w)
{
    if (w->at == w->end)
        return false;
    if (w->end - w->at < 8 || load_le32(w->at + 4) > (u64)(w->end - w->at - 8)) {
        w->bad = true;
        return false;
    }
    w->tag = w->at;
    w->size = load_le32(w->at + 4);
    w->body = w->at + 8;
    w->at = w->body + w->size;
    return true;
}

static bool is(const struct walk *w, const char *tag) { return memcmp(w->tag, tag, 4) == 0; }

static bool parse_memory(const struct walk *w, struct moo_memory *out)
{
    if (w->size < 4 || load_le32(w->body) != (w->size - 4) / 5 || (w->size - 4) % 5 != 0)
        return false;
    *out = (struct moo_memory){.entries = w->body + 4, .count = load_le32(w->body)};
    for (u32 i = 0; i < out->count; i++)
        if (moo_address_at(out, i) >= MOO_ADDRESS_END)
            return false;
    return true;
}

/* masks: NULL in the initial state, which has none. returns: NULL, or what is wrong */
static const char *parse_state(const struct walk *outer, struct moo_registers *registers, struct moo_memory *memory,
                               u32 *masks)
{
    struct walk w = {.at = outer->body, .end = outer->body + outer->size};
    struct moo_registers mask;

    while (next_chunk(&w)) {
        if (is(&w, "REGS") || is(&w, "RG32")) {
            if (!moo_parse_registers(w.body, w.size, is(&w, "RG32"), registers))
                return "registers have not the size that they say";
        } else if (is(&w, "RMSK") || is(&w, "RM32")) {
            if (!moo_parse_registers(w.body, w.size, is(&w, "RM32"), &mask))
                return "masks have not the size that they say";
            for (unsigned i = 0; masks != NULL && i < MOO_REGISTERS; i++)
                if (mask.present >> i & 1)
                    masks[i] &= mask.value[i];
        } else if (is(&w, "RAM ")) {
            if (!parse_memory(&w, memory))
                return "memory has not the size that it says, or an address above 16 MiB";
        }
    }
    return w.bad ? "a chunk goes past the state that holds it" : NULL;
}

/* A text or bytes behind their length. returns: false when the chunk is shorter */
static bool parse_counted(const struct walk *w, const u8 **from, u32 *size)
{
    if (w->size < 4 || load_le32(w->body) > w->size - 4)
        return false;
    *from = w->body + 4;
    *size = load_le32(w->body);
    return true;
}

static void take_name(struct moo_test *test, const u8 *from, u32 size)
{
    size_t length = size < sizeof test->name ? size : sizeof test->name - 1;

    memcpy(test->name, from, length);
    test->name[length] = '\0';
    text_make_plain(test->name);
}

/* One of a test's chunks. returns: NULL, or what is wrong */
static const char *parse_part(const struct walk *w, struct moo_test *test, bool *has_initial, bool *has_final)
{
    const u8 *from;
    u32 size;

    if (is(w, "NAME")) {
        if (!parse_counted(w, &from, &size))
            return "a name is longer than its chunk";
        take_name(test, from, size);
    } else if (is(w, "BYTS")) {
        if (!parse_counted(w, &from, &size))
            return "the instruction is longer than its chunk";
        if (size > sizeof test->code)
            return "the instruction is longer than 32 bytes";
        memcpy(test->code, from, size);
        test->code_size = size;
    } else if (is(w, "INIT")) {
        *has_initial = true;
        return parse_state(w, &test->initial, &test->before, NULL);
    } else if (is(w, "FINA")) {
        *has_final = true;
        return parse_state(w, &test->final, &test->after, test->mask);
    } else if (is(w, "EXCP")) {
        if (w->size < 5)
            return "an exception's chunk is too short";
        test->exception = true;
        test->vector = w->body[0];
        test->flags_at = load_le32(w->body + 1);
    } else if (is(w, "HASH")) {
        if (w->size != sizeof test->hash)
            return "a hash has not 20 bytes";
        test->has_hash = true;
        memcpy(test->hash, w->body, sizeof test->hash);
    }
    return NULL;
}

bool moo_parse_test(const u8 *chunk, u32 size, const u32 masks[MOO_REGISTERS], u64 offset, const char *path,
                    struct moo_test *test, struct error *err)
{
    struct walk w = {.at = chunk + 4, .end = chunk + size};
    bool has_initial = false, has_final = false;
    const char *wrong = NULL;
    u32 needed;

    *test = (struct moo_test){.offset = offset};
    memcpy(test->mask, masks, sizeof test->mask);
    if (size < 4)
        return error_set(err, EXIT_FILE, "%s: at byte %llu: a test is too short", path, (unsigned long long)offset);
    test->index = load_le32(chunk);
    while (wrong == NULL && next_chunk(&w))
        wrong = parse_part(&w, test, &has_initial, &has_final);
    needed = test->initial.wide ? WIDE_REGISTERS : NARROW_REGISTERS;
    if (wrong == NULL && w.bad)
        wrong = "a chunk goes past the test that holds it";
    if (wrong == NULL && (!has_initial || !has_final))
        wrong = "the state before or after is missing";
    if (wrong == NULL && (test->initial.present & needed) != needed)
        wrong = "the state before lacks a register";
    if (wrong == NULL && test->final.present != 0 && test->final.wide != test->initial.wide)
        wrong = "the states before and after have registers of different sizes";
    if (wrong == NULL && test->code_size == 0)
        wrong = "the instruction's bytes are missing";
    return wrong == NULL || error_set(err, EXIT_FILE, "%s: at byte %llu: test %u: %s", path, (unsigned long long)offset,
                                      test->index, wrong);
}
