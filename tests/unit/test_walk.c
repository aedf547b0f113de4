/* SPDX-License-Identifier: MIT
 * The walk of a crossing on synthetic streams: calls, tail calls, thunks, moved and dropped return addresses,
 * interrupts, task switches, pt_regs of both widths, counts that add up, and a tree without room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/trace.h"
#include "trace/walk/code.h"
#include "trace/walk/vdso.h"
#include "trace/walk/walk.h"

#define K 0xFFFFFFFF81000000ull
#define STACK 0xFFFFC90000010000ull
#define OTHER_STACK 0xFFFFC90000090000ull
#define USER_SP 0x7FFF0000ull

/* Each function is 0x100 bytes long. */
static const char *const functions[] = {"entry_SYSCALL_64",
                                        "do_syscall_64",
                                        "__x64_sys_a",
                                        "helper",
                                        "helper.cold",
                                        "other",
                                        "__x86_indirect_thunk_rax",
                                        "__x86_return_thunk",
                                        "asm_irq",
                                        "irq_handler",
                                        "__switch_to_asm",
                                        "__switch_to",
                                        "__schedule",
                                        "do_exit",
                                        "error_entry"};
enum {
    F_ENTRY,
    F_DO_SYSCALL,
    F_SYS_A,
    F_HELPER,
    F_COLD,
    F_OTHER,
    F_THUNK,
    F_RET_THUNK,
    F_ASM_IRQ,
    F_IRQ,
    F_SWITCH_ASM,
    F_SWITCH,
    F_SCHEDULE,
    F_EXIT,
    F_ERROR
};

static u64 at(unsigned function, unsigned offset) { return K + function * 0x100u + offset; }

static bool symbol(void *context, u64 address, bool user, struct walk_symbol *s)
{
    (void)context;
    if (user || address < K || address >= K + sizeof functions / sizeof functions[0] * 0x100)
        return false;
    s->name = functions[(address - K) / 0x100];
    s->start = address & ~0xFFull;
    s->end = s->start + 0x100;
    return true;
}

struct fixture {
    struct trace_walk *walk;
    struct walk_insn insn;
    u64 retired;
    bool narrow;
};

static struct fixture fixture_new(enum walk_insns insns, size_t max_nodes)
{
    struct walk_options options = {.symbol = symbol, .insns = insns, .max_nodes = max_nodes};
    struct fixture f = {.walk = walk_new(&options), .retired = 1000};

    return f;
}

/* One instruction at rip with this stack pointer; it completes. */
static enum walk_state step(struct fixture *f, u64 rip, u64 sp, const char *bytes, u8 length)
{
    struct walk_insn insn = {.rip = rip, .retired = f->retired++, .length = length, .mode = MODE_LONG};

    if (f->narrow)
        insn.mode = MODE_PM32;
    insn.gpr[RSP] = sp;
    memcpy(insn.bytes, bytes, length);
    return walk_insn(f->walk, &insn);
}

#define STEP(f, rip, sp, bytes) step(f, rip, sp, bytes, sizeof(bytes) - 1)
#define NOP "\x90"
#define CALL "\xE8\0\0\0\0"
#define CALL_INDIRECT "\xFF\xD0"
#define RET "\xC3"
#define JMP "\xE9\0\0\0\0"
#define PUSH_RAX "\x50"
#define POP_RAX "\x58"
#define MOV_SP "\x48\x89\xE0" /* the bytes do not matter */

static enum walk_state transition(struct fixture *f, enum mechanism mechanism, unsigned from_cpl, unsigned to_cpl,
                                  u64 from, u64 from_sp, u64 to, u64 to_sp)
{
    struct event_record e = {.mechanism = (u8)mechanism,
                             .from_cpl = (u8)from_cpl,
                             .to_cpl = (u8)to_cpl,
                             .from_rip = from,
                             .from_rsp = from_sp,
                             .to_rip = to,
                             .to_rsp = to_sp,
                             .retired = f->retired,
                             .to_mode = f->narrow ? MODE_PM32 : MODE_LONG,
                             .from_mode = f->narrow ? MODE_PM32 : MODE_LONG};

    return walk_transition(f->walk, f->retired, &e);
}

