/* SPDX-License-Identifier: MIT
 * Stops: virtual-8086 mode and a monitor.
 * SDM 3B, "8086 Emulation", "Virtual-8086 Mode"; SDM 1, "I/O Permission Bit Map".
 */
#include "stops.h"

#define V86_BASE 0x20000u
#define V86_STACK 0xFFF0u
#define V86_VECTOR 0x60

__asm__(".pushsection .rodata\n"
        ".code16\n"
        "v86_code: int $0x60\n"
        "v86_after_int: in $0x61, %al\n" /* the map lets this port through */
        "v86_in_denied: in $0x70, %al\n"
        "v86_out_denied: out %al, $0x80\n"
        "int3\n"
        "v86_after_int3: hlt\n"
        "v86_handler: mov $0x5678, %cx\n"
        "v86_iret: iretw\n"
        "v86_iopl3: int $0x41\n"
        "v86_iopl3_next: nop\n"
        "v86_redirected: int $0x60\n"
        "v86_redirected_next: hlt\n"
        "v86_code_end:\n"
        ".code32\n"
        ".popsection\n");
extern const char v86_code[], v86_after_int[], v86_in_denied[], v86_out_denied[], v86_after_int3[], v86_handler[],
    v86_iret[], v86_iopl3[], v86_iopl3_next[], v86_redirected[], v86_redirected_next[], v86_code_end[];

static u32 offset_of(const char *label) { return (u32)(label - v86_code); }

static volatile u8 *linear(u32 segment, u32 offset)
{
    u32 address = (segment << 4) + (offset & 0xFFFF);

    __asm__("" : "+r"(address));
    return (volatile u8 *)address;
}

static u16 read16(u32 segment, u32 offset)
{
    return (u16)(*linear(segment, offset) | *linear(segment, offset + 1) << 8);
}

static void push16(struct frame *f, u32 value)
{
    f->esp = (f->esp - 2) & 0xFFFF;
    *linear(f->ss, f->esp) = (u8)value;
    *linear(f->ss, f->esp + 1) = (u8)(value >> 8);
}

static u16 pop16(struct frame *f)
{
    u16 value = read16(f->ss, f->esp);

    f->esp = (f->esp + 2) & 0xFFFF;
    return value;
}

/* The monitor: does for the 8086 program what the processor refused with #GP(0). */
static bool monitor(struct frame *f)
{
    u8 opcode = *linear(f->cs, f->eip);

    if (f->vector != V_GP)
        return f->vector == V_BP;
    switch (opcode) {
    case 0xCD: { /* INT n: to the program's own handler in the IVT */
        u32 slot = *linear(f->cs, f->eip + 1) * 4u;

        push16(f, f->eflags);
        push16(f, f->cs);
        push16(f, f->eip + 2);
        f->eip = read16(0, slot);
        f->cs = read16(0, slot + 2);
        return true;
    }
    case 0xCF: /* IRET */
        f->eip = pop16(f);
        f->cs = pop16(f);
        f->eflags = (f->eflags & 0xFFFF0000) | pop16(f);
        return true;
    case 0xE4: /* IN AL, port: the device says 5Ah */
        f->eax = (f->eax & ~0xFFu) | 0x5A;
        f->eip += 2;
        return true;
    case 0xE6: /* OUT: nothing there */ f->eip += 2; return true;
    default: return false; /* HLT ends the program */
    }
}

static void visit_v86(const char *code, u32 eflags, hook_t *with_hook)
{
    volatile u8 *to = linear(V86_BASE >> 4, 0);
    struct start start = {.eip = offset_of(code),
                          .cs = V86_BASE >> 4,
                          .eflags = eflags | FLAG_ONE | FLAG_VM,
                          .esp = V86_STACK,
                          .ss = V86_BASE >> 4,
                          .es = 0x1111,
                          .ds = 0x2222,
                          .fs = 0x3333,
                          .gs = 0x4444};

    for (u32 i = 0; i < offset_of(v86_code_end); i++)
        to[i] = (u8)v86_code[i];
    linear(0, V86_VECTOR * 4)[0] = (u8)offset_of(v86_handler);
    linear(0, V86_VECTOR * 4)[1] = (u8)(offset_of(v86_handler) >> 8);
    linear(0, V86_VECTOR * 4)[2] = (u8)(V86_BASE >> 4);
    linear(0, V86_VECTOR * 4)[3] = (u8)(V86_BASE >> 12);
    entry_count = 0;
    hook = with_hook;
    visit_start(&start);
    hook = NULL;
}

