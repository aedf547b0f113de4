/* SPDX-License-Identifier: MIT
 * Run an instruction's bytes on the host processor: the oracle for register and flag results on x86-64 hosts.
 *
 * All general registers except RSP and the arithmetic flags are loaded from and stored to struct native_state.
 */
#ifndef RINGSIDE_TESTS_NATIVE_ORACLE_H
#define RINGSIDE_TESTS_NATIVE_ORACLE_H

#if defined(__x86_64__) && defined(__linux__)
#define HAVE_NATIVE_ORACLE 1
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "base/types.h"

struct native_state {
    u64 gpr[16];
    u64 flags;
};

__asm__(".text\n"
        "native_prologue:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rdi\n"
        "push 128(%rdi); popfq\n"
        "mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rbx\n"
        "mov 40(%rdi), %rbp; mov 48(%rdi), %rsi; mov 64(%rdi), %r8; mov 72(%rdi), %r9\n"
        "mov 80(%rdi), %r10; mov 88(%rdi), %r11; mov 96(%rdi), %r12; mov 104(%rdi), %r13\n"
        "mov 112(%rdi), %r14; mov 120(%rdi), %r15; mov 56(%rdi), %rdi\n"
        "native_prologue_end:\n"
        "native_epilogue:\n"
        "xchg %rdi, (%rsp)\n"
        "mov %rax, 0(%rdi); mov %rcx, 8(%rdi); mov %rdx, 16(%rdi); mov %rbx, 24(%rdi)\n"
        "mov %rbp, 40(%rdi); mov %rsi, 48(%rdi); mov %r8, 64(%rdi); mov %r9, 72(%rdi)\n"
        "mov %r10, 80(%rdi); mov %r11, 88(%rdi); mov %r12, 96(%rdi); mov %r13, 104(%rdi)\n"
        "mov %r14, 112(%rdi); mov %r15, 120(%rdi)\n"
        "pushfq; pop 128(%rdi); pop %rax; mov %rax, 56(%rdi); cld\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
        "native_epilogue_end:\n");
extern const u8 native_prologue[], native_prologue_end[], native_epilogue[], native_epilogue_end[];

struct native {
    u8 *page;
};

static sigjmp_buf native_fault;

static void native_on_signal(int signal) { siglongjmp(native_fault, signal); }

/* returns: false when the host refuses writable code. */
static inline bool native_open(struct native *native)
{
    native->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return native->page != MAP_FAILED;
}

static inline void native_close(struct native *native) { munmap(native->page, 4096); }

/* returns: false when the instruction raised a divide error. */
static inline bool native_run(struct native *native, struct native_state *state, const u8 *bytes, unsigned size)
{
    struct sigaction action = {.sa_handler = native_on_signal}, old;
    size_t before = (size_t)(native_prologue_end - native_prologue);
    size_t after = (size_t)(native_epilogue_end - native_epilogue);
    void (*run)(struct native_state *);
    bool completed = false;

    memcpy(native->page, native_prologue, before);
    memcpy(native->page + before, bytes, size);
    memcpy(native->page + before + size, native_epilogue, after);
    memcpy(&run, &native->page, sizeof run);
    sigaction(SIGFPE, &action, &old);
    if (sigsetjmp(native_fault, 1) == 0) {
        run(state);
        completed = true;
    }
    sigaction(SIGFPE, &old, NULL);
    return completed;
}

#endif
#endif
