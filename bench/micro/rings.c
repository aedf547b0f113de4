/* SPDX-License-Identifier: MIT
 * rings [ROW...] [-d | -r FILE]: processor time of each ring transition and of each string instruction, by loops of
 * bare guest code. A row is printed as nanoseconds of the emulator per turn, the median of eleven runs; the loop's own
 * two instructions are in the row "loop". Nothing observes the rings, unless by -d (the recorder without a file, which
 * makes the digest: what `ringside run` does) or -r FILE (recorded; the compressor thread counts).
 */
#include <stdio.h>
#include <time.h>

#include "../../tests/unit/ring_fixture.h"

#include "cpu/engine/engine.h"
#include "trace/trace.h"

#define HANDLER 0x30000u
#define SOURCE 0x100000u
#define TARGET 0x140000u
#define BLOCK 0x10000u
#define RUNS 11
#define COUNTER_START 0x7FFFFFFFull

enum world { USER64, KERNEL64, USER32 };

struct row {
    const char *name;
    enum world world;
    u64 ticks; /* of one run */
    u8 code[48],
        handler[16]; /* the code's last bytes: 49 FF CF 75 xx (64-bit) or 4F 75 xx (32-bit), filled by loop() */
    u8 code_size, handler_size;
};

#define CODE(...) .code = {__VA_ARGS__}, .code_size = sizeof((const u8[]){__VA_ARGS__})
#define HANDLER_CODE(...) .handler = {__VA_ARGS__}, .handler_size = sizeof((const u8[]){__VA_ARGS__})
#define LE32(v) (v) & 0xFF, (v) >> 8 & 0xFF, (v) >> 16 & 0xFF, (v) >> 24 & 0xFF
/* mov esi, from; mov edi, to; mov ecx, count */
#define STRING(from, to, count) 0xBE, LE32(from), 0xBF, LE32(to), 0xB9, LE32(count)
#define FAST 4000000u
#define LONG (BLOCK * 400u)

