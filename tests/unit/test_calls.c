/* SPDX-License-Identifier: MIT
 * Pairing of entries and exits: by task through switches, signals, exec and exit; by address space without one; and
 * within ring 0 by frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/calls.h"

#define USER_RIP 0x401000u
#define USER_RSP 0x7FFD00001000u

static const struct guest_task shell = {0xFFFF888001000000, 10, 10, "sh", true};
static const struct guest_task child = {0xFFFF888002000000, 11, 11, "child", true};

struct feed {
    struct calls *calls;
    u64 id, retired;
    struct call *call;
    unsigned dropped;
    enum call_end dropped_end;
    u64 dropped_entry;
};

static void on_drop(void *context, struct call *call)
{
    struct feed *f = context;

    f->dropped++;
    f->dropped_end = call->end;
    f->dropped_entry = call->entry_id;
}

static void feed_open(struct feed *f)
{
    *f = (struct feed){.calls = calls_new(true), .retired = 1000};
    calls_on_drop(f->calls, on_drop, f);
}

static enum call_news feed(struct feed *f, struct event_record *e, const struct guest_task *task)
{
    f->retired += 100;
    e->retired = f->retired;
    return calls_event(f->calls, ++f->id, e, task, &f->call);
}

static struct event_record entry(enum mechanism m, u64 rip, u64 number)
{
    return (struct event_record){.mechanism = (u8)m,
                                 .from_cpl = 3,
                                 .from_mode = MODE_LONG,
                                 .to_mode = MODE_LONG,
                                 .from_rip = rip,
                                 .from_rsp = USER_RSP,
                                 .from_cr3 = 0x1000,
                                 .to_cr3 = 0x1000,
                                 .rax = number,
                                 .present = EVENT_HAS_REGISTERS};
}

static struct event_record leaving(enum mechanism m, u64 rip, u64 result)
{
    return (struct event_record){.mechanism = (u8)m,
                                 .to_cpl = 3,
                                 .from_mode = MODE_LONG,
                                 .to_mode = MODE_LONG,
                                 .to_rip = rip,
                                 .to_rsp = USER_RSP,
                                 .from_cr3 = 0x1000,
                                 .to_cr3 = 0x1000,
                                 .rax = result,
                                 .present = EVENT_HAS_RESULT};
}

static enum call_news enter(struct feed *f, u64 number, const struct guest_task *task)
{
    struct event_record e = entry(MECH_SYSCALL, USER_RIP, number);

    return feed(f, &e, task);
}

static enum call_news leave(struct feed *f, u64 rip, u64 result, const struct guest_task *task)
{
    struct event_record e = leaving(MECH_SYSRET, rip, result);

    return feed(f, &e, task);
}

static void a_call_returns(void **state)
{
    struct feed f;

    (void)state;
    feed_open(&f);
    assert_int_equal(enter(&f, 39, &shell), CALL_BEGINS);
    assert_true(f.call->is_syscall);
    assert_int_equal(f.call->abi, LINUX_AMD64);
    assert_string_equal(linux_syscall_name(f.call->syscall), "getpid");
    assert_int_equal(leave(&f, USER_RIP + 2, 10, &shell), CALL_ENDS);
    assert_int_equal(f.call->end, CALL_RETURNED);
    assert_int_equal(f.call->entry_id, 1);
    assert_int_equal(f.call->exit_id, 2);
    assert_int_equal(f.call->insns_inside, 100);
    assert_int_equal(calls_counts(f.calls).ended, 1);
    calls_free(f.calls);
}

/* Two tasks inside at one time, in one address space and on one user stack (as after vfork): only the task tells. */
static void tasks_are_told_apart(void **state)
{
    struct feed f;

    (void)state;
    feed_open(&f);
    enter(&f, 61, &shell);
    assert_int_equal(leave(&f, USER_RIP + 40, 0, &child), CALL_STARTS_TASK);
    assert_int_equal(calls_counts(f.calls).unpaired_exits, 1);
    enter(&f, 1, &child);
    assert_int_equal(leave(&f, USER_RIP + 2, 5, &child), CALL_ENDS);
    assert_int_equal(f.call->number, 1);
    assert_int_equal(f.call->switched, 0);
    assert_int_equal(leave(&f, USER_RIP + 2, 11, &shell), CALL_ENDS);
    assert_int_equal(f.call->number, 61);
    assert_int_equal(f.call->switched, 1);
    /* 500 instructions passed since its entry; 300 of them between the event at which the child ran and its own. */
    assert_int_equal(f.call->exit.retired - f.call->entry.retired, 400);
    assert_int_equal(f.call->insns_inside, 100);
    calls_free(f.calls);
}

