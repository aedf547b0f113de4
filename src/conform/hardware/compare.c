/* SPDX-License-Identifier: MIT
 * What differs between what a processor did and what came of the case here.
 */
#include "conform/hardware/compare.h"

#include <inttypes.h>

/* ---- finding */

/* returns: NULL when there is no room */
static struct hardware_difference *add(struct hardware_differences *d, unsigned field)
{
    if (d->count == DIFFERENCES_MAX)
        return NULL;
    d->list[d->count] = (struct hardware_difference){.field = (u8)field};
    return &d->list[d->count++];
}

static void add_bytes(struct hardware_differences *d, unsigned field, const void *expected, const void *got,
                      size_t size)
{
    struct hardware_difference *difference = add(d, field);

    if (difference == NULL)
        return;
    memcpy(difference->expected, expected, size);
    memcpy(difference->got, got, size);
    for (unsigned i = 0; i < 2; i++)
        difference->bits[i] = difference->expected[i] ^ difference->got[i];
}

static void add_number(struct hardware_differences *d, unsigned field, u64 expected, u64 got)
{
    if (expected != got)
        add_bytes(d, field, &expected, &got, sizeof expected);
}

static void add_memory(void *context, u32 address, u8 expected, u8 got)
{
    struct hardware_differences *d = context;
    unsigned before = d->count;

    add_number(d, FIELD_MEMORY, expected, got);
    if (d->count != before)
        d->list[before].address = address;
}

void hardware_compare(struct hardware_machine *m, const struct hardware_case *c, const struct hardware_outcome *outcome,
                      struct hardware_differences *d)
{
    const u8 *expected = (const u8 *)&c->after, *got = (const u8 *)&outcome->after;

    d->count = 0;
    d->stopped = outcome->stopped;
    if (outcome->stopped == NULL) {
        add_number(d, FIELD_VECTOR, c->vector, outcome->vector);
        add_number(d, FIELD_ERROR, c->error, outcome->error);
        add_number(d, FIELD_CR2, c->cr2, outcome->cr2);
        for (unsigned i = 0; i < CORPUS_ITEMS; i++) {
            struct corpus_item item = corpus_item_at(i);

            if (memcmp(expected + item.offset, got + item.offset, item.size) != 0)
                add_bytes(d, i, expected + item.offset, got + item.offset, item.size);
        }
    }
    hardware_machine_compare(m, c, add_memory, d);
}

/* ---- printing */

static void field_name(char *text, size_t size, const struct hardware_difference *d)
{
    static const char *const gprs[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char *const single[] = {"rip",     "rflags",      "mxcsr",      "es",       "cs",
                                         "ss",      "ds",          "fs",         "gs",       "fs base",
                                         "gs base", "x87 control", "x87 status", "x87 valid"};
    static const char *const beside[] = {"vector", "error code", "cr2"};

    if (d->field < FIELD_RIP)
        snprintf(text, size, "%s", gprs[d->field]);
    else if (d->field < FIELD_ST)
        snprintf(text, size, "%s", single[d->field - FIELD_RIP]);
    else if (d->field < FIELD_XMM)
        snprintf(text, size, "st(%u)", d->field - FIELD_ST);
    else if (d->field < FIELD_VECTOR)
        snprintf(text, size, "xmm%u", d->field - FIELD_XMM);
    else if (d->field < FIELD_MEMORY)
        snprintf(text, size, "%s", beside[d->field - FIELD_VECTOR]);
    else
        snprintf(text, size, "byte at %" PRIX32 "h", d->address);
}

static void print_value(FILE *out, const struct hardware_difference *d, const u64 value[2])
{
    if (d->field >= FIELD_ST && d->field < FIELD_XMM)
        fprintf(out, "%04" PRIX64 ".%016" PRIX64, value[1] & 0xFFFF, value[0]);
    else if (d->field >= FIELD_XMM && d->field < FIELD_VECTOR)
        fprintf(out, "%016" PRIX64 ".%016" PRIX64, value[1], value[0]);
    else
        fprintf(out, "%" PRIX64, value[0]);
}

void hardware_print_differences(FILE *out, const struct hardware_differences *differences)
{
    char name[32];

    if (differences->stopped != NULL)
        fprintf(out, "  %s\n", differences->stopped);
    for (unsigned i = 0; i < differences->count; i++) {
        const struct hardware_difference *d = &differences->list[i];

        if ((d->bits[0] | d->bits[1]) == 0)
            continue;
        field_name(name, sizeof name, d);
        fprintf(out, "  %s: expected ", name);
        print_value(out, d, d->expected);
        fputs(", got ", out);
        print_value(out, d, d->got);
        fputc('\n', out);
    }
    if (differences->count == DIFFERENCES_MAX)
        fputs("  (and more)\n", out);
}