/* The entry by SYSCALL, the stub's stack, and its call of do_syscall_64: what most tests begin with. */
static void enter(struct fixture *f)
{
    assert_int_equal(walk_state(f->walk), WALK_WAITS);
    assert_int_equal(transition(f, MECH_SYSCALL, 3, 0, 0x401000, USER_SP, at(F_ENTRY, 0), USER_SP), WALK_INSIDE);
    f->retired++; /* SYSCALL itself */
    STEP(f, at(F_ENTRY, 0), USER_SP, MOV_SP);
    STEP(f, at(F_ENTRY, 3), STACK, CALL);
    STEP(f, at(F_DO_SYSCALL, 0), STACK - 8, NOP);
}

static void leave(struct fixture *f)
{
    STEP(f, at(F_DO_SYSCALL, 1), STACK - 8, RET);
    STEP(f, at(F_ENTRY, 8), STACK, NOP);
    f->retired--; /* SYSRET does not complete before its event */
    assert_int_equal(transition(f, MECH_SYSRET, 0, 3, at(F_ENTRY, 8), STACK, 0x401002, USER_SP), WALK_ENDED);
}

static const struct walk_node *node_named(const struct walk_tree *t, const char *name)
{
    for (size_t i = 0; i < t->nodes; i++)
        if (t->node[i].symbol.name != NULL && strcmp(t->node[i].symbol.name, name) == 0)
            return &t->node[i];
    fail_msg("no node %s", name);
    return NULL;
}

static const struct walk_node *parent(const struct walk_tree *t, const struct walk_node *n)
{
    return &t->node[n->parent];
}

static unsigned nodes_of(const struct walk_tree *t, enum walk_kind kind)
{
    unsigned n = 0;

    for (size_t i = 0; i < t->nodes; i++)
        n += t->node[i].kind == kind && !t->node[i].hidden;
    return n;
}

/* The counts of all nodes are the instructions between the two events. */
static const struct walk_tree *whole(struct fixture *f)
{
    const struct walk_tree *t = walk_tree(f->walk);
    u64 sum = 0;

    for (size_t i = 0; i < t->nodes; i++)
        sum += t->node[i].self;
    assert_int_equal(sum, t->insns);
    assert_int_equal(t->node[0].total, t->insns);
    assert_int_equal(t->insns, t->exit.retired - t->entry.retired);
    return t;
}

static void calls_and_returns(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(&f, at(F_SYS_A, 0), STACK - 16, CALL);
    STEP(&f, at(F_HELPER, 0), STACK - 24, NOP);
    STEP(&f, at(F_HELPER, 1), STACK - 24, RET);
    STEP(&f, at(F_SYS_A, 5), STACK - 16, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, JMP);
    leave(&f);
    t = whole(&f);
    assert_int_equal(t->end, WALK_RETURNED);
    assert_int_equal(node_named(t, "helper")->self, 2);
    assert_int_equal(node_named(t, "__x64_sys_a")->self, 2);
    assert_int_equal(node_named(t, "__x64_sys_a")->total, 4);
    assert_int_equal(node_named(t, "do_syscall_64")->self, 4);
    assert_int_equal(node_named(t, "do_syscall_64")->total, 8);
    assert_int_equal(node_named(t, "entry_SYSCALL_64")->self, 2);
    assert_ptr_equal(parent(t, node_named(t, "helper")), node_named(t, "__x64_sys_a"));
    assert_int_equal(nodes_of(t, WALK_FUNCTION), 4);
    assert_int_equal(t->insns, 1 + 2 + 8);
    walk_free(f.walk);
}

/* A jump to another function takes its activation over: it returns to the caller's caller. */
static void tail_call(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(&f, at(F_SYS_A, 0), STACK - 16, JMP);
    STEP(&f, at(F_HELPER, 0), STACK - 16, JMP);
    STEP(&f, at(F_COLD, 0), STACK - 16, JMP); /* the same function */
    STEP(&f, at(F_HELPER, 9), STACK - 16, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, JMP);
    leave(&f);
    t = whole(&f);
    assert_true(node_named(t, "helper")->tail);
    assert_int_equal(node_named(t, "helper")->self, 3);
    assert_ptr_equal(parent(t, node_named(t, "helper")), node_named(t, "do_syscall_64"));
    assert_int_equal(nodes_of(t, WALK_FUNCTION), 4);
    assert_int_equal(node_named(t, "do_syscall_64")->self, 4);
    walk_free(f.walk);
}

/* call thunk; thunk: call 1f; 1: mov %rax,(%rsp); ret: the call is one of `helper`. Its return goes by a return thunk.
 */
