/* SPDX-License-Identifier: MIT
 * Executing cases on this processor.
 *
 * A child runs them in a chain of signals: each case ends with an exception (INT3 stands behind it, or it faults),
 * whose handler writes down what it finds, prepares the next case, and returns into it. Nothing is single-stepped: TF
 * would show in what PUSHF stores, and a hypervisor may get its trap wrong. The code is mapped twice, so that the case
 * cannot write to its own.
 *
 * Between the case and the moment when its segments are put away the handler must not use thread-local storage, nor
 * memory that needs no alignment: this file is built without stack protector and with general registers only.
 */
#define _GNU_SOURCE
#include "execute.h"

#include <asm/prctl.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "segments.h"

/* What the kernel's headers call these, and libc's do not. */
#define UC_FP_XSTATE_ 1
#define UC_SIGCONTEXT_SS_ 2
#define UC_STRICT_RESTORE_SS_ 4

#define CODE_BYTES (HARDWARE_CODE_END - HARDWARE_CODE)
#define DATA_BYTES (HARDWARE_DATA_END - HARDWARE_DATA)
#define READ_ONLY_BYTES (HARDWARE_READ_ONLY_END - HARDWARE_READ_ONLY)
#define BASE_FLAGS 0x202u
#define HANG_SECONDS 2

/* Where FXSAVE and the head of an XSAVE image have things. SDM 1, "FXSAVE Area", "XSAVE Header". */
struct fx_image {
    u16 control, status;
    u8 valid, reserved;
    u16 opcode;
    u64 instruction, operand;
    u32 mxcsr, mxcsr_mask;
    u8 st[8][16];
    u8 xmm[16][16];
    u8 rest[96];
    u64 xstate_bv, xcomp_bv;
};

/* One process's state, in memory that it shares with its parent. */
struct session {
    struct hardware_case *cases;
    u8 *outcomes;
    unsigned count;
    atomic_uint current; /* the case under way; the parent reads it when the child dies */
    bool second;         /* its second execution */
    struct hardware_case first;
    u8 *code;      /* writable alias of the code pages */
    u8 *read_only; /* of the read-only page */
    u8 image[DATA_BYTES];
    ucontext_t home; /* where to go when all is done */
    bool started, busy;
    u64 own_fs, own_gs;
};

/* A handler has no argument of its own. */
static struct session *session;

/* ---- segment registers */

static void get_selectors(u16 selector[6])
{
    __asm__ volatile("mov %%es, %0" : "=m"(selector[0]));
    __asm__ volatile("mov %%ds, %0" : "=m"(selector[3]));
    __asm__ volatile("mov %%fs, %0" : "=m"(selector[4]));
    __asm__ volatile("mov %%gs, %0" : "=m"(selector[5]));
}

static long prctl_base(int what, u64 address)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(SYS_arch_prctl), "D"((long)what), "S"(address)
                     : "rcx", "r11", "memory");
    return result;
}

static u64 get_base(int what)
{
    u64 base = 0;

    prctl_base(what, (u64)(uintptr_t)&base);
    return base;
}

static void load_data_segments(u16 es, u16 ds)
{
    __asm__ volatile("mov %0, %%es; mov %1, %%ds" : : "r"((u32)es), "r"((u32)ds));
}

/* A base goes with a null selector only: the kernel clears the selector when it sets a base. */
static void load_case_segments(const struct hardware_state *s)
{
    load_data_segments(s->selector[0], s->selector[3]);
    prctl_base(ARCH_SET_GS, s->gs_base);
    if (s->selector[5] != 0)
        __asm__ volatile("mov %0, %%gs" : : "r"((u32)s->selector[5]));
    prctl_base(ARCH_SET_FS, s->fs_base);
    if (s->selector[4] != 0)
        __asm__ volatile("mov %0, %%fs" : : "r"((u32)s->selector[4]));
}

static void put_away_segments(void)
{
    load_data_segments(0, 0);
    prctl_base(ARCH_SET_FS, session->own_fs);
    prctl_base(ARCH_SET_GS, session->own_gs);
}

/* ---- registers in a signal's frame */

static const int greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static u16 selector_of(const ucontext_t *uc, unsigned shift)
{
    return (u16)((u64)uc->uc_mcontext.gregs[REG_CSGSFS] >> shift);
}