static const struct row rows[] = {
    {"loop", USER64, FAST, .code_size = 0},
    {"int80+iret", USER64, FAST, CODE(0xCD, 0x80), HANDLER_CODE(0x48, 0xCF)},
    {"int80+iret 32", USER32, FAST, CODE(0xCD, 0x80), HANDLER_CODE(0xCF)},
    {"int same+iret", KERNEL64, FAST, CODE(0xCD, 0x80), HANDLER_CODE(0x48, 0xCF)},
    /* add qword [rsp], 2; iretq */
    {"#UD+iret", USER64, FAST, CODE(0x0F, 0x0B), HANDLER_CODE(0x48, 0x83, 0x04, 0x24, 0x02, 0x48, 0xCF)},
    {"syscall+sysret", USER64, FAST, CODE(0x0F, 0x05), HANDLER_CODE(0x48, 0x0F, 0x07)},
    {"syscall+2swapgs", USER64, FAST, CODE(0x0F, 0x05),
     HANDLER_CODE(0x0F, 0x01, 0xF8, 0x0F, 0x01, 0xF8, 0x48, 0x0F, 0x07)},
    /* mov edx, AT_CODE + 9; mov ecx, esp; sysenter */
    {"sysenter+sysexit 32", USER32, FAST, CODE(0xBA, LE32(AT_CODE + 9), 0x89, 0xE1, 0x0F, 0x34),
     HANDLER_CODE(0x0F, 0x35)},
    /* mov rax, rsp; push 10h; push rax; pushfq; push 28h; push AT_CODE + 16; iretq */
    {"push 5+iret same", KERNEL64, FAST,
     CODE(0x48, 0x89, 0xE0, 0x6A, SEL_DATA32, 0x50, 0x9C, 0x6A, SEL_CODE64, 0x68, LE32(AT_CODE + 16), 0x48, 0xCF)},
    {"push 5+add", KERNEL64, FAST, /* the same without the IRET: add rsp, 40 */
     CODE(0x48, 0x89, 0xE0, 0x6A, SEL_DATA32, 0x50, 0x9C, 0x6A, SEL_CODE64, 0x68, LE32(AT_CODE + 16), 0x48, 0x83, 0xC4,
          40)},
    /* push 28h; push AT_CODE + 9; retfq */
    {"push 2+retf", KERNEL64, FAST, CODE(0x6A, SEL_CODE64, 0x68, LE32(AT_CODE + 9), 0x48, 0xCB)},
    {"swapgs x2", KERNEL64, FAST, CODE(0x0F, 0x01, 0xF8, 0x0F, 0x01, 0xF8)},
    {"pushf+popf", KERNEL64, FAST, CODE(0x9C, 0x9D)},
    {"cli+sti", KERNEL64, FAST, CODE(0xFA, 0xFB)},
    /* mov eax, 10h; mov ds, eax; mov es, eax */
    {"mov ds+mov es", KERNEL64, FAST, CODE(0xB8, LE32(SEL_DATA32), 0x8E, 0xD8, 0x8E, 0xC0)},
    {"mov fs null", KERNEL64, FAST, CODE(0x31, 0xC0, 0x8E, 0xE0)},
    {"rep movsb 64K", KERNEL64, LONG, CODE(STRING(SOURCE, TARGET, BLOCK), 0xF3, 0xA4)},
    {"rep movsb 64K unaligned", KERNEL64, LONG, CODE(STRING(SOURCE + 5, TARGET + 9, BLOCK), 0xF3, 0xA4)},
    {"rep movsq 64K", KERNEL64, LONG / 8, CODE(STRING(SOURCE, TARGET, BLOCK / 8), 0xF3, 0x48, 0xA5)},
    {"rep movsb 64K +1", KERNEL64, LONG, CODE(STRING(SOURCE, SOURCE + 1, BLOCK), 0xF3, 0xA4)},
    {"std rep movsb 64K", KERNEL64, LONG,
     CODE(STRING(SOURCE + BLOCK - 1, TARGET + BLOCK - 1, BLOCK), 0xFD, 0xF3, 0xA4, 0xFC)},
    {"rep stosb 64K", KERNEL64, LONG, CODE(STRING(0, TARGET, BLOCK), 0xF3, 0xAA)},
    {"rep stosq 64K", KERNEL64, LONG / 8, CODE(STRING(0, TARGET, BLOCK / 8), 0xF3, 0x48, 0xAB)},
    {"rep lodsb 64K", KERNEL64, LONG, CODE(STRING(SOURCE, 0, BLOCK), 0xF3, 0xAC)},
    {"repe cmpsb 64K", KERNEL64, LONG, CODE(STRING(SOURCE, TARGET, BLOCK), 0xF3, 0xA6)},
    {"repne scasb 64K", KERNEL64, LONG, CODE(0xB0, 1, STRING(0, TARGET, BLOCK), 0xF2, 0xAE)},
    {"repne scasb 16", KERNEL64, FAST, CODE(0xB0, 1, STRING(0, TARGET, 16), 0xF2, 0xAE)},
    {"rep movsb 16", KERNEL64, FAST, CODE(STRING(SOURCE, TARGET, 16), 0xF3, 0xA4)},
    {"rep movsq 8", KERNEL64, FAST, CODE(STRING(SOURCE, TARGET, 8), 0xF3, 0x48, 0xA5)},
};

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct ring_fixture *prepare(const struct row *row)
{
    bool wide = row->world != USER32;
    struct ring_fixture *f = wide ? fixture_long(VENDOR_INTEL) : fixture_protected(VENDOR_INTEL);
    struct msr_file *msr = &f->cpu->arch.msr;
    u8 code[64];
    unsigned n = row->code_size;

    memcpy(code, row->code, n);
    if (wide) { /* dec r15; jnz code */
        memcpy(code + n, (const u8[]){0x49, 0xFF, 0xCF, 0x75, (u8) - (n + 5)}, 5);
        n += 5;
    } else { /* dec edi; jnz code */
        memcpy(code + n, (const u8[]){0x4F, 0x75, (u8) - (n + 3)}, 3);
        n += 3;
    }
    engine_attach(f->cpu);
    physmem_write(f->pm, AT_CODE, code, n, INITIATOR_LOADER);
    physmem_write(f->pm, HANDLER, row->handler, row->handler_size, INITIATOR_LOADER);
    put_gate(f, 0x80, 14, 3, wide ? SEL_CODE64 : SEL_CODE32, HANDLER, 0, wide);
    put_gate(f, VEC_UD, 14, 0, wide ? SEL_CODE64 : SEL_CODE32, HANDLER, 0, wide);
    msr->star = (u64)0x0023 << 48 | (u64)SEL_CODE64 << 32;
    msr->lstar = HANDLER;
    msr->fmask = FLAG_IF;
    msr->sysenter_cs = SEL_CODE32;
    msr->sysenter_esp = AT_KERNEL_STACK;
    msr->sysenter_eip = HANDLER;
    f->cpu->host.observer = NULL;
    if (row->world == KERNEL64)
        fixture_enter(f, SEL_CODE64, SEL_DATA32, AT_CODE, AT_KERNEL_STACK, FLAG_FIXED1 | FLAG_IF);
    else
        fixture_enter(f, (wide ? SEL_UCODE64 : SEL_UCODE32) | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK,
                      FLAG_FIXED1 | FLAG_IF);
    f->cpu->arch.gpr[R15] = f->cpu->arch.gpr[RDI] = COUNTER_START;
    return f;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void run_row(const struct row *row, bool observe, const char *record)
{
    struct ring_fixture *f = prepare(row);
    const u64 *counter = &f->cpu->arch.gpr[row->world == USER32 ? RDI : R15];
    double sample[RUNS], own[RUNS]; /* the whole process; the processor's thread */

    engine_run(f->cpu, row->ticks);
    for (unsigned i = 0; i < RUNS; i++) {
        struct recorder_options options = {.path = record};
        struct recorder *r = NULL;
        struct error err;
        u64 before;
        double start = now(CLOCK_PROCESS_CPUTIME_ID), own_start = now(CLOCK_THREAD_CPUTIME_ID);

        if (observe) {
            r = recorder_open(&options, &err);
            recorder_attach(r, f->cpu, NULL);
        }
        before = *counter;
        if (engine_run(f->cpu, f->clock.ticks + row->ticks) != ENGINE_TICK) {
            printf("%s: stopped at %#llx\n", row->name, (unsigned long long)f->cpu->arch.rip);
            exit(1);
        }
        own[i] = (now(CLOCK_THREAD_CPUTIME_ID) - own_start) / (double)(before - *counter);
        if (r != NULL && !recorder_close(r, NULL, &err)) {
            printf("%s\n", err.text);
            exit(1);
        }
        sample[i] = (now(CLOCK_PROCESS_CPUTIME_ID) - start) / (double)(before - *counter);
    }
    qsort(sample, RUNS, sizeof sample[0], compare);
    qsort(own, RUNS, sizeof own[0], compare);
    printf("%-26s %10.1f ns   (%.1f to %.1f)", row->name, sample[RUNS / 2], sample[0], sample[RUNS - 1]);
    printf(record != NULL ? "   %.1f of it the processor's thread\n" : "\n", own[RUNS / 2]);
    fflush(stdout);
    engine_detach(f->cpu);
    fixture_free(f);
}

int main(int argc, char **argv)
{
    const char *record = NULL;
    bool any = false, observe = false;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-r") == 0 && i + 1 < argc)
            observe = true, record = argv[++i];
        else if (strcmp(argv[i], "-d") == 0)
            observe = true;
        else
            any = true;
    for (unsigned r = 0; r < ARRAY_LEN(rows); r++) {
        bool wanted = !any;

        for (int i = 1; i < argc; i++)
            wanted |= strncmp(argv[i], rows[r].name, strlen(argv[i])) == 0;
        if (wanted)
            run_row(&rows[r], observe, record);
    }
    return 0;
}