static void retpoline(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(&f, at(F_THUNK, 0), STACK - 16, CALL);
    STEP(&f, at(F_THUNK, 12), STACK - 24, "\x48\x89\x04\x24");
    STEP(&f, at(F_THUNK, 16), STACK - 24, RET);
    STEP(&f, at(F_HELPER, 0), STACK - 16, JMP);
    STEP(&f, at(F_RET_THUNK, 0), STACK - 16, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, NOP);
    leave(&f);
    t = whole(&f);
    assert_int_equal(nodes_of(t, WALK_FUNCTION), 3);
    assert_int_equal(node_named(t, "helper")->self, 5);
    assert_false(node_named(t, "helper")->tail);
    assert_int_equal(node_named(t, "do_syscall_64")->self, 4);
    walk_free(f.walk);
}

/* A tail call through a retpoline. */
static void retpoline_tail(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(&f, at(F_SYS_A, 0), STACK - 16, JMP);
    STEP(&f, at(F_THUNK, 0), STACK - 16, CALL);
    STEP(&f, at(F_THUNK, 12), STACK - 24, "\x48\x89\x04\x24");
    STEP(&f, at(F_THUNK, 16), STACK - 24, RET);
    STEP(&f, at(F_HELPER, 0), STACK - 16, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, JMP);
    leave(&f);
    t = whole(&f);
    assert_int_equal(node_named(t, "__x64_sys_a")->self, 4);
    assert_int_equal(node_named(t, "helper")->self, 1);
    assert_true(node_named(t, "helper")->tail);
    walk_free(f.walk);
}

/* Return addresses that are dropped (filling of the return stack), and a return over two functions at once. */
static void unbalanced(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(&f, at(F_DO_SYSCALL, 10), STACK - 16, CALL);
    STEP(&f, at(F_DO_SYSCALL, 20), STACK - 24, "\x48\x83\xC4\x10"); /* add $16, %rsp */
    STEP(&f, at(F_DO_SYSCALL, 24), STACK - 8, CALL);
    STEP(&f, at(F_SYS_A, 0), STACK - 16, CALL);
    STEP(&f, at(F_HELPER, 0), STACK - 24, POP_RAX);
    STEP(&f, at(F_HELPER, 1), STACK - 16, RET); /* to do_syscall_64 */
    STEP(&f, at(F_DO_SYSCALL, 29), STACK - 8, NOP);
    leave(&f);
    t = whole(&f);
    assert_int_equal(nodes_of(t, WALK_FUNCTION), 4);
    assert_int_equal(node_named(t, "do_syscall_64")->self, 7);
    assert_int_equal(node_named(t, "helper")->self, 2);
    walk_free(f.walk);
}

/* error_entry moves its return address below what it pushes. */
static void moved_return_address(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(&f, at(F_ERROR, 0), STACK - 16, PUSH_RAX);
    STEP(&f, at(F_ERROR, 1), STACK - 24, PUSH_RAX);
    STEP(&f, at(F_ERROR, 2), STACK - 32, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 24, NOP);
    STEP(&f, at(F_DO_SYSCALL, 7), STACK - 24, "\x48\x83\xC4\x10");
    leave(&f);
    t = whole(&f);
    assert_int_equal(nodes_of(t, WALK_FUNCTION), 3);
    assert_int_equal(node_named(t, "do_syscall_64")->self, 5);
    walk_free(f.walk);
}

static void nested_interrupt(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_node *n;
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    /* The call is complete; then the interrupt. */
    transition(&f, MECH_IRQ, 0, 0, at(F_HELPER, 0), STACK - 16, at(F_ASM_IRQ, 0), STACK - 64);
    STEP(&f, at(F_ASM_IRQ, 0), STACK - 64, CALL);
    STEP(&f, at(F_IRQ, 0), STACK - 72, RET);
    STEP(&f, at(F_ASM_IRQ, 5), STACK - 64, "\x48\xCF");
    f.retired--;
    transition(&f, MECH_IRET_SAME, 0, 0, at(F_ASM_IRQ, 5), STACK - 64, at(F_HELPER, 0), STACK - 16);
    f.retired++;
    STEP(&f, at(F_HELPER, 0), STACK - 16, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, JMP);
    leave(&f);
    t = whole(&f);
    n = node_named(t, "asm_irq");
    assert_int_equal(n->self, 2);
    assert_int_equal(n->total, 3);
    assert_int_equal(parent(t, n)->kind, WALK_INTERRUPT);
    assert_string_equal(parent(t, parent(t, n))->symbol.name, "helper");
    assert_int_equal(node_named(t, "do_syscall_64")->self, 4);
    walk_free(f.walk);
}