static void save_state(struct hardware_state *s, const ucontext_t *uc)
{
    const struct fx_image *fx = (const void *)uc->uc_mcontext.fpregs;

    for (unsigned i = 0; i < 16; i++)
        s->gpr[i] = (u64)uc->uc_mcontext.gregs[greg_of[i]];
    s->rip = (u64)uc->uc_mcontext.gregs[REG_RIP];
    s->rflags = (u32)uc->uc_mcontext.gregs[REG_EFL];
    s->selector[1] = selector_of(uc, 0);
    s->selector[2] = selector_of(uc, 48);
    s->mxcsr = fx->mxcsr;
    s->x87_control = fx->control;
    s->x87_status = fx->status;
    s->x87_valid = fx->valid;
    for (unsigned i = 0; i < 8; i++)
        memcpy(s->x87[i], fx->st[i], 10);
    memcpy(s->xmm, fx->xmm, sizeof s->xmm);
}

static void load_state(ucontext_t *uc, const struct hardware_state *s)
{
    struct fx_image *fx = (void *)uc->uc_mcontext.fpregs;

    for (unsigned i = 0; i < 16; i++)
        uc->uc_mcontext.gregs[greg_of[i]] = (greg_t)s->gpr[i];
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)s->rip;
    uc->uc_mcontext.gregs[REG_EFL] = (greg_t)s->rflags;
    uc->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)(s->selector[1] | (u64)s->selector[2] << 48);
    uc->uc_flags |= UC_SIGCONTEXT_SS_ | UC_STRICT_RESTORE_SS_;
    fx->mxcsr = s->mxcsr;
    fx->control = s->x87_control;
    fx->status = s->x87_status;
    fx->valid = s->x87_valid;
    fx->opcode = 0;
    fx->instruction = fx->operand = 0;
    memset(fx->st, 0, sizeof fx->st);
    for (unsigned i = 0; i < 8; i++)
        memcpy(fx->st[i], s->x87[i], 10);
    memcpy(fx->xmm, s->xmm, sizeof fx->xmm);
    if (uc->uc_flags & UC_FP_XSTATE_)
        fx->xstate_bv = 3; /* x87 and SSE are as here, everything newer as after reset */
}

/* ---- memory */

static u8 *place(u32 address)
{
    if (address >= HARDWARE_DATA && address < HARDWARE_DATA_END)
        return session->image + (address - HARDWARE_DATA);
    if (address >= HARDWARE_READ_ONLY && address < HARDWARE_READ_ONLY_END)
        return session->read_only + (address - HARDWARE_READ_ONLY);
    return session->code + (address - HARDWARE_CODE);
}

/* Where the case's bytes stand: 16-bit code counts from the code's first page. */
static u32 code_address(const struct hardware_case *c)
{
    return (u32)(c->mode == HARDWARE_16 ? HARDWARE_CODE + c->before.rip : c->before.rip);
}

static void put_runs(const struct hardware_case *c, bool background)
{
    for (unsigned r = 0; r < c->runs_before; r++) {
        const struct hardware_bytes *run = &c->before_run[r];

        for (unsigned i = 0; i < run->size; i++)
            *place(run->address + i) = background ? hardware_background(run->address + i) : c->bytes[run->at + i];
    }
}

static void put_code(const struct hardware_case *c, bool background)
{
    u32 at = code_address(c);

    for (unsigned i = 0; i < c->length && at + i < HARDWARE_CODE_END; i++)
        *place(at + i) = background ? 0xCC : c->code[i];
}

static void prepare_memory(const struct hardware_case *c)
{
    put_runs(c, false);
    put_code(c, false);
    memcpy((void *)(uintptr_t)HARDWARE_DATA, session->image, DATA_BYTES);
}

/* Append a run of changed bytes. returns: false when the case has no room for it */
static bool add_run(struct hardware_case *c, u32 address, const u8 *bytes, u16 size)
{
    if (c->runs_after == HARDWARE_RUNS_MAX || size > HARDWARE_BYTES_MAX - c->bytes_used)
        return false;
    c->after_run[c->runs_after++] = (struct hardware_bytes){.address = address, .size = size, .at = c->bytes_used};
    memcpy(c->bytes + c->bytes_used, bytes, size);
    c->bytes_used = (u16)(c->bytes_used + size);
    return true;
}

/* Changed bytes; a gap of up to four unchanged ones does not end a run. */
static bool save_memory(struct hardware_case *c)
{
    const u8 *now = (const u8 *)(uintptr_t)HARDWARE_DATA, *before = session->image;
    u32 at = 0;

    c->runs_after = 0;
    while (at < DATA_BYTES) {
        u32 end, last;

        if (at % 64 == 0 && memcmp(now + at, before + at, 64) == 0) {
            at += 64;
            continue;
        }
        if (now[at] == before[at]) {
            at++;
            continue;
        }
        for (end = last = at; end < DATA_BYTES && end - last <= 4; end++)
            if (now[end] != before[end])
                last = end;
        if (!add_run(c, HARDWARE_DATA + at, now + at, (u16)(last + 1 - at)))
            return false;
        at = last + 1;
    }
    return true;
}

