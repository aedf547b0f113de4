/* SPDX-License-Identifier: MIT
 * The hardware corpus: what a real processor did with single instructions at CPL 3.
 *
 * A case is an instruction, the state before it, and what came of it. It begins at `rip` of its mode with everything
 * else of the code page INT3, and ends with the first exception: #BP behind the instruction (or at a branch's target,
 * vector 3, rip at the INT3) when it completed, else the fault that it raised or that the fetch at its target raised.
 * Recorder and replay build the same places: linear addresses below 4 GiB, the same in every mode.
 *
 * A file is self-contained: a header that says which processor it came from and which descriptors its selectors name, a
 * pool of states that cases begin from, and cases as differences: corpus_layout.h. docs/hardware-corpus.md tells how it
 * is recorded.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_CORPUS_H
#define RINGSIDE_CONFORM_HARDWARE_CORPUS_H

#include <stdio.h>

#include "base/error.h"
#include "base/types.h"

enum hardware_mode { HARDWARE_64, HARDWARE_32, HARDWARE_16, HARDWARE_MODES };
const char *hardware_mode_name(enum hardware_mode mode); /* "64-bit", "compat32", "compat16" */

/* Pages of the case's address space; everything else is not mapped. */
enum hardware_place {
    HARDWARE_CODE = 0x00100000, /* two pages, execute and read: INT3 but for the case's bytes */
    HARDWARE_CODE_END = 0x00102000,
    HARDWARE_DATA = 0x00110000, /* 16 pages, read and write: hardware_background() but for the case's memory */
    HARDWARE_DATA_END = 0x00120000,
    HARDWARE_READ_ONLY = 0x00120000, /* one page with the same contents, read only */
    HARDWARE_READ_ONLY_END = 0x00121000,
    /* 16-bit segments of the LDT begin at HARDWARE_CODE (code) and HARDWARE_DATA (data, stack). */
};
u8 hardware_background(u32 address);

struct hardware_state {
    u64 gpr[16];
    u64 rip; /* as in the register: an offset in 16-bit code */
    u32 rflags;
    u32 mxcsr;
    u16 selector[6]; /* enum seg */
    u64 fs_base, gs_base;
    u16 x87_control, x87_status;
    u8 x87_valid;  /* abridged tag, as FXSAVE stores it: a bit per physical register that is not empty */
    u8 x87[8][10]; /* ST(0) first, as FXSAVE stores them */
    u8 xmm[16][16];
};

/* A run of bytes in memory. */
struct hardware_bytes {
    u32 address;
    u16 size;
    u16 at; /* where they begin in hardware_case.bytes */
};
#define HARDWARE_RUNS_MAX 16u
#define HARDWARE_BYTES_MAX 2048u

struct hardware_case {
    enum hardware_mode mode;
    u8 length;
    u8 code[15];
    struct hardware_state before, after; /* after: as the exception found it; rip of #BP is that of the INT3 */
    u8 vector;
    u32 error;                  /* 0 where the vector has none */
    u64 cr2;                    /* #PF */
    u8 runs_before, runs_after; /* memory that differs from the background before; that changed, with its new bytes */
    struct hardware_bytes before_run[HARDWARE_RUNS_MAX], after_run[HARDWARE_RUNS_MAX];
    u16 bytes_used;
    u8 bytes[HARDWARE_BYTES_MAX];
};

#define HARDWARE_DESCRIPTORS_MAX 64u
struct hardware_source {
    char processor[64]; /* the brand string */
    u8 vendor;          /* enum cpu_vendor */
    u16 family, model, stepping;
    u32 microcode;   /* 0: not known */
    char date[11];   /* 2026-12-01 */
    char system[64]; /* kernel release, and the hypervisor if there is one */
    u8 gdt_count, ldt_count;
    u64 gdt[HARDWARE_DESCRIPTORS_MAX], ldt[HARDWARE_DESCRIPTORS_MAX]; /* raw; system descriptors of the GDT are 0 */
    u32 cr0_am, cr4_fsgsbase, cr4_umip;                               /* 1 or 0: what the recording ran under */
};

/* ---- reading: files are hostile */

struct hardware_corpus;
/* Open and check a whole file. Memory is bounded by what the file may unpack to (CORPUS_UNPACKED_MAX).
 * returns: NULL with err set (EXIT_FILE): what is wrong, and where */
struct hardware_corpus *hardware_corpus_open(const char *path, struct error *err);
void hardware_corpus_close(struct hardware_corpus *corpus);
const struct hardware_source *hardware_corpus_source(const struct hardware_corpus *corpus);
/* Cases stand in the order of (mnemonic, mode) groups in which they were written. */
u32 hardware_corpus_count(const struct hardware_corpus *corpus);
/* Decode case `index` (below the count). Random access is cheap enough for a replay in any order. */
void hardware_corpus_read(const struct hardware_corpus *corpus, u32 index, struct hardware_case *c);
/* Only what the instruction is: mode, code, length. */
void hardware_corpus_peek(const struct hardware_corpus *corpus, u32 index, struct hardware_case *c);

/* ---- writing */

struct hardware_writer;
struct hardware_writer *hardware_writer_new(const struct hardware_source *source);
/* Cases are few bytes when `before` differs little from a state of the pool: add the states that are used first. */
void hardware_writer_add_state(struct hardware_writer *w, const struct hardware_state *state);
void hardware_writer_add(struct hardware_writer *w, const struct hardware_case *c);
/* returns: false with err set when the file cannot be written; nothing is left behind then. Frees the writer. */
bool hardware_writer_finish(struct hardware_writer *w, const char *path, struct error *err);

#endif