/* A fault comes in place of its instruction; the handler returns to a fixup. */
static void fault_and_fixup(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(&f, at(F_HELPER, 0), STACK - 16, CALL_INDIRECT); /* faults: no call */
    f.retired--;
    transition(&f, MECH_FAULT, 0, 0, at(F_HELPER, 0), STACK - 16, at(F_ASM_IRQ, 0), STACK - 72);
    STEP(&f, at(F_ASM_IRQ, 0), STACK - 72, NOP);
    STEP(&f, at(F_ASM_IRQ, 1), STACK - 64, "\x48\xCF");
    f.retired--;
    transition(&f, MECH_IRET_SAME, 0, 0, at(F_ASM_IRQ, 1), STACK - 64, at(F_HELPER, 0x40), STACK - 16);
    f.retired++;
    STEP(&f, at(F_HELPER, 0x40), STACK - 16, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, JMP);
    leave(&f);
    t = whole(&f);
    assert_int_equal(node_named(t, "helper")->self, 1);
    assert_int_equal(node_named(t, "asm_irq")->self, 2);
    assert_int_equal(nodes_of(t, WALK_FUNCTION), 4);
    walk_free(f.walk);
}

static void into_schedule(struct fixture *f, unsigned caller)
{
    STEP(f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
    STEP(f, at(caller, 0), STACK - 16, CALL);
    STEP(f, at(F_SCHEDULE, 0), STACK - 24, CALL);
    STEP(f, at(F_SWITCH_ASM, 0), STACK - 32, MOV_SP); /* loads the next task's stack pointer */
}

static void task_switch(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    const struct walk_node *others;
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    into_schedule(&f, F_SYS_A);
    assert_int_equal(STEP(&f, at(F_SWITCH_ASM, 3), OTHER_STACK, JMP), WALK_AWAY);
    STEP(&f, at(F_SWITCH, 0), OTHER_STACK, RET);
    STEP(&f, at(F_OTHER, 0), OTHER_STACK + 8, CALL);
    STEP(&f, at(F_HELPER, 0), OTHER_STACK, NOP);
    f.retired--;
    assert_int_equal(transition(&f, MECH_SYSRET, 0, 3, at(F_HELPER, 0), OTHER_STACK, 0x401002, USER_SP), WALK_AWAY);
    f.retired++;
    transition(&f, MECH_IRQ, 3, 0, 0x401002, USER_SP, at(F_ASM_IRQ, 0), OTHER_STACK);
    STEP(&f, at(F_SWITCH_ASM, 0), OTHER_STACK, MOV_SP);
    assert_int_equal(STEP(&f, at(F_SWITCH_ASM, 3), STACK - 32, JMP), WALK_INSIDE);
    STEP(&f, at(F_SWITCH, 0), STACK - 32, RET);
    STEP(&f, at(F_SCHEDULE, 5), STACK - 24, RET);
    STEP(&f, at(F_SYS_A, 5), STACK - 16, RET);
    STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, JMP);
    leave(&f);
    t = whole(&f);
    assert_int_equal(t->switched, 1);
    assert_int_equal(t->others, 5);
    for (others = t->node; others->kind != WALK_OTHERS; others++)
        assert_true(others < t->node + t->nodes - 1);
    assert_int_equal(others->self, 5);
    assert_int_equal(others->a, 1);
    assert_string_equal(parent(t, others)->symbol.name, "__switch_to_asm");
    assert_int_equal(node_named(t, "__switch_to")->self, 1);
    assert_int_equal(node_named(t, "__schedule")->self, 2);
    walk_free(f.walk);
}

static void task_is_gone(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);

    (void)state;
    enter(&f);
    into_schedule(&f, F_EXIT);
    assert_int_equal(STEP(&f, at(F_SWITCH_ASM, 3), OTHER_STACK, JMP), WALK_ENDED);
    assert_int_equal(walk_tree(f.walk)->end, WALK_GONE);
    assert_int_equal(walk_tree(f.walk)->switched, 0);
    walk_free(f.walk);
}

/* ---- pt_regs */

static u64 pushed;

static bool peek(void *context, u64 address, void *out, size_t size)
{
    (void)context;
    (void)address;
    memcpy(out, &pushed, size);
    return true;
}