/* ---- one case after the other */

static bool same_outcome(const struct hardware_case *a, const struct hardware_case *b)
{
    return a->vector == b->vector && a->error == b->error && a->cr2 == b->cr2 && a->runs_after == b->runs_after &&
           a->bytes_used == b->bytes_used && memcmp(&a->after, &b->after, sizeof a->after) == 0 &&
           memcmp(a->after_run, b->after_run, a->runs_after * sizeof a->after_run[0]) == 0 &&
           memcmp(a->bytes, b->bytes, a->bytes_used) == 0;
}

/* Fields that a case of this mode cannot hold, or that are not its own: so that equal outcomes are equal bytes. */
static void normalise(struct hardware_case *c)
{
    if (c->vector != 14)
        c->cr2 = 0;
    if (c->vector == 3)
        c->after.rip = c->mode == HARDWARE_16 ? (c->after.rip - 1) & 0xFFFF : c->after.rip - 1;
    if (c->mode == HARDWARE_16) /* the upper half is the kernel's: generate.c, reads_upper_stack_pointer() */
        c->after.gpr[4] = (c->before.gpr[4] & ~0xFFFFull) | (c->after.gpr[4] & 0xFFFF);
    if (c->mode != HARDWARE_64) {
        for (unsigned i = 0; i < 16; i++)
            c->after.gpr[i] = i < 8 ? (u32)c->after.gpr[i] : c->before.gpr[i];
        memcpy(c->after.xmm[8], c->before.xmm[8], 8 * sizeof c->after.xmm[0]);
    }
}

static void save_outcome(struct hardware_case *c, const ucontext_t *uc, const u16 selector[6], u64 fs, u64 gs)
{
    for (unsigned i = 0; i < 6; i++)
        c->after.selector[i] = selector[i];
    save_state(&c->after, uc);
    c->after.fs_base = fs;
    c->after.gs_base = gs;
    c->vector = (u8)uc->uc_mcontext.gregs[REG_TRAPNO];
    c->error = (u32)uc->uc_mcontext.gregs[REG_ERR];
    c->cr2 = (u64)uc->uc_mcontext.gregs[REG_CR2];
    normalise(c);
}

static u16 bytes_before(const struct hardware_case *c)
{
    u16 used = 0;

    for (unsigned r = 0; r < c->runs_before; r++)
        used = (u16)(used + c->before_run[r].size);
    return used;
}

/* The current case has run once more. returns: whether it is done with */
static bool note_outcome(struct session *s, struct hardware_case *c, const ucontext_t *uc, const u16 selector[6],
                         u64 fs, u64 gs)
{
    u8 *outcome = &s->outcomes[s->current];

    c->bytes_used = bytes_before(c);
    save_outcome(c, uc, selector, fs, gs);
    *outcome = EXECUTE_RECORDED;
    if (!save_memory(c))
        *outcome = EXECUTE_UNSTEADY;
    else if (!s->second)
        s->first = *c;
    else if (!same_outcome(&s->first, c))
        *outcome = EXECUTE_UNSTEADY;
    put_code(c, true);
    if (*outcome == EXECUTE_RECORDED && !s->second) {
        s->second = true;
        return false;
    }
    s->second = false;
    put_runs(c, true);
    return true;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    struct session *s;
    u16 selector[6] = {0};
    u64 fs, gs;

    __asm__ volatile("push %0; popf" : : "i"(BASE_FLAGS) : "cc", "memory"); /* AC, NT, ID */
    (void)number, (void)info;
    get_selectors(selector);
    fs = get_base(ARCH_GET_FS);
    gs = get_base(ARCH_GET_GS);
    s = session;
    if (s->busy)
        _exit(9); /* a fault of our own */
    put_away_segments();
    s->busy = true;
    if (!s->started) {
        s->started = true;
        s->home = *uc;
    } else if (note_outcome(s, &s->cases[s->current], uc, selector, fs, gs)) {
        s->current++;
    }
    if (s->current == s->count) {
        s->outcomes[s->count] = 1; /* all done */
        _exit(0);
    }
    prepare_memory(&s->cases[s->current]);
    load_state(uc, &s->cases[s->current].before);
    load_case_segments(&s->cases[s->current].before);
    s->busy = false;
}

/* ---- the child */

