/* SPDX-License-Identifier: MIT
 * Captures of the SingleStepTests in MOO format: what a real processor did with single instructions.
 *
 * A file is a sequence of chunks, gzip or plain: a header, data about the whole file, and one chunk for each test. It
 * is read as a stream, so memory is bounded by the largest test. Chunks that are not known are skipped.
 */
#ifndef RINGSIDE_CONFORM_MOO_MOO_H
#define RINGSIDE_CONFORM_MOO_MOO_H

#include "base/error.h"
#include "base/types.h"

/* Bounds on what a file may ask for. Tests of the published sets have a few KiB, files a few ten MiB. */
#define MOO_TEST_MAX (1u << 20)
#define MOO_FILE_MAX (1ull << 30)
/* Addresses of the published sets: 24 lines. */
#define MOO_ADDRESS_END (1u << 24)

/* In the order of RG32; 16-bit registers are put into the same places. */
enum moo_register {
    MOO_CR0,
    MOO_CR3,
    MOO_EAX,
    MOO_EBX,
    MOO_ECX,
    MOO_EDX,
    MOO_ESI,
    MOO_EDI,
    MOO_EBP,
    MOO_ESP,
    MOO_CS,
    MOO_DS,
    MOO_ES,
    MOO_FS,
    MOO_GS,
    MOO_SS,
    MOO_EIP,
    MOO_EFLAGS,
    MOO_DR6,
    MOO_DR7,
    MOO_REGISTERS
};
const char *moo_register_name(enum moo_register r, bool wide);

/* Which processor the captures come from. */
enum moo_cpu { MOO_8088, MOO_8086, MOO_V20, MOO_V30, MOO_186, MOO_286, MOO_386, MOO_CPUS };
const char *moo_cpu_name(enum moo_cpu cpu);

struct moo_header {
    enum moo_cpu cpu;
    u32 tests;        /* as the header says; the file may have fewer only if it is cut off */
    char mnemonic[9]; /* in lower case; "" when the file has no META chunk */
    u8 mode;          /* 0: real mode */
};

struct moo_registers {
    bool wide;   /* RG32 */
    u32 present; /* bit per enum moo_register */
    u32 value[MOO_REGISTERS];
};

/* Bytes of memory, 5 to an entry: moo_byte_at(). */
struct moo_memory {
    const u8 *entries;
    u32 count;
};

struct moo_test {
    u32 index;
    u64 offset; /* of the test's chunk in the unpacked file */
    char name[64];
    u8 code[32]; /* the instruction and, where the set has one, the HLT behind it */
    unsigned code_size;
    struct moo_registers initial, final; /* initial: all that the set has; final: those that changed */
    u32 mask[MOO_REGISTERS];             /* bits to compare */
    struct moo_memory before, after; /* after: what changed; both point into the reader and die with the next test */
    bool exception;
    u8 vector;
    u32 flags_at; /* physical address of the pushed FLAGS, when an exception or interrupt was taken */
    bool has_hash;
    u8 hash[20];
};

ALWAYS_INLINE u32 moo_address_at(const struct moo_memory *m, u32 i)
{
    const u8 *e = m->entries + 5 * (size_t)i;

    return e[0] | (u32)e[1] << 8 | (u32)e[2] << 16 | (u32)e[3] << 24;
}
ALWAYS_INLINE u8 moo_value_at(const struct moo_memory *m, u32 i) { return m->entries[5 * (size_t)i + 4]; }

struct moo_reader;
/* Open a file and read its header. returns: NULL with err set (EXIT_FILE), naming the file and the place */
struct moo_reader *moo_open(const char *path, struct error *err);
void moo_close(struct moo_reader *r);
const struct moo_header *moo_header(const struct moo_reader *r);

enum moo_next { MOO_TEST, MOO_END, MOO_BAD };
/* The next test. returns: MOO_BAD with err set: the file is damaged from here on */
enum moo_next moo_next(struct moo_reader *r, struct moo_test *test, struct error *err);

/* A test chunk's contents. out: *test points into chunk. offset: for messages.
 * returns: false with err set */
bool moo_parse_test(const u8 *chunk, u32 size, const u32 masks[MOO_REGISTERS], u64 offset, const char *path,
                    struct moo_test *test, struct error *err);
/* Registers or masks, REGS and RMSK or with wide RG32 and RM32. returns: false: the chunk has not the size it says */
bool moo_parse_registers(const u8 *chunk, u32 size, bool wide, struct moo_registers *out);

#endif