/* The slots that are shown, in order. */
static void assert_slots(const struct walk_tree *t, const char *const *names, unsigned count)
{
    unsigned n = 0;

    for (size_t i = 0; i < t->nodes; i++) {
        if (t->node[i].kind != WALK_SLOT || t->node[i].hidden)
            continue;
        assert_true(n < count);
        assert_string_equal(walk_slot_name(t->is64, (unsigned)t->node[i].a), names[n++]);
    }
    assert_int_equal(n, count);
}

static void slots_of_syscall(void **state)
{
    static const char *const names[] = {"ss", "rsp", "rflags", "cs", "rip", "orig_rax", "rdi", "rdx", "rsi"};
    struct walk_options options = {.symbol = symbol, .peek = peek};
    struct fixture f = {.walk = walk_new(&options), .retired = 1000};
    const struct walk_tree *t;
    u64 sp = STACK;

    (void)state;
    pushed = 0x1234;
    transition(&f, MECH_SYSCALL, 3, 0, 0x401000, USER_SP, at(F_ENTRY, 0), USER_SP);
    f.retired++;
    STEP(&f, at(F_ENTRY, 0), USER_SP, MOV_SP);
    for (unsigned i = 0; i < 6; i++, sp -= 8)
        STEP(&f, at(F_ENTRY, 3 + i), sp, PUSH_RAX);
    STEP(&f, at(F_ENTRY, 9), sp, PUSH_RAX); /* for a moment only */
    STEP(&f, at(F_ENTRY, 10), sp - 8, POP_RAX);
    STEP(&f, at(F_ENTRY, 11), sp, "\x48\x83\xEC\x18"); /* sub $24, %rsp */
    sp -= 24;
    STEP(&f, at(F_ENTRY, 15), sp, "\x48\x89\x7C\x24\x10"); /* mov %rdi, 16(%rsp) */
    STEP(&f, at(F_ENTRY, 20), sp, "\x48\x89\x14\x24");     /* mov %rdx, (%rsp) */
    STEP(&f, at(F_ENTRY, 24), sp, "\x48\x89\x74\x24\x08"); /* mov %rsi, 8(%rsp) */
    STEP(&f, at(F_ENTRY, 29), sp, "\x48\x89\x74\x24\x09"); /* no word of the frame */
    STEP(&f, at(F_ENTRY, 34), sp, CALL);
    STEP(&f, at(F_DO_SYSCALL, 0), sp - 8, PUSH_RAX); /* C code: no slot */
    t = walk_tree(f.walk);
    assert_slots(t, names, ARRAY_LEN(names));
    for (size_t i = 0; i < t->nodes; i++)
        if (t->node[i].kind == WALK_SLOT) {
            assert_true(t->node[i].known);
            assert_int_equal(t->node[i].b, 0x1234);
        }
    walk_free(f.walk);
}

/* INT 80h on i386: five words by the processor, the rest by the stub. */
static void slots_of_int80(void **state)
{
    static const char *const names[] = {"ss", "sp", "flags", "cs", "ip", "orig_ax", "gs", "fs", "es"};
    struct walk_options options = {.symbol = symbol};
    struct fixture f = {.walk = walk_new(&options), .retired = 1000, .narrow = true};
    struct event_record e = {.mechanism = MECH_INT_N,
                             .from_cpl = 3,
                             .from_rip = 0x8048000,
                             .from_rsp = 0xBFFF0000,
                             .to_rip = (u32)K,
                             .to_rsp = 0xC1001FEC,
                             .frame_address = 0xC1001FEC,
                             .frame_words = 5,
                             .frame_word_bytes = 4,
                             .stack_source = STACK_TSS_SS_ESP,
                             .present = EVENT_HAS_FRAME,
                             .frame0 = 0x8048002,
                             .from_mode = MODE_PM32,
                             .to_mode = MODE_PM32,
                             .retired = 1000};
    const struct walk_tree *t;

    (void)state;
    walk_transition(f.walk, 1, &e);
    f.retired++;
    STEP(&f, 0x81000000, 0xC1001FEC, PUSH_RAX);
    STEP(&f, 0x81000001, 0xC1001FE8, "\x6A\x00"); /* push $0 */
    STEP(&f, 0x81000003, 0xC1001FE4, "\x0F\xA0"); /* push %fs */
    STEP(&f, 0x81000005, 0xC1001FE0, PUSH_RAX);   /* a scratch word where es will be */
    STEP(&f, 0x81000006, 0xC1001FDC, POP_RAX);
    STEP(&f, 0x81000007, 0xC1001FE0, "\x06"); /* push %es */
    STEP(&f, 0x81000008, 0xC1001FDC, NOP);
    t = walk_tree(f.walk);
    assert_slots(t, names, ARRAY_LEN(names));
    assert_false(t->is64);
    for (size_t i = 0; i < t->nodes; i++)
        if (t->node[i].kind == WALK_SLOT && t->node[i].a == 12)
            assert_int_equal(t->node[i].b, 0x8048002);
    walk_free(f.walk);
}