static bool map_twice(u32 address, u32 size, int protection, u8 **alias)
{
    int fd = memfd_create("ringside", MFD_CLOEXEC);
    bool ok;

    if (fd < 0 || ftruncate(fd, size) != 0)
        return false;
    ok = mmap((void *)(uintptr_t)address, size, protection, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, 0) ==
         (void *)(uintptr_t)address;
    *alias = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    close(fd);
    return ok && *alias != MAP_FAILED;
}

static bool map_places(struct session *s)
{
    if (!map_twice(HARDWARE_CODE, CODE_BYTES, PROT_READ | PROT_EXEC, &s->code) ||
        !map_twice(HARDWARE_READ_ONLY, READ_ONLY_BYTES, PROT_READ, &s->read_only) ||
        mmap((void *)(uintptr_t)HARDWARE_DATA, DATA_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0) == MAP_FAILED)
        return false;
    memset(s->code, 0xCC, CODE_BYTES);
    for (u32 i = 0; i < DATA_BYTES; i++)
        s->image[i] = hardware_background(HARDWARE_DATA + i);
    for (u32 i = 0; i < READ_ONLY_BYTES; i++)
        s->read_only[i] = hardware_background(HARDWARE_READ_ONLY + i);
    return true;
}

static bool pin(void)
{
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    return sched_setaffinity(0, sizeof first, &first) == 0;
}

static bool catch_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    stack_t stack = {.ss_size = 1 << 20};

    stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(signals); i++) {
        struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

        if (sigaction(signals[i], &action, NULL) != 0)
            return false;
    }
    return true;
}

/* Exit codes of the child: 0 all done; 8 the host refuses; 9 a fault outside of a case. */
NORETURN static void child(struct session *s)
{
    session = s;
    if (!pin() || !map_places(s) || !segments_install() || !catch_signals())
        _exit(8);
    s->own_fs = get_base(ARCH_GET_FS);
    s->own_gs = get_base(ARCH_GET_GS);
    __asm__ volatile("int3");
    _exit(9);
}

/* ---- the parent */

/* Wait for the child; one that stays with the same case for too long is killed. returns: its exit status */
static int watch(pid_t pid, struct session *s)
{
    struct timespec pause = {.tv_nsec = 2000000};
    unsigned last = ~0u, idle = 0;
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        unsigned now = s->current;

        idle = now == last ? idle + 1 : 0;
        last = now;
        if (idle > HANG_SECONDS * 500)
            kill(pid, SIGKILL);
        nanosleep(&pause, NULL);
    }
    return status;
}

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static bool run_all(struct session *s, struct error *err)
{
    while (s->current < s->count) {
        pid_t pid;
        int status;

        s->started = s->busy = s->second = false;
        s->outcomes[s->count] = 0;
        pid = fork();
        if (pid == 0)
            child(s);
        if (pid < 0)
            return error_set(err, EXIT_LIMIT, "fork: %s", strerror(errno));
        status = watch(pid, s);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 8)
            return error_set(err, EXIT_LIMIT,
                             "the places of the cases cannot be mapped, or their signals caught, here");
        if (s->outcomes[s->count] == 0) /* it died in this case: go on behind it */
            s->outcomes[s->current++] = EXECUTE_LOST;
    }
    return true;
}

bool execute_cases(struct hardware_case *cases, unsigned count, u8 *outcomes, struct error *err)
{
    size_t case_bytes = count * sizeof *cases;
    struct session *s = shared(sizeof *s);
    bool ok;

    if (s == NULL)
        return error_set(err, EXIT_LIMIT, "no shared memory");
    s->count = count;
    s->cases = shared(case_bytes + 1);
    s->outcomes = shared(count + 1);
    ok = s->cases != NULL && s->outcomes != NULL;
    if (ok) {
        memcpy(s->cases, cases, case_bytes);
        ok = run_all(s, err);
        memcpy(cases, s->cases, case_bytes);
        memcpy(outcomes, s->outcomes, count);
    } else {
        error_set(err, EXIT_LIMIT, "no shared memory for %u cases", count);
    }
    if (s->cases != NULL)
        munmap(s->cases, case_bytes + 1);
    if (s->outcomes != NULL)
        munmap(s->outcomes, count + 1);
    munmap(s, sizeof *s);
    return ok;
}

bool execute_describe(struct hardware_source *source, struct error *err)
{
    if (!pin())
        return error_set(err, EXIT_LIMIT, "this process may not run on processor 0");
    source->cr0_am = 1; /* Linux sets it on every processor */
    source->cr4_fsgsbase = (getauxval(AT_HWCAP2) & 2) != 0;
    return segments_describe(source, err);
}
