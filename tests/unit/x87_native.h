/* SPDX-License-Identifier: MIT
 * Runs one x87 instruction on the host processor and in the emulator, from the same FRSTOR image, for comparison.
 *
 * Memory operands are at [RSI]; RAX and the arithmetic flags are loaded and stored too.
 */
#ifndef RINGSIDE_TESTS_X87_NATIVE_H
#define RINGSIDE_TESTS_X87_NATIVE_H

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "unit/isa_fixture.h"

#include "cpu/isa/table.h"

#define X87_IMAGE 108u
#define X87_MEMORY 128u
#define X87_IMAGE_AT (FIXTURE_DATA + 0x1000)

/* What goes in and comes out. */
struct x87_case {
    u8 image[112]; /* as FNSAVE writes it, 32-bit protected format */
    u8 memory[X87_MEMORY];
    u64 rax, rflags;
    bool pointed; /* out: the instruction became the last non-control one */
};

struct x87_native {
    u8 *code;
};

/* Signal handlers have no other argument than process-wide state. */
static sigjmp_buf x87_native_escape;

static void x87_native_signal(int number) { siglongjmp(x87_native_escape, number); }

/* Where the manuals leave something open the emulator follows Intel's processors: elsewhere the test is skipped. */
static inline void x87_native_open(struct x87_native *n)
{
    struct sigaction action = {.sa_handler = x87_native_signal, .sa_flags = SA_NODEFER};

    __builtin_cpu_init();
    if (!__builtin_cpu_is("intel"))
        skip();
    n->code = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(n->code, MAP_FAILED);
    assert_int_equal(sigaction(SIGFPE, &action, NULL), 0);
    assert_int_equal(sigaction(SIGILL, &action, NULL), 0);
}

static inline void x87_native_close(struct x87_native *n)
{
    signal(SIGFPE, SIG_DFL);
    signal(SIGILL, SIG_DFL);
    munmap(n->code, PAGE_SIZE);
}

