/* SPDX-License-Identifier: MIT
 * A small recording of a Linux that never ran: a kernel of a few symbols under a slide, tasks, entries and returns,
 * pieces of memory, written event by event.
 */
#ifndef RINGSIDE_TESTS_LINUX_TRACE_FIXTURE_H
#define RINGSIDE_TESTS_LINUX_TRACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/file/reader.h"
#include "trace/file/stream.h"

#define LT_SLIDE 0x2000000ull
#define LT_BASE (0xFFFFFFFF81000000ull + LT_SLIDE)
#define LT_SYSCALL_64 (LT_BASE + 0x1000)     /* entry_SYSCALL_64 */
#define LT_SYSCALL_COMPAT (LT_BASE + 0x1100) /* entry_SYSCALL_compat */
#define LT_SYSENTER (LT_BASE + 0x1200)       /* entry_SYSENTER_compat */
#define LT_PAGE_FAULT (LT_BASE + 0x1300)     /* asm_exc_page_fault */
#define LT_SYSCALL_INIT (LT_BASE + 0x2000)
#define LT_CPU_INIT (LT_BASE + 0x2100)
#define LT_START_KERNEL (LT_BASE + 0x2200)
#define LT_SWITCH (LT_BASE + 0x2300) /* __switch_to */
#define LT_END (LT_BASE + 0x2400)

struct linux_trace {
    char path[64];
    struct trace_writer *writer;
    struct stream *stream;
    struct event_digest digest;
    u64 id, ticks, retired;
};

static void lt_kernel(struct linux_trace *f)
{
    static const struct {
        u64 address;
        const char *name;
    } list[] = {{LT_SYSCALL_64, "entry_SYSCALL_64"},
                {LT_SYSCALL_COMPAT, "entry_SYSCALL_compat"},
                {LT_SYSENTER, "entry_SYSENTER_compat"},
                {LT_PAGE_FAULT, "asm_exc_page_fault"},
                {LT_SYSCALL_INIT, "syscall_init"},
                {LT_CPU_INIT, "cpu_init"},
                {LT_START_KERNEL, "start_kernel"},
                {LT_SWITCH, "__switch_to"},
                {LT_END, "_etext"}};
    struct kernel kernel = {.is64 = true,
                            .banner = "Linux version 6.1.0 (test)",
                            .release = "6.1.0",
                            .symbols = symbols_new(),
                            .symbols_how = "made up",
                            .layout_how = "",
                            .syscalls_how = "",
                            .current_how = "",
                            .image_how = ""};
    size_t size;
    u8 *bytes;

    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        symbols_add(kernel.symbols, list[i].address - LT_SLIDE, 'T', list[i].name, strlen(list[i].name));
    symbols_sort(kernel.symbols);
    bytes = kernel_pack(&kernel, &size);
    stream_section(f->stream, TAG_KERNEL, bytes, size);
    free(bytes);
    symbols_free(kernel.symbols);
}

/* returns: the number of the event */
static u64 lt_event(struct linux_trace *f, struct event_record e)
{
    f->ticks += 1000;
    e.ticks = f->ticks;
    e.retired = f->retired;
    stream_event(f->stream, &e);
    return ++f->id;
}

/* A piece of the event that comes next. */
static void lt_piece(struct linux_trace *f, enum data_kind kind, u64 address, const void *bytes, u32 size)
{
    struct data_piece piece = {
        .event = f->id + 1, .address = address, .size = size, .kind = (u8)kind, .bytes = (const u8 *)bytes};

    stream_data(f->stream, &piece);
}

static void lt_open(struct linux_trace *f, const char *name, const char *vendor, bool kernel)
{
    struct trace_properties run = {0};
    struct error err = {0};

    memset(f, 0, sizeof *f);
    snprintf(f->path, sizeof f->path, "%s-%d.trace", name, (int)getpid());
    trace_properties_set(&run, "cpu.vendor", "%s", vendor);
    f->writer = trace_writer_open(f->path, 0, &run, &err);
    assert_non_null(f->writer);
    trace_properties_free(&run);
    event_digest_init(&f->digest);
    f->stream = stream_open(f->writer, &f->digest);
    if (!kernel)
        return;
    lt_kernel(f);
    lt_event(f, (struct event_record){.kind = EVENT_KIND_KERNEL, .number = 1, .new_value = LT_SLIDE});
}

