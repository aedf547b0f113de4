/* SPDX-License-Identifier: MIT
 * Runs the same bytes on the host processor and in the emulator, from the same registers, for comparison.
 *
 * Registers that the generated encodings use: XMM0 (implicit), XMM1, XMM2; MM1, MM2; RAX, RCX, RDX; memory at [RDI].
 */
#ifndef RINGSIDE_TESTS_SSE_NATIVE_H
#define RINGSIDE_TESTS_SSE_NATIVE_H

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "unit/isa_fixture.h"

#include "cpu/isa/table.h"

#define NATIVE_MEMORY 128u

struct native_state {
    union xmm_reg xmm[3];
    u64 mm[2];
    u64 rax, rcx, rdx, rflags;
    u8 *memory;
    u64 code;
    u32 mxcsr;
    u32 host_mxcsr;
};

struct native {
    u8 *code; /* writable and executable page */
};

/* Signal handlers have no other argument than process-wide state. */
static struct {
    sigjmp_buf escape;
    u32 mxcsr;
} native_signal;

static inline void native_fault(int number, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;

    (void)info;
    native_signal.mxcsr = uc->uc_mcontext.fpregs->mxcsr;
    siglongjmp(native_signal.escape, number);
}

static inline void native_open(struct native *n)
{
    struct sigaction action = {.sa_sigaction = native_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    n->code = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(n->code, MAP_FAILED);
    assert_int_equal(sigaction(SIGFPE, &action, NULL), 0);
    assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
}

static inline void native_close(struct native *n)
{
    signal(SIGFPE, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    munmap(n->code, PAGE_SIZE);
}

__attribute__((noinline, unused)) static void native_enter(struct native_state *state)
{
    __asm__ volatile("sub $256, %%rsp\n" /* stay clear of the red zone */
                     "push %%rbx\n"
                     "movdqu 0(%%rsi), %%xmm0\n"
                     "movdqu 16(%%rsi), %%xmm1\n"
                     "movdqu 32(%%rsi), %%xmm2\n"
                     "movq 48(%%rsi), %%mm1\n"
                     "movq 56(%%rsi), %%mm2\n"
                     "pushq 88(%%rsi)\n"
                     "popfq\n"
                     "mov 64(%%rsi), %%rax\n"
                     "mov 72(%%rsi), %%rcx\n"
                     "mov 80(%%rsi), %%rdx\n"
                     "mov 96(%%rsi), %%rdi\n"
                     "mov 104(%%rsi), %%rbx\n"
                     "ldmxcsr 112(%%rsi)\n"
                     "call *%%rbx\n"
                     "stmxcsr 112(%%rsi)\n"
                     "ldmxcsr 116(%%rsi)\n"
                     "mov %%rax, 64(%%rsi)\n"
                     "mov %%rcx, 72(%%rsi)\n"
                     "mov %%rdx, 80(%%rsi)\n"
                     "pushfq\n"
                     "popq 88(%%rsi)\n"
                     "movdqu %%xmm0, 0(%%rsi)\n"
                     "movdqu %%xmm1, 16(%%rsi)\n"
                     "movdqu %%xmm2, 32(%%rsi)\n"
                     "movq %%mm1, 48(%%rsi)\n"
                     "movq %%mm2, 56(%%rsi)\n"
                     "emms\n"
                     "cld\n"
                     "pop %%rbx\n"
                     "add $256, %%rsp\n"
                     :
                     : "S"(state)
                     : "memory", "cc", "rax", "rcx", "rdx", "rdi", "xmm0", "xmm1", "xmm2");
}

/* Run on the host. returns: -1, or the vector that its signal stands for (then only mxcsr is changed in *state) */
static inline int native_run(struct native *n, const u8 *bytes, unsigned size, struct native_state *state)
{
    static const struct {
        int number, vector;
    } signals[] = {{SIGFPE, VEC_XM}, {SIGSEGV, VEC_GP}};
    struct native_state before;
    int number;

    memcpy(n->code, bytes, size);
    n->code[size] = 0xC3;
    state->code = (u64)(uintptr_t)n->code;
    state->host_mxcsr = 0x1F80;
    before = *state;
    number = sigsetjmp(native_signal.escape, 1);
    if (number == 0) {
        native_enter(state);
        return -1;
    }
    __asm__ volatile("ldmxcsr %0\n emms\n" : : "m"(before.host_mxcsr));
    *state = before;
    state->mxcsr = native_signal.mxcsr;
    return signals[number == SIGSEGV].vector;
}

/* Run in the emulator. returns: as fixture_run() */
static inline int emulated_run(struct fixture *fx, const u8 *bytes, unsigned size, struct native_state *state,
                               unsigned shift)
{
    struct cpu_arch *a = &fx->cpu->arch;
    int vector;

    memcpy(a->xmm, state->xmm, sizeof state->xmm);
    for (unsigned i = 0; i < 2; i++)
        a->x87[1 + i].mantissa = state->mm[i];
    a->x87_status = 0x2800;
    a->x87_tag = 0xFFFF;
    a->gpr[RAX] = state->rax;
    a->gpr[RCX] = state->rcx;
    a->gpr[RDX] = state->rdx;
    a->gpr[RDI] = FIXTURE_DATA + shift;
    a->mxcsr = state->mxcsr;
    flags_put(fx->cpu, state->rflags);
    fixture_write(fx, FIXTURE_DATA, state->memory - shift, NATIVE_MEMORY);

    vector = fixture_run(fx, bytes, size);

    memcpy(state->xmm, a->xmm, sizeof state->xmm);
    for (unsigned i = 0; i < 2; i++)
        state->mm[i] = a->x87[1 + i].mantissa;
    state->rax = a->gpr[RAX];
    state->rcx = a->gpr[RCX];
    state->rdx = a->gpr[RDX];
    state->mxcsr = a->mxcsr;
    state->rflags = flags_get(fx->cpu);
    physmem_read(fx->pm, FIXTURE_DATA, state->memory - shift, NATIVE_MEMORY, INITIATOR_LOADER);
    return vector;
}

/* ---- random numbers and interesting values */
static inline u64 random_next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static inline u32 random_single(u64 *seed)
{
    static const u32 special[] = {0,          0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000,
                                  0x7FC00000, 0xFFC00001, 0x7F800001, 0xFFA00000, 1,          0x807FFFFF,
                                  0x00800000, 0x00800001, 0x7F7FFFFF, 0x4F000000, 0xCF000000, 0x4EFFFFFF,
                                  0x5F000000, 0x3F000000, 0x40200000, 0x00400000, 0x1F800000};
    u64 r = random_next(seed);

    return r % 3 ? special[(r >> 8) % ARRAY_LEN(special)] : (u32)(r >> 16);
}

static inline u64 random_double(u64 *seed)
{
    static const u64 special[] = {0,
                                  0x8000000000000000,
                                  0x3FF0000000000000,
                                  0xBFF8000000000000,
                                  0x7FF0000000000000,
                                  0xFFF0000000000000,
                                  0x7FF8000000000000,
                                  0xFFF8000000000001,
                                  0x7FF0000000000001,
                                  0xFFF4000000000000,
                                  1,
                                  0x800FFFFFFFFFFFFF,
                                  0x0010000000000000,
                                  0x0010000000000001,
                                  0x7FEFFFFFFFFFFFFF,
                                  0x41E0000000000000,
                                  0xC1E0000000200000,
                                  0x41DFFFFFFFC00000,
                                  0x43E0000000000000,
                                  0xC3E0000000000000,
                                  0x3FE0000000000000,
                                  0x4004000000000000,
                                  0x3690000000000000,
                                  0x3800000000000000,
                                  0x380FFFFFF0000000,
                                  0x47EFFFFFF0000000,
                                  0x36A8000000000000,
                                  0x1FF0000000000000,
                                  0x0008000000000000};
    u64 r = random_next(seed);

    return r % 3 ? special[(r >> 8) % ARRAY_LEN(special)] : random_next(seed);
}

static inline void random_vector(u64 *seed, u8 *out)
{
    union xmm_reg v;
    unsigned style = (unsigned)(random_next(seed) % 5);

    for (unsigned i = 0; i < 4; i++)
        v.u32[i] = random_single(seed);
    for (unsigned i = 0; i < 2 && style == 1; i++)
        v.u64[i] = random_double(seed);
    for (unsigned i = 0; i < 2 && style == 2; i++)
        v.u64[i] = random_next(seed);
    for (unsigned i = 0; i < 16 && style == 3; i++) /* few values, zeros among them: strings, selectors */
        v.u8[i] = (u8)("\0ab\0b\x80\xFF\x01\x7F\0az"[random_next(seed) % 12]);
    if (style == 4) { /* a small count or value */
        v.u64[0] = random_next(seed) % 80;
        v.u64[1] = random_next(seed);
    }
    memcpy(out, &v, sizeof v);
}

static inline void random_state(u64 *seed, struct native_state *s, u32 mxcsr)
{
    for (unsigned i = 0; i < 3; i++)
        random_vector(seed, s->xmm[i].u8);
    for (unsigned i = 0; i < 2; i++) {
        union xmm_reg v;

        random_vector(seed, v.u8);
        s->mm[i] = v.u64[0];
    }
    for (unsigned i = 0; i + 16 <= NATIVE_MEMORY / 2; i += 16)
        random_vector(seed, s->memory + i);
    s->rax = random_next(seed) % 3 ? random_next(seed) % 40 - 20 : random_next(seed);
    s->rcx = random_next(seed);
    s->rdx = random_next(seed) % 3 ? random_next(seed) % 40 - 20 : random_next(seed);
    s->rflags = 0x202 | (random_next(seed) & FLAGS_ARITHMETIC);
    s->mxcsr = mxcsr;
}

#endif