/* ---- marks, limits, rendering */

static void side(struct fixture *f, enum event_kind kind, u64 old_value, u64 new_value)
{
    struct event_record e = {.kind = (u8)kind, .old_value = old_value, .new_value = new_value};

    walk_side(f->walk, &e);
}

static char *printed(struct fixture *f, const struct walk_style *style, bool *adds_up)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    *adds_up = walk_print(out, walk_tree(f->walk), style);
    fclose(out);
    return text;
}

static void assert_order(const char *text, const char *const *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const char *found = strstr(text, words[i]);

        if (found == NULL)
            fail_msg("'%s' does not follow in:\n%s", words[i], text);
        text = found + strlen(words[i]);
    }
}

static void text_of_a_walk(void **state)
{
    static const char *const order[] = {"3→0 syscall",
                                        "entry_SYSCALL_64\n",
                                        "SWAPGS",
                                        "0 ↔ ffff888000000000",
                                        "user page tables → kernel page tables",
                                        "── stack  7fff0000 → ffffc90000010000",
                                        "do_syscall_64\n",
                                        "__x64_sys_a ×3",
                                        "0→3 sysret",
                                        ": equal"};
    static const char *const cut[] = {"do_syscall_64 …", "0→3 sysret", ": equal"};
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    struct walk_style style = {0};
    bool adds_up;
    char *text;

    (void)state;
    transition(&f, MECH_SYSCALL, 3, 0, 0x401000, USER_SP, at(F_ENTRY, 0), USER_SP);
    f.retired++;
    STEP(&f, at(F_ENTRY, 0), USER_SP, NOP);
    side(&f, EVENT_KIND_SWAPGS, 0, 0xFFFF888000000000);
    side(&f, EVENT_KIND_CR3, 0x1235000, 0x1234000);
    side(&f, EVENT_KIND_CR3, 0x1234000, 0x1234000); /* nothing changes: not shown */
    STEP(&f, at(F_ENTRY, 1), USER_SP, MOV_SP);
    STEP(&f, at(F_ENTRY, 4), STACK, CALL);
    STEP(&f, at(F_DO_SYSCALL, 0), STACK - 8, NOP);
    for (unsigned i = 0; i < 3; i++) {
        STEP(&f, at(F_DO_SYSCALL, 10 + 5 * i), STACK - 8, CALL);
        STEP(&f, at(F_SYS_A, 0), STACK - 16, RET);
    }
    STEP(&f, at(F_DO_SYSCALL, 25), STACK - 8, RET);
    STEP(&f, at(F_ENTRY, 9), STACK, NOP);
    f.retired--;
    transition(&f, MECH_SYSRET, 0, 3, at(F_ENTRY, 9), STACK, 0x401002, USER_SP);
    whole(&f);
    text = printed(&f, &style, &adds_up);
    assert_order(text, order, ARRAY_LEN(order));
    assert_true(adds_up);
    assert_int_equal(nodes_of(walk_tree(f.walk), WALK_CR3), 1);
    free(text);
    style.depth = 1;
    text = printed(&f, &style, &adds_up);
    assert_order(text, cut, ARRAY_LEN(cut));
    assert_null(strstr(text, "__x64_sys_a"));
    assert_true(adds_up);
    free(text);
    walk_free(f.walk);
}

/* Each stub instruction is kept with the registers that it changed; none of C code. */
static void instructions_of_the_stub(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_STUBS, 0);
    const struct walk_node *n = NULL;
    const struct walk_tree *t;

    (void)state;
    enter(&f);
    leave(&f);
    t = whole(&f);
    assert_int_equal(nodes_of(t, WALK_INSN), 3);
    for (size_t i = 0; i < t->nodes && n == NULL; i++)
        if (t->node[i].kind == WALK_INSN)
            n = &t->node[i];
    assert_non_null(n);
    assert_int_equal(n->changes, 1);
    assert_int_equal(t->change[n->change].reg, RSP);
    assert_int_equal(t->change[n->change].value, STACK);
    walk_free(f.walk);
}