static void ends_of_calls(void **state)
{
    static const struct {
        u64 number, rip, result;
        enum call_end end;
    } rows[] = {
        {0, USER_RIP + 2, 5, CALL_RETURNED},        {0, 0x500000, 0, CALL_SIGNAL},
        {0, USER_RIP, 219, CALL_RESTARTED},         {59, 0x7F0000001000, 0, CALL_EXEC},
        {59, USER_RIP + 2, (u64)-2, CALL_RETURNED}, {15, 0x600000, 7, CALL_RESUMED},
        {322, 0x7F0000001000, 0, CALL_EXEC},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct feed f;

        feed_open(&f);
        enter(&f, rows[i].number, &shell);
        assert_int_equal(leave(&f, rows[i].rip, rows[i].result, &shell), CALL_ENDS);
        assert_int_equal(f.call->end, rows[i].end);
        calls_free(f.calls);
    }
}

/* exit() never returns: its task_struct is used again for another thread, or the recording ends. */
static void a_dead_threads_call_is_given_up(void **state)
{
    struct guest_task reused = shell;
    struct feed f;

    (void)state;
    reused.pid = reused.tgid = 99;
    feed_open(&f);
    enter(&f, 231, &shell);
    assert_int_equal(leave(&f, USER_RIP + 2, 0, &reused), CALL_STARTS_TASK);
    assert_int_equal(f.dropped, 1);
    assert_int_equal(f.dropped_end, CALL_NEVER);
    enter(&f, 231, &child);
    calls_finish(f.calls);
    assert_int_equal(f.dropped, 2);
    assert_int_equal(f.dropped_entry, 3);
    calls_free(f.calls);
}

/* A thread that is not the leader and calls execve() becomes the leader in the middle of it. */
static void exec_by_a_thread(void **state)
{
    struct guest_task thread = shell, leader = shell;
    struct feed f;

    (void)state;
    thread.pid = 12;
    feed_open(&f);
    enter(&f, 59, &thread);
    assert_int_equal(leave(&f, 0x7F0000001000, 0, &leader), CALL_ENDS);
    assert_int_equal(f.call->end, CALL_EXEC);
    assert_int_equal(f.dropped, 0);
    calls_free(f.calls);
}

/* Without a task the address space and the stack pointer stand for it, and only what leads back is sure. */
static void without_tasks(void **state)
{
    struct feed f;

    (void)state;
    feed_open(&f);
    enter(&f, 39, NULL);
    assert_int_equal(leave(&f, USER_RIP + 64, 1, NULL), CALL_STARTS_TASK);
    assert_int_equal(leave(&f, USER_RIP + 2, 1, NULL), CALL_ENDS);
    assert_int_equal(leave(&f, USER_RIP + 2, 1, NULL), CALL_STARTS_TASK);
    calls_free(f.calls);
}

static struct event_record fault_in_kernel(u64 frame)
{
    return (struct event_record){.mechanism = MECH_FAULT,
                                 .vector = VEC_PF,
                                 .present = EVENT_HAS_VECTOR | EVENT_HAS_ERROR,
                                 .from_mode = MODE_LONG,
                                 .to_mode = MODE_LONG,
                                 .frame_address = frame,
                                 .frame_words = 6,
                                 .frame_word_bytes = 8};
}

static struct event_record iret_in_kernel(u64 frame)
{
    return (struct event_record){.mechanism = MECH_IRET_SAME,
                                 .from_mode = MODE_LONG,
                                 .to_mode = MODE_LONG,
                                 .from_rsp = frame,
                                 .frame_address = frame,
                                 .frame_words = 5,
                                 .frame_word_bytes = 8};
}

