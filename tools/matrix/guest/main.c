/* SPDX-License-Identifier: MIT
 * The image: each case is loaded, run and compared, and told in one line on port E9h and COM1.
 *
 *     matrix: 64-bit, 812 cases, from 0
 *     begin 0 SC-01 long/0 without SCE
 *     agree 0
 *     begin 1 ...
 *     differ 1 rip=31000 (30060) rsp=10bd0 (10bd8) memory 10bd8=..
 *     refuse 2                    the processor would not even take the state that the case begins with
 *     matrix: done
 *
 * A run that ends in a case, because the emulator reset, hung or gave up, is started again behind it: "from=N" on the
 * command line.
 */
#include <stddef.h>

#include "../case.h"
#include "state.h"

#ifdef __x86_64__
#define BITS 64
#else
#define BITS 32
#endif
#define CHECK(name, member)                                                                                            \
    _Static_assert(offsetof(struct matrix_state, member) == (name), #name " is where assembly looks for it")
CHECK(S_RIP, rip);
CHECK(S_CR0, cr0);
CHECK(S_CR4, cr4);
CHECK(S_FS_BASE, fs_base);
CHECK(S_KERNEL_GS_BASE, kernel_gs_base);
CHECK(S_DR6, dr6);
CHECK(S_GDT_BASE, gdt_base);
CHECK(S_GDT_LIMIT, gdt_limit);
CHECK(S_ES, es);
CHECK(S_TR, tr);
_Static_assert(sizeof(struct matrix_state) == S_SIZE, "S_SIZE");

extern const u8 matrix_cases[];
extern struct matrix_state resident_in, resident_out;
extern u8 in_gdtr[], in_idtr[], out_gdtr[], out_idtr[], own_idt[];
extern u64 tss_access;
extern int matrix_enter(void);
extern void own_fault(void);
void matrix_main(u32 information);
void matrix_load(void);

/* ---- the outside world */

static void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static u8 in8(u16 port)
{
    u8 value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c)
{
    out8(0xE9, (u8)c);
    for (unsigned i = 0; i < 100000 && !(in8(0x3FD) & 0x20); i++)
        ;
    out8(0x3F8, (u8)c);
}

/* Until the last byte is on the line: what comes next may end the machine. */
static void flush(void)
{
    for (unsigned i = 0; i < 100000 && !(in8(0x3FD) & 0x40); i++)
        ;
}

static void print(const char *text)
{
    while (*text)
        put(*text++);
}

static void print_hex(u64 value)
{
    unsigned shift = 60;

    while (shift != 0 && (value >> shift) == 0)
        shift -= 4;
    for (;; shift -= 4) {
        put("0123456789abcdef"[value >> shift & 15]);
        if (shift == 0)
            break;
    }
}

static void print_number(u32 value)
{
    if (value >= 10)
        print_number(value / 10);
    put((char)('0' + value % 10));
}

static u64 rdmsr(u32 number)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (u64)high << 32 | low;
}

static void wrmsr(u32 number, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32)));
}

/* ---- memory */