__attribute__((noinline)) static void x87_native_enter(struct x87_case *c, const u8 *code)
{
    __asm__ volatile("sub $256, %%rsp\n" /* stay clear of the red zone */
                     "mov %[rax], %%rax\n"
                     "frstor %[image]\n"
                     "push %[rflags]\n"
                     "popfq\n"
                     "call *%[code]\n"
                     "fnsave %[image]\n"
                     "pushfq\n"
                     "pop %[rflags]\n"
                     "cld\n"
                     "mov %%rax, %[rax]\n"
                     "add $256, %%rsp\n"
                     : [image] "+m"(*(u8(*)[112])c->image), [rax] "+m"(c->rax), [rflags] "+r"(c->rflags)
                     : [code] "r"(code), "S"(c->memory)
                     : "memory", "cc", "rax", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
}

/* returns: -1, or the vector (then *c is as it was) */
static inline int x87_native_run(struct x87_native *n, const u8 *bytes, unsigned size, struct x87_case *c)
{
    struct x87_case before = *c;
    int number;

    memcpy(n->code, bytes, size);
    n->code[size] = 0xC3;
    number = sigsetjmp(x87_native_escape, 1);
    if (number == 0) {
        x87_native_enter(c, n->code);
        c->pointed = load_le32(c->image + 12) == (u32)(uintptr_t)n->code;
        return -1;
    }
    __asm__ volatile("fninit");
    *c = before;
    return number == SIGILL ? VEC_UD : VEC_MF;
}

/* The same in the emulator. */
static inline int x87_emulated_run(struct fixture *fx, const u8 *bytes, unsigned size, struct x87_case *c)
{
    struct cpu_arch *a = &fx->cpu->arch;
    int vector;

    fixture_write(fx, X87_IMAGE_AT, c->image, X87_IMAGE);
    fixture_write(fx, FIXTURE_DATA, c->memory, X87_MEMORY);
    flags_put(fx->cpu, c->rflags);
    a->gpr[RAX] = c->rax;
    a->gpr[RSI] = FIXTURE_DATA;
    a->gpr[RDI] = X87_IMAGE_AT;
    a->x87_status = a->x87_control = 0;
    a->rip = FIXTURE_CODE - 2;
    assert_int_equal(RUN(fx, 0xDD, 0x27), -1); /* frstor [rdi] */
    a->rip = FIXTURE_CODE;
    vector = fixture_run(fx, bytes, size);
    if (vector >= 0)
        return vector;
    a->rip = FIXTURE_CODE + size;
    assert_int_equal(RUN(fx, 0xDD, 0x37), -1); /* fnsave [rdi] */
    physmem_read(fx->pm, X87_IMAGE_AT, c->image, X87_IMAGE, INITIATOR_LOADER);
    physmem_read(fx->pm, FIXTURE_DATA, c->memory, X87_MEMORY, INITIATOR_LOADER);
    c->rax = a->gpr[RAX];
    c->rflags = flags_get(fx->cpu);
    c->pointed = load_le32(c->image + 12) == FIXTURE_CODE;
    return -1;
}

/* ---- random numbers and interesting values */
static inline u64 x87_random(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static inline void x87_random_register(u64 *seed, u8 *out)
{
    static const u64 mantissas[] = {0,
                                    1,
                                    0x8000000000000000,
                                    0x8000000000000001,
                                    0xC000000000000000,
                                    0xA000000000000000,
                                    0xFFFFFFFFFFFFFFFF,
                                    0x7FFFFFFFFFFFFFFF,
                                    0x4000000000000000,
                                    0xFFFFFFFFFFFFF800,
                                    0xFFFFFFFFFFFFFC00,
                                    0xFFFFFF0000000000,
                                    0xFFFFFF8000000000,
                                    0x8000000000000400,
                                    0x8000008000000000,
                                    0xC90FDAA22168C235};
    static const u16 exponents[] = {0,      1,      2,      0x3FFE, 0x3FFF, 0x4000, 0x4001, 0x400D, 0x400E,
                                    0x401D, 0x401E, 0x403D, 0x403E, 0x403F, 0x43FE, 0x43FF, 0x3C00, 0x3C01,
                                    0x3BCD, 0x407E, 0x407F, 0x3F81, 0x3F80, 0x3F6A, 0x7FFE, 0x7FFF, 0x7FFF,
                                    0x3FBF, 0x3FC0, 0x1FFF, 0x5FFF, 0x6000, 0x2000, 0x403A, 0x4038, 0x4008};
    u64 r = x87_random(seed), mantissa = x87_random(seed);
    u16 exponent = exponents[(r >> 8) % ARRAY_LEN(exponents)];

    if (r % 4 < 2)
        mantissa = mantissas[(r >> 16) % ARRAY_LEN(mantissas)];
    else if (r % 4 == 2)
        mantissa |= 0x8000000000000000;
    if ((r >> 24) % 4 == 0)
        exponent = (u16)(0x3FFF + (int)((r >> 32) % 130) - 65);
    if ((r >> 24) % 16 == 1)
        exponent = (r >> 32) & 0x7FFF;
    if (exponent != 0 && (r >> 48) % 16 != 0) /* fewer of the formats that processors do not support */
        mantissa |= 0x8000000000000000;
    if ((r >> 52) % 16 == 0)
        exponent = 0, mantissa = 0;
    store_le64(out, mantissa);
    store_le16(out + 8, (u16)(exponent | (r >> 63) << 15));
}

/* One of: double, single, extended, small integers, packed decimal, anything. */
static inline void x87_random_memory(u64 *seed, u8 *out)
{
    static const u64 doubles[] = {0,
                                  0x8000000000000000,
                                  0x3FF0000000000000,
                                  0xBFF8000000000000,
                                  0x7FF0000000000000,
                                  0xFFF0000000000000,
                                  0x7FF8000000000000,
                                  0x7FF0000000000001,
                                  0xFFF4000000000000,
                                  1,
                                  0x800FFFFFFFFFFFFF,
                                  0x0010000000000000,
                                  0x7FEFFFFFFFFFFFFF,
                                  0x41DFFFFFFFC00000};
    static const u32 singles[] = {0,          0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000,
                                  0xFFC00001, 0x7F800001, 0xFFA00000, 1,          0x807FFFFF, 0x00800000, 0x7F7FFFFF};
    u64 r = x87_random(seed);

    for (unsigned i = 0; i < 16; i += 8)
        store_le64(out + i, x87_random(seed));
    switch (r % 6) {
    case 0: store_le64(out, doubles[(r >> 8) % ARRAY_LEN(doubles)]); break;
    case 1: store_le32(out, singles[(r >> 8) % ARRAY_LEN(singles)]); break;
    case 2: x87_random_register(seed, out); break;
    case 3: store_le64(out, (u64)((i64)((r >> 8) % 41) - 20)); break;
    case 4:
        for (unsigned i = 0; i < 9; i++)
            out[i] = (u8)((x87_random(seed) % 10) << 4 | x87_random(seed) % 10);
        break;
    default: break;
    }
}

static inline void x87_random_case(u64 *seed, struct x87_case *c)
{
    u64 r = x87_random(seed), s = x87_random(seed);
    u16 control = 0x003F, status = (u16)(s & 0x7F00), tag = 0;

    memset(c, 0, sizeof *c);
    if (r % 2)
        control = (r >> 8) & 0x3F;
    if (r % 8 == 2)
        control = (u16)(0x3F ^ (1u << (r >> 8) % 6));
    control |= (r >> 16) & 3 ? (u16)(0x300 | ((r >> 18) & 0xC00)) : (u16)((r >> 18) & 0x1F00);
    if ((s >> 16) % 8 == 0)
        status |= (s >> 20) & 0x7F; /* may be pending */
    else if ((s >> 16) % 8 == 1)
        status |= (s >> 20) & control & 0x3F;
    for (unsigned i = 0; i < 8; i++)
        if ((s >> 28) % 4 == 0 ? x87_random(seed) % 2 == 0 : (s >> 32) % 4 == 0 && i == (status >> 11 & 7))
            tag |= (u16)(3u << (2 * i));
    if ((s >> 28) % 4 != 0) /* room for a push, mostly */
        if ((s >> 40) % 8)
            tag |= (u16)(3u << (2 * (((status >> 11) + 7) & 7)));
    store_le32(c->image, control | 0xFFFF0000);
    store_le32(c->image + 4, status | 0xFFFF0000);
    store_le32(c->image + 8, tag | 0xFFFF0000);
    for (unsigned i = 0; i < 8; i++)
        x87_random_register(seed, c->image + 28 + 10 * i);
    if (r >> 60 == 0) /* nearly equal operands */
        memcpy(c->image + 38, c->image + 28, 9);
    for (unsigned i = 0; i < X87_MEMORY; i += 16)
        x87_random_memory(seed, c->memory + i);
    c->rax = x87_random(seed);
    c->rflags = 0x202 | (x87_random(seed) & FLAGS_ARITHMETIC);
}

#endif