static void expect_v86(unsigned number, unsigned vector, int error, u32 ip, u32 sp, u32 eflags)
{
    const struct entry *e = &entries[number];

    if (number >= entry_count) {
        check("number of entries into ring 0, at least", number + 1, entry_count);
        return;
    }
    show_entry(number);
    check("vector", vector, e->frame.vector);
    if (error != NO_ERROR)
        check("error code", (u32)error, e->frame.error);
    check("pushed IP", ip, e->frame.eip);
    check("pushed CS", V86_BASE >> 4, e->frame.cs);
    check("pushed EFLAGS", eflags | FLAG_ONE | FLAG_VM, e->frame.eflags & ~(u32)FLAGS_ARITHMETIC);
    check("pushed SP", sp, e->frame.esp);
    check("pushed SS", V86_BASE >> 4, e->frame.ss);
    check("pushed ES", 0x1111, e->frame.v86_es & 0xFFFF);
    check("pushed DS", 0x2222, e->frame.v86_ds & 0xFFFF);
    check("pushed FS", 0x3333, e->frame.v86_fs & 0xFFFF);
    check("pushed GS", 0x4444, e->frame.v86_gs & 0xFFFF);
    check("DS, ES, FS, GS in the handler are null", 0, e->frame.ds | e->frame.es | e->frame.fs | e->frame.gs);
    check("CS in the handler", CODE0, e->cs);
    check("VM in the handler", 0, e->frame.inside_eflags & FLAG_VM);
    check("where the frame was pushed", kernel_stack_top() - 4 * (9u + (error != NO_ERROR)), e->top);
}

static void monitored(void)
{
    main_tss.io[0x61 / 8] &= (u8) ~(1u << (0x61 & 7));
    visit_v86(v86_code, 0, monitor);
    main_tss.io[0x61 / 8] = 0xFF;
    expect_entries(6);
    say("INT 60h with IOPL=0: the monitor sends it to the program's own handler, and emulates that handler's IRET");
    expect_v86(0, V_GP, 0, offset_of(v86_code), V86_STACK, FLAG_RF);
    expect_v86(1, V_GP, 0, offset_of(v86_iret), V86_STACK - 6, FLAG_RF);
    check("CX, set by the program's handler", 0x5678, entries[2].frame.ecx & 0xFFFF);
    say("IN from port 61h passes (I/O map); port 70h and OUT to 80h do not");
    expect_v86(2, V_GP, 0, offset_of(v86_in_denied), V86_STACK, FLAG_RF);
    expect_v86(3, V_GP, 0, offset_of(v86_out_denied), V86_STACK, FLAG_RF);
    check("AL, from the monitor's device", 0x5A, entries[3].frame.eax & 0xFF);
    say("INT3 does not ask IOPL; HLT is privileged");
    expect_v86(4, V_BP, NO_ERROR, offset_of(v86_after_int3), V86_STACK, 0);
    expect_v86(5, V_GP, 0, offset_of(v86_after_int3), V86_STACK, FLAG_RF);
}

static void iopl3(void)
{
    visit_v86(v86_iopl3, FLAG_IOPL, NULL);
    expect_entries(1);
    expect_v86(0, INT_EXIT, NO_ERROR, offset_of(v86_iopl3_next), V86_STACK, FLAG_IOPL);
}

enum { CR4_VME = 1 };

/* With VME a clear redirection bit sends INT n to the program's own IVT without ring 0 hearing of it; IRET too. */
static void redirected(void)
{
    if (!processor.vme) {
        skip("no virtual-8086 mode extensions");
        return;
    }
    write_cr4(read_cr4() | CR4_VME);
    main_tss.redirection[V86_VECTOR / 8] &= (u8) ~(1u << (V86_VECTOR & 7));
    visit_v86(v86_redirected, FLAG_IOPL, NULL);
    main_tss.redirection[V86_VECTOR / 8] = 0xFF;
    write_cr4(read_cr4() & ~(word)CR4_VME);
    expect_entries(1);
    expect_v86(0, V_GP, 0, offset_of(v86_redirected_next), V86_STACK, FLAG_IOPL | FLAG_RF);
    check("CX, set by the program's handler", 0x5678, entries[0].frame.ecx & 0xFFFF);
}

PROBE(in_user, "in $0x61, %al\n" AT(in_user_next) "in $0x70, %al\n" EXIT);
extern const char in_user_next[];

static void io_map(void)
{
    main_tss.io[0x61 / 8] &= (u8) ~(1u << (0x61 & 7));
    visit(3, in_user, NULL);
    main_tss.io[0x61 / 8] = 0xFF;
    expect_entry(0, V_GP, 0, 3, in_user_next, FLAG_ONE | FLAG_RF);
    visit_flags(3, in_user, FLAG_ONE | FLAG_IOPL, NULL);
    check("with IOPL=3 every port is open: vector", INT_EXIT, entries[0].frame.vector);
}

const struct stop stops_vm86[] = {
    {"Virtual-8086 mode under a monitor: INT n, IRET, IN, OUT, INT3, HLT", monitored},
    {"Virtual-8086 mode with IOPL=3: INT n through the IDT", iopl3},
    {"Virtual-8086 mode with VME: INT n stays inside", redirected},
    {"I/O permission map for ring 3", io_map},
};
const unsigned stops_vm86_count = ARRAY_LEN(stops_vm86);