static void lt_close(struct linux_trace *f)
{
    struct trace_properties end = {0};
    struct error err = {0};

    stream_close(f->stream);
    trace_properties_set(&end, "end.reason", "power-off");
    assert_true(trace_writer_close(f->writer, &end, &err));
    trace_properties_free(&end);
}

static void lt_task(struct linux_trace *f, u32 pid, u32 tgid, const char *comm)
{
    struct guest_task task = {.task = 0xFFFF888000000000ull + pid * 0x1000, .pid = pid, .tgid = tgid, .known = true};
    struct event_record e = {.kind = EVENT_KIND_TASK};

    snprintf(task.comm, sizeof task.comm, "%s", comm);
    event_put_task(&e, &task);
    lt_event(f, e);
}

static struct event_record lt_transition(enum mechanism mechanism, u8 from, u8 to, u64 from_rip, u64 to_rip)
{
    return (struct event_record){.mechanism = (u8)mechanism,
                                 .from_cpl = from,
                                 .to_cpl = to,
                                 .from_mode = MODE_LONG,
                                 .to_mode = MODE_LONG,
                                 .from_cs = from ? 0x33 : 0x10,
                                 .to_cs = to ? 0x33 : 0x10,
                                 .from_rip = from_rip,
                                 .to_rip = to_rip,
                                 .from_rsp = from ? 0x7FFD0000 : LT_BASE,
                                 .to_rsp = to ? 0x7FFD0000 : LT_BASE,
                                 .from_cr3 = 0x1000,
                                 .to_cr3 = 0x1000};
}

/* System call `number` with its first three arguments. */
static u64 lt_syscall(struct linux_trace *f, u64 number, u64 a, u64 b, u64 c)
{
    struct event_record e = lt_transition(MECH_SYSCALL, 3, 0, 0x401000, LT_SYSCALL_64);

    e.to_rsp = e.from_rsp;
    e.present = EVENT_HAS_REGISTERS;
    e.rax = number;
    e.rdi = a;
    e.rsi = b;
    e.rdx = c;
    e.rcx = 0x401002;
    return lt_event(f, e);
}

/* Its return, after so many instructions. */
static u64 lt_sysret(struct linux_trace *f, u64 insns, i64 result)
{
    struct event_record e = lt_transition(MECH_SYSRET, 0, 3, LT_SYSCALL_64 + 0x80, 0x401002);

    f->retired += insns;
    e.present = EVENT_HAS_RESULT;
    e.rax = (u64)result;
    return lt_event(f, e);
}

static u64 lt_page_fault(struct linux_trace *f)
{
    struct event_record e = lt_transition(MECH_FAULT, 3, 0, 0x402000, LT_PAGE_FAULT);

    e.present = EVENT_HAS_VECTOR | EVENT_HAS_ERROR | EVENT_HAS_FRAME;
    e.vector = VEC_PF;
    e.error = 6;
    e.gate = GATE_INTERRUPT64;
    e.frame_words = 6;
    e.frame_word_bytes = 8;
    e.frame_address = 0x8000;
    e.frame0 = 6;
    e.frame1 = 0x402000;
    e.frame2 = 0x33;
    e.frame3 = 0x246;
    e.frame4 = 0x7FFD0000;
    e.frame5 = 0x2B;
    return lt_event(f, e);
}

static u64 lt_iret(struct linux_trace *f, u64 insns)
{
    f->retired += insns;
    return lt_event(f, lt_transition(MECH_IRET_OUTER, 0, 3, LT_PAGE_FAULT + 0x40, 0x402000));
}

static u64 lt_wrmsr(struct linux_trace *f, u32 number, u64 old, u64 value, u64 rip)
{
    return lt_event(f, (struct event_record){.kind = EVENT_KIND_WRMSR,
                                             .number = number,
                                             .old_value = old,
                                             .new_value = value,
                                             .from_rip = rip,
                                             .to_rip = rip,
                                             .from_cs = 0x10,
                                             .to_cs = 0x10,
                                             .from_mode = MODE_LONG,
                                             .to_mode = MODE_LONG});
}

#endif