/* More calls than the tree has room for: the counts still add up. */
static void tree_without_room(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 64);
    struct walk_style style = {.full = true};
    const struct walk_tree *t;
    bool adds_up;
    char *text;

    (void)state;
    enter(&f);
    for (unsigned i = 0; i < 200; i++) {
        STEP(&f, at(F_DO_SYSCALL, 1), STACK - 8, CALL);
        STEP(&f, at(F_SYS_A, 0), STACK - 16, CALL);
        STEP(&f, at(F_HELPER, 0), STACK - 24, RET);
        STEP(&f, at(F_SYS_A, 5), STACK - 16, RET);
        STEP(&f, at(F_DO_SYSCALL, 6), STACK - 8, JMP);
    }
    leave(&f);
    t = whole(&f);
    assert_true(t->nodes <= 64);
    assert_int_equal(nodes_of(t, WALK_LOST), 1);
    text = printed(&f, &style, &adds_up);
    assert_true(adds_up);
    free(text);
    walk_free(f.walk);
}

/* Calls without end do not take memory without end. */
static void endless_calls(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_ALL, 1000);
    u64 sp = STACK;

    (void)state;
    enter(&f);
    for (unsigned i = 0; i < 100000; i++, sp -= 8)
        STEP(&f, at(F_HELPER + i % 2, 0), sp, CALL);
    assert_true(walk_tree(f.walk)->nodes <= 1000);
    walk_free(f.walk);
}

/* Handlers that fault in turn, on one stack, and never return: the tree stays as deep as a stack may be. */
static void endless_interrupts(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_NONE, 0);
    struct walk_style style = {0};
    bool adds_up;
    char *text;

    (void)state;
    enter(&f);
    STEP(&f, at(F_ENTRY, 0), STACK, NOP);
    for (unsigned i = 0; i < 200000; i++) {
        transition(&f, MECH_FAULT, 0, 0, at(F_ASM_IRQ, 0), STACK, at(F_ASM_IRQ, 0), STACK - 40);
        STEP(&f, at(F_ASM_IRQ, 0), STACK - 40, NOP);
    }
    text = printed(&f, &style, &adds_up);
    assert_true(adds_up);
    assert_true(nodes_of(walk_tree(f.walk), WALK_INTERRUPT) < 5000);
    free(text);
    walk_free(f.walk);
}

static void json_of_a_walk(void **state)
{
    struct fixture f = fixture_new(WALK_INSNS_ALL, 0);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    enter(&f);
    leave(&f);
    assert_true(walk_print_json(out, walk_tree(f.walk)));
    fclose(out);
    assert_non_null(
        strstr(text, "\"kind\":\"function\",\"address\":\"0xffffffff81000100\",\"name\":\"do_syscall_64\""));
    assert_non_null(strstr(text, "\"sum\":5}"));
    free(text);
    walk_free(f.walk);
}

/* ---- what instructions are */

static void classified(void **state)
{
    static const struct {
        const char *bytes;
        u8 length;
        bool is64;
        enum code_flow flow;
        enum code_store store;
        i32 displacement;
    } rows[] = {
        {"\xE8\0\0\0\0", 5, true, CODE_CALL, CODE_STORES_NOTHING, 0},
        {"\xFF\xD0", 2, true, CODE_CALL, CODE_STORES_NOTHING, 0},
        {"\x3E\xFF\xE0", 3, true, CODE_JUMP, CODE_STORES_NOTHING, 0},
        {"\xFF\x30", 2, true, CODE_NEXT, CODE_PUSHES, 0},
        {"\x41\x57", 2, true, CODE_NEXT, CODE_PUSHES, 0},
        {"\x40", 1, false, CODE_NEXT, CODE_STORES_NOTHING, 0},     /* inc %eax */
        {"\x41\xC3", 1, false, CODE_NEXT, CODE_STORES_NOTHING, 0}, /* inc %ecx, cut */
        {"\xF3\xC3", 2, true, CODE_RETURN, CODE_STORES_NOTHING, 0},
        {"\xC2\x08\x00", 3, false, CODE_RETURN, CODE_STORES_NOTHING, 0},
        {"\x48\x89\x44\x24\x10", 5, true, CODE_NEXT, CODE_STORES, 16},
        {"\x49\x89\x44\x24\x10", 5, true, CODE_NEXT, CODE_STORES_NOTHING, 0}, /* 16(%r12) */
        {"\x89\x84\x24\x00\x01\x00\x00", 7, false, CODE_NEXT, CODE_STORES, 256},
        {"\x89\x84\x24\x00\x01", 5, false, CODE_NEXT, CODE_STORES_NOTHING, 0}, /* cut */
        {"\xFF", 1, true, CODE_NEXT, CODE_STORES_NOTHING, 0},
        {"\x66", 1, true, CODE_NEXT, CODE_STORES_NOTHING, 0},
        {"", 0, true, CODE_NEXT, CODE_STORES_NOTHING, 0},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct code code = code_classify((const u8 *)rows[i].bytes, rows[i].length, rows[i].is64);

        assert_int_equal(code.flow, rows[i].flow);
        assert_int_equal(code.store, rows[i].store);
        assert_int_equal(code.displacement, rows[i].displacement);
    }
}