static void copy(u8 *to, const u8 *from, u32 size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void fill(u8 *at, u8 value, u32 size)
{
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
}

static u8 *low(u32 address)
{
    u8 *at = (u8 *)(unsigned long)address;

    __asm__("" : "+r"(at)); /* address 0 is memory like any other */
    return at;
}

static u32 stored(const struct matrix_run *run) { return run->fill ? 0 : (run->size + 7) & ~7u; }

static const u8 *put_runs(const u8 *at, u32 count)
{
    while (count--) {
        const struct matrix_run *run = (const void *)at;

        at += sizeof *run;
        if (run->fill)
            fill(low(run->address), (u8)(run->fill - 1), run->size);
        else
            copy(low(run->address), at, run->size);
        at += stored(run);
    }
    return at;
}

/* ---- one case */

struct msr_field {
    u32 number;
    u16 offset;
};
static const struct msr_field msrs[] = {
    {0xC0000081, offsetof(struct matrix_state, star)},    {0x174, offsetof(struct matrix_state, sysenter_cs)},
    {0x175, offsetof(struct matrix_state, sysenter_esp)}, {0x176, offsetof(struct matrix_state, sysenter_eip)},
    {0xC0000080, offsetof(struct matrix_state, efer)},
#if BITS == 64
    {0xC0000082, offsetof(struct matrix_state, lstar)},   {0xC0000083, offsetof(struct matrix_state, cstar)},
    {0xC0000084, offsetof(struct matrix_state, fmask)},
#endif
};
#define MSRS (sizeof msrs / sizeof msrs[0])

static u64 *field(struct matrix_state *s, u16 offset) { return (u64 *)(void *)((u8 *)s + offset); }

static void put_table(u8 *at, u64 base, u16 limit)
{
    copy(at, (const u8 *)&limit, 2);
    copy(at + 2, (const u8 *)&base, BITS / 8);
}

static u64 table_base(const u8 *at)
{
    u64 base = 0;

    copy((u8 *)&base, at + 2, BITS / 8);
    return base;
}

static const struct matrix_case *current;

/* The part of a case's state that C can load; called by matrix_enter(), so that a fault here is a refusal. */
void matrix_load(void)
{
    const struct matrix_case *c = current;

    resident_in = c->before;
    put_table(in_gdtr, c->before.gdt_base, c->before.gdt_limit);
    put_table(in_idtr, c->before.idt_base, c->before.idt_limit);
    tss_access = c->before.gdt_base + (c->before.tr & 0xFFF8u) + 5;
    for (unsigned i = 0; i < MSRS; i++)
        wrmsr(msrs[i].number, *field(&resident_in, msrs[i].offset));
#if BITS == 64
    __asm__ volatile("mov %0, %%cr4" : : "r"(c->before.cr4));
    __asm__ volatile("mov %0, %%cr0" : : "r"(c->before.cr0));
#endif
    __asm__ volatile("mov %0, %%dr0" : : "r"((unsigned long)c->before.dr0));
    __asm__ volatile("mov %0, %%dr1" : : "r"((unsigned long)c->before.dr1));
    __asm__ volatile("mov %0, %%dr6" : : "r"((unsigned long)c->before.dr6));
    __asm__ volatile("mov %0, %%dr7" : : "r"((unsigned long)c->before.dr7));
}

static void unload(void)
{
    for (unsigned i = 0; i < MSRS; i++)
        *field(&resident_out, msrs[i].offset) = rdmsr(msrs[i].number);
    resident_out.gdt_base = table_base(out_gdtr);
    resident_out.idt_base = table_base(out_idtr);
    copy((u8 *)&resident_out.gdt_limit, out_gdtr, 2);
    copy((u8 *)&resident_out.idt_limit, out_idtr, 2);
}

/* What software cannot see, or only as the way back left it. */
#define FLAGS_SEEN (~0x10000ull)

struct field_name {
    const char *name;
    u16 offset, size;
};
#define FIELD(member)                                                                                                  \
    {                                                                                                                  \
#member, offsetof(struct matrix_state, member), sizeof(((struct matrix_state *)0)->member)                     \
    }
#define GPR(number, text)                                                                                              \
    {                                                                                                                  \
        text, 8 * (number), 8                                                                                          \
    }
static const struct field_name fields[] = {
    GPR(0, "rax"),       GPR(1, "rcx"),
    GPR(2, "rdx"),       GPR(3, "rbx"),
    GPR(4, "rsp"),       GPR(5, "rbp"),
    GPR(6, "rsi"),       GPR(7, "rdi"),
#if BITS == 64
    GPR(8, "r8"),        GPR(9, "r9"),
    GPR(10, "r10"),      GPR(11, "r11"),
    GPR(12, "r12"),      GPR(13, "r13"),
    GPR(14, "r14"),      GPR(15, "r15"),
    FIELD(lstar),        FIELD(cstar),
    FIELD(fmask),        FIELD(fs_base),
    FIELD(gs_base),      FIELD(kernel_gs_base),
#endif
    FIELD(rip),          FIELD(rflags),
    FIELD(cs),           FIELD(ss),
    FIELD(ds),           FIELD(es),
    FIELD(fs),           FIELD(gs),
    FIELD(ldtr),         FIELD(tr),
    FIELD(cr0),          FIELD(cr2),
    FIELD(cr3),          FIELD(cr4),
    FIELD(dr6),          FIELD(dr7),
    FIELD(efer),         FIELD(star),
    FIELD(sysenter_cs),  FIELD(sysenter_esp),
    FIELD(sysenter_eip), FIELD(gdt_base),
    FIELD(gdt_limit),    FIELD(idt_base),
    FIELD(idt_limit),
};

static u64 value(const struct matrix_state *s, const struct field_name *f)
{
    u64 v = 0;

    copy((u8 *)&v, (const u8 *)s + f->offset, f->size);
    if (f->offset == offsetof(struct matrix_state, rflags))
        v &= FLAGS_SEEN;
    return BITS == 32 && f->size == 8 && f->offset < offsetof(struct matrix_state, efer) ? (u32)v : v;
}

static u32 differences;

static void begin_difference(u32 number)
{
    if (differences++ == 0) {
        print("differ ");
        print_number(number);
    }
}

static void compare_state(const struct matrix_case *c, u32 number)
{
    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        u64 want = value(&c->after, &fields[i]), got = value(&resident_out, &fields[i]);

        if (want == got)
            continue;
        begin_difference(number);
        put(' ');
        print(fields[i].name);
        put('=');
        print_hex(got);
        print(" (");
        print_hex(want);
        put(')');
    }
}

