/* SPDX-License-Identifier: MIT
 * x and xp: memory as numbers, characters and instructions. Read without effects: no accessed bits, no device.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "monitor/command.h"
#include "trace/disassemble.h"

#define UNITS_MAX 4096u

struct format {
    unsigned count;
    char kind; /* x d u o c i */
    unsigned size;
};

/* "/16xb", any part of it; *text moves behind it. */
static bool parse_format(struct monitor *m, const char **text, struct format *f)
{
    const char *at = *text;
    char *end;

    *f = (struct format){.count = 1, .kind = 'x', .size = 4};
    if (*at != '/')
        return true;
    at++;
    if (*at >= '0' && *at <= '9') {
        unsigned long count = strtoul(at, &end, 10);

        if (count == 0 || count > UNITS_MAX) {
            command_error(m, "the count is 1 to %u", UNITS_MAX);
            return false;
        }
        f->count = (unsigned)count;
        at = end;
    }
    for (; *at != '\0' && *at != ' ' && *at != '\t'; at++) {
        switch (*at) {
        case 'b': f->size = 1; break;
        case 'h': f->size = 2; break;
        case 'w': f->size = 4; break;
        case 'g': f->size = 8; break;
        case 'x':
        case 'd':
        case 'u':
        case 'o':
        case 'c':
        case 'i': f->kind = *at; break;
        default: command_error(m, "'%c' is no format: x d u o c i, and a size b h w g", *at); return false;
        }
    }
    if (f->kind == 'c')
        f->size = 1;
    *text = at + strspn(at, " \t");
    return true;
}

/* Units near the end of the space would go on at its beginning: they are not read. */
static bool read_bytes(const struct cpu *cpu, bool physical, u64 at, u8 *out, size_t size)
{
    if (at + (size - 1) < at)
        return false;
    if (physical)
        return physmem_peek(cpu->physmem, at, out, size);
    return paging_has_address(cpu, at) && paging_has_address(cpu, at + size - 1) && mmu_peek(&cpu->mmu, at, out, size);
}

static void cannot_read(struct monitor *m, bool physical, u64 at)
{
    command_error(m, "%s address 0x%llx %s", physical ? "physical" : "linear", (unsigned long long)at,
                  physical ? "is no memory (devices are not read: that would have effects)"
                           : "is not mapped, or is no memory");
}

static void print_unit(FILE *out, const struct format *f, const u8 *bytes)
{
    u64 value = f->size == 1   ? bytes[0]
                : f->size == 2 ? load_le16(bytes)
                : f->size == 4 ? load_le32(bytes)
                               : load_le64(bytes);
    unsigned unused = 64 - 8 * f->size;

    switch (f->kind) {
    case 'd': fprintf(out, " %lld", (long long)((i64)(value << unused) >> unused)); break;
    case 'u': fprintf(out, " %llu", (unsigned long long)value); break;
    case 'o': fprintf(out, " 0%llo", (unsigned long long)value); break;
    case 'c':
        if (value >= ' ' && value <= '~')
            fprintf(out, " '%c'", (char)value);
        else
            fprintf(out, " '\\x%02llx'", (unsigned long long)value);
        break;
    default: fprintf(out, " 0x%0*llx", (int)f->size * 2, (unsigned long long)value); break;
    }
}

static void dump(struct monitor *m, const struct cpu *cpu, bool physical, u64 at, const struct format *f)
{
    unsigned per_line = f->kind == 'c' || f->size == 1 ? 8 : 16 / f->size;

    for (unsigned i = 0; i < f->count; i++, at += f->size) {
        u8 bytes[8];

        if (!read_bytes(cpu, physical, at, bytes, f->size)) {
            if (i % per_line != 0)
                fputc('\n', m->out);
            cannot_read(m, physical, at);
            return;
        }
        if (i % per_line == 0)
            fprintf(m->out, "%s%0*llx:", i == 0 ? "" : "\n", physical ? 16 : paging_address_digits(cpu),
                    (unsigned long long)at);
        print_unit(m->out, f, bytes);
    }
    fputc('\n', m->out);
}

static void disassembly(struct monitor *m, const struct cpu *cpu, bool physical, u64 at, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[128];
        u8 bytes[15];
        unsigned size = 0, length;

        while (size < sizeof bytes && read_bytes(cpu, physical, at + size, bytes + size, 1))
            size++;
        if (size == 0) {
            cannot_read(m, physical, at);
            return;
        }
        length = disassemble(text, sizeof text, bytes, size, at, cpu->d.mode);
        if (length == 0) {
            length = 1;
            snprintf(text, sizeof text, ".byte 0x%02x", bytes[0]);
        }
        fprintf(m->out, "%0*llx:  %s\n", paging_address_digits(cpu), (unsigned long long)at, text);
        at += length;
    }
}

static void examine(struct monitor *m, const char *arguments, bool physical)
{
    const struct cpu *cpu = machine_cpu(m->machine);
    struct format f;
    u64 at;

    if (!parse_format(m, &arguments, &f) || !command_address(m, arguments, &at))
        return;
    if (f.kind == 'i')
        disassembly(m, cpu, physical, at, f.count);
    else
        dump(m, cpu, physical, at, &f);
}

void command_x(struct monitor *m, const char *arguments) { examine(m, arguments, false); }

void command_xp(struct monitor *m, const char *arguments) { examine(m, arguments, true); }