/* ---- the vDSO */

struct image {
    u64 base;
    u8 bytes[4096];
};

static bool peek_image(void *context, u64 address, void *out, size_t size)
{
    const struct image *m = context;

    if (address < m->base || address - m->base > sizeof m->bytes - size || size > sizeof m->bytes)
        return false;
    memcpy(out, m->bytes + (address - m->base), size);
    return true;
}

static void put32(struct image *m, unsigned at_byte, u32 value) { memcpy(m->bytes + at_byte, &value, 4); }

/* A 32-bit ELF image with two symbols. */
static void make_image(struct image *m)
{
    static const char strings[] = "\0__kernel_vsyscall\0linux-gate.so.1";

    memset(m, 0, sizeof *m);
    m->base = 0xF7F49000;
    memcpy(m->bytes,
           "\x7F"
           "ELF\1\1\1",
           7);
    put32(m, 28, 52); /* e_phoff */
    m->bytes[44] = 2; /* e_phnum */
    put32(m, 52, 1);  /* PT_LOAD at 0 */
    put32(m, 84, 2);  /* PT_DYNAMIC */
    put32(m, 92, 0x200);
    put32(m, 0x200, 5), put32(m, 0x204, 0x300); /* DT_STRTAB */
    put32(m, 0x208, 6), put32(m, 0x20C, 0x400); /* DT_SYMTAB */
    put32(m, 0x210, 4), put32(m, 0x214, 0x280); /* DT_HASH */
    put32(m, 0x218, 14), put32(m, 0x21C, 19);   /* DT_SONAME */
    put32(m, 0x284, 2);                         /* two symbols */
    memcpy(m->bytes + 0x300, strings, sizeof strings);
    put32(m, 0x410, 1), put32(m, 0x414, 0x550), put32(m, 0x418, 0x14);
    m->bytes[0x41E] = 7; /* st_shndx */
}

static void vdso_names(void **state)
{
    struct vdso *v = vdso_new();
    struct walk_symbol s = {0};
    struct image m;

    (void)state;
    make_image(&m);
    assert_true(vdso_symbol(v, peek_image, &m, m.base + 0x555, &s));
    assert_string_equal(s.name, "__kernel_vsyscall");
    assert_string_equal(s.module, "linux-gate.so.1");
    assert_int_equal(s.start, m.base + 0x550);
    assert_int_equal(s.end, m.base + 0x564);
    assert_false(vdso_symbol(v, peek_image, &m, m.base + 0x564, &s));
    assert_false(vdso_symbol(v, peek_image, &m, 0x1000, &s));
    /* Damage anywhere is no harm. */
    for (unsigned i = 0; i < 0x600; i++)
        for (unsigned k = 0; k < 3; k++) {
            static const u8 bad[] = {0xFF, 0x80, 0x01};

            make_image(&m);
            m.bytes[i] = bad[k];
            vdso_symbol(v, peek_image, &m, m.base + 0x555, &s);
        }
    vdso_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_returns),  cmocka_unit_test(tail_call),
        cmocka_unit_test(retpoline),          cmocka_unit_test(retpoline_tail),
        cmocka_unit_test(unbalanced),         cmocka_unit_test(moved_return_address),
        cmocka_unit_test(nested_interrupt),   cmocka_unit_test(fault_and_fixup),
        cmocka_unit_test(task_switch),        cmocka_unit_test(task_is_gone),
        cmocka_unit_test(slots_of_syscall),   cmocka_unit_test(slots_of_int80),
        cmocka_unit_test(text_of_a_walk),     cmocka_unit_test(instructions_of_the_stub),
        cmocka_unit_test(tree_without_room),  cmocka_unit_test(endless_calls),
        cmocka_unit_test(endless_interrupts), cmocka_unit_test(json_of_a_walk),
        cmocka_unit_test(classified),         cmocka_unit_test(vdso_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