static void compare_memory(const u8 *at, u32 count, u32 number)
{
    while (count--) {
        const struct matrix_run *run = (const void *)at;

        at += sizeof *run;
        for (u32 i = 0; i < run->size; i++) {
            u8 want = run->fill ? (u8)(run->fill - 1) : at[i], got = *low(run->address + i);

            if (want == got)
                continue;
            begin_difference(number);
            print(" [");
            print_hex(run->address + i);
            print("]=");
            print_hex(got);
            print(" (");
            print_hex(want);
            put(')');
        }
        at += stored(run);
    }
}

static void run_case(const struct matrix_case *c, const u8 *base, u32 number)
{
    const struct matrix_memory *memory = (const void *)base;
    const u8 *at = (const u8 *)(c + 1);

    print("begin ");
    print_number(number);
    put(' ');
    print(c->rule);
    put(' ');
    print(c->mode);
    put(' ');
    print(c->title);
    put('\n');
    flush();
    fill(low(0), 0, MATRIX_CASE_END);
    put_runs((const u8 *)(memory + 1), memory->runs);
    at = put_runs(at, c->runs_before);
    current = c;
    differences = 0;
    if (matrix_enter() != 0) {
        print("refuse ");
        print_number(number);
        put('\n');
        return;
    }
    unload();
    compare_state(c, number);
    compare_memory(at, c->runs_after, number);
    if (differences == 0) {
        print("agree ");
        print_number(number);
    }
    put('\n');
}

/* ---- all of them */

static void fill_own_idt(void)
{
    u64 at = (u64)(unsigned long)own_fault;

    for (unsigned v = 0; v < 32; v++) {
        u64 gate = (at & 0xFFFF) | (BITS == 64 ? 0x18u : 8u) << 16 | /* in both GDTs */ 0x8E00ull << 32 |
                   (at >> 16 & 0xFFFF) << 48;

        copy(own_idt + v * (BITS / 4), (const u8 *)&gate, 8);
    }
}

/* "from=N" in the command line. Multiboot Specification 0.6.96, "Boot information format" */
static u32 first_case(u32 information)
{
    const u32 *info = (const u32 *)low(information);
    const char *line = info[0] & 4 ? (const char *)low(info[4]) : "";
    u32 number = 0;

    for (; *line; line++)
        if (line[0] == 'f' && line[1] == 'r' && line[2] == 'o' && line[3] == 'm' && line[4] == '=')
            for (line += 5; *line >= '0' && *line <= '9'; line++)
                number = number * 10 + (u32)(*line - '0');
        else
            continue;
    return number;
}

void matrix_main(u32 information)
{
    const struct matrix_header *header = (const void *)matrix_cases;
    const u8 *at = (const u8 *)(header + 1), *bases[MATRIX_PRESETS];
    u32 first = first_case(information);

    fill_own_idt();
    __asm__ volatile("lidt own_idtr");
    out8(0x3FB, 3); /* eight data bits */
    out8(0x21, 0xFF);
    out8(0xA1, 0xFF);
    print(BITS == 64 ? "matrix: 64-bit, " : "matrix: 32-bit, ");
    print_number(header->cases);
    print(" cases, from ");
    print_number(first);
    put('\n');
    for (u32 i = 0; i < header->presets; i++) {
        bases[i] = at;
        at += sizeof(struct matrix_memory) + ((const struct matrix_memory *)(const void *)at)->bytes;
    }
    for (u32 i = 0; i < header->cases; i++) {
        const struct matrix_case *c = (const void *)at;

        if (i >= first)
            run_case(c, bases[c->preset], i);
        at += c->bytes;
    }
    print("matrix: done\n");
    flush();
    out8(0x501, 0x10); /* isa-debug-exit, where there is one */
    for (;;)
        __asm__ volatile("cli; hlt");
}