static void nested_events(void **state)
{
    struct event_record outer = fault_in_kernel(0x9000), inner = fault_in_kernel(0x8000);
    struct event_record inner_end = iret_in_kernel(0x8008), outer_end = iret_in_kernel(0x9008);
    struct feed f;

    (void)state;
    feed_open(&f);
    enter(&f, 0, &shell);
    assert_int_equal(feed(&f, &outer, &shell), CALL_BEGINS);
    assert_true(f.call->nested);
    assert_int_equal(feed(&f, &inner, &shell), CALL_BEGINS);
    assert_int_equal(feed(&f, &inner_end, &child), CALL_NOTHING); /* another task's stack */
    assert_int_equal(feed(&f, &inner_end, &shell), CALL_ENDS);
    assert_int_equal(f.call->entry_id, 3);
    assert_int_equal(feed(&f, &outer_end, &shell), CALL_ENDS);
    assert_int_equal(f.call->entry_id, 2);
    assert_int_equal(feed(&f, &outer_end, &shell), CALL_INSIDE); /* nobody pushed it */
    assert_int_equal(leave(&f, USER_RIP + 2, 5, &shell), CALL_ENDS);
    assert_int_equal(f.call->number, 0);
    calls_free(f.calls);
}

/* A kernel thread has no entry from ring 3 to nest in. */
static void nested_events_of_a_kernel_thread(void **state)
{
    struct event_record irq = fault_in_kernel(0x9000), end = iret_in_kernel(0x9008);
    struct feed f;

    (void)state;
    feed_open(&f);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(feed(&f, &irq, &child), CALL_BEGINS);
        assert_int_equal(feed(&f, &end, &child), CALL_ENDS);
    }
    for (unsigned i = 0; i < 200; i++) /* frames that are never popped do not pile up */
        feed(&f, &irq, &child);
    assert_true(f.dropped >= 100);
    calls_free(f.calls);
}

static void registers_by_convention(void **state)
{
    struct event_record e = entry(MECH_SYSCALL, USER_RIP, 1);
    enum linux_abi abi;
    u64 number, arg[LINUX_ARGS], sixth;

    (void)state;
    e.rdi = 1, e.rsi = 2, e.rdx = 3, e.r10 = 4, e.r8 = 5, e.r9 = 6;
    assert_true(call_is_linux(&e, &abi, &number));
    call_arguments(&e, abi, arg, &sixth);
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        assert_int_equal(arg[i], i + 1);
    assert_int_equal(sixth, 0);

    e.rax = 0x40000000 | 9;
    assert_true(call_is_linux(&e, &abi, &number));
    assert_int_equal(abi, LINUX_X32);
    assert_int_equal(number, 9);

    /* 64-bit code may use int 0x80: the table of i386, whatever the process is. */
    e = entry(MECH_INT_N, USER_RIP, 0xFFFFFFFF00000014);
    e.vector = 0x80;
    e.rbx = 0x1234567800000001, e.rbp = 6;
    assert_true(call_is_linux(&e, &abi, &number));
    assert_int_equal(abi, LINUX_I386);
    assert_int_equal(number, 20);
    call_arguments(&e, abi, arg, &sixth);
    assert_int_equal(arg[0], 1);
    assert_int_equal(arg[5], 6);
    assert_int_equal(sixth, 0);

    /* SYSCALL from 32-bit code (AMD): ECX holds the return address, EBP the second argument. */
    e = entry(MECH_SYSCALL, USER_RIP, 4);
    e.from_mode = MODE_COMPAT32;
    e.rbx = 1, e.rcx = 0xDEAD, e.rbp = 2, e.rdx = 3;
    assert_true(call_is_linux(&e, &abi, &number));
    call_arguments(&e, abi, arg, &sixth);
    assert_int_equal(abi, LINUX_I386);
    assert_int_equal(arg[1], 2);
    assert_int_equal(sixth, (u32)USER_RSP);

    e.mechanism = MECH_SYSENTER;
    e.rcx = 7;
    call_arguments(&e, abi, arg, &sixth);
    assert_int_equal(arg[1], 7);
    assert_int_equal(sixth, 2);

    e.mechanism = MECH_INT_N;
    e.vector = 3;
    assert_false(call_is_linux(&e, &abi, &number));
    assert_int_equal(call_result(LINUX_I386, 0xFFFFFFFE), -2);
    assert_int_equal(call_result(LINUX_AMD64, 0xFFFFFFFE), 0xFFFFFFFE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_returns),          cmocka_unit_test(tasks_are_told_apart),
        cmocka_unit_test(ends_of_calls),           cmocka_unit_test(a_dead_threads_call_is_given_up),
        cmocka_unit_test(exec_by_a_thread),        cmocka_unit_test(without_tasks),
        cmocka_unit_test(nested_events),           cmocka_unit_test(nested_events_of_a_kernel_thread),
        cmocka_unit_test(registers_by_convention),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
