/* SPDX-License-Identifier: MIT
 * Stops: protected mode off and on, paging on and off.
 * SDM 3A, "Mode Switching", "Switching Back to Real-Address Mode".
 */
#include "stops.h"

/* The 16-bit part runs at 1000:0000; what it saw is at 0600h: SP in the handler, IP, CS, FLAGS, CR0. */
#define REAL_VECTOR 0x60
__asm__(".pushsection .rodata\n"
        ".code16\n"
        "real_code: mov %cr0, %eax\n"
        "and $0xFE, %al\n"
        "mov %eax, %cr0\n"
        "ljmpw $0x1000, $(real_entry - real_code)\n"
        "real_entry: xor %ax, %ax\n"
        "mov %ax, %ds\n"
        "mov %ax, %es\n"
        "mov %ax, %ss\n"
        "mov $0x7000, %sp\n"
        "mov %cr0, %eax\n"
        "mov %eax, 0x608\n"
        "int $0x60\n"
        "real_after_int: mov %cr0, %eax\n"
        "or $1, %al\n"
        "mov %eax, %cr0\n"
        "ljmpl $0x08, $real_mode_back\n"
        "real_handler: mov %sp, 0x600\n"
        "mov %sp, %bp\n"
        "mov 0(%bp), %ax\n"
        "mov %ax, 0x602\n"
        "mov 2(%bp), %ax\n"
        "mov %ax, 0x604\n"
        "mov 4(%bp), %ax\n"
        "mov %ax, 0x606\n"
        "iretw\n"
        "real_code_end:\n"
        ".code32\n"
        ".popsection\n"
        ".pushsection .text\n"
        "real_mode_trip: pushal\n"
        "sidt real_saved_idtr\n"
        "lidt real_idtr\n"
        "mov %esp, real_saved_esp\n"
        "mov $0x80, %eax\n" /* DATA16_0: real mode keeps the limit, so it must be FFFFh */
        "mov %eax, %ds\n"
        "mov %eax, %es\n"
        "mov %eax, %fs\n"
        "mov %eax, %gs\n"
        "mov %eax, %ss\n"
        "ljmp $0xE0, $0\n" /* REAL_CODE */
        "real_mode_back: mov $0x10, %eax\n"
        "mov %eax, %ds\n"
        "mov %eax, %es\n"
        "mov %eax, %ss\n"
        "mov real_saved_esp, %esp\n"
        "lidt real_saved_idtr\n"
        "popal\n"
        "ret\n"
        ".popsection\n"
        ".pushsection .data\n"
        "real_idtr: .word 0x3FF\n .long 0\n"
        "real_saved_idtr: .skip 6\n"
        "real_saved_esp: .long 0\n"
        ".popsection\n");
extern const char real_code[], real_code_end[], real_handler[], real_after_int[];
void real_mode_trip(void);

/* An address in low memory; opaque to the compiler, which thinks little of small pointers. */
static volatile u16 *low(u32 address)
{
    __asm__("" : "+r"(address));
    return (volatile u16 *)address;
}

static void real_mode(void)
{
    volatile u16 *saw = low(0x600);
    volatile u16 *to = low(REAL_BASE);

    for (unsigned i = 0; i < (unsigned)(real_code_end - real_code + 1) / 2; i++)
        to[i] = (u16)((u8)real_code[2 * i] | (u8)real_code[2 * i + 1] << 8);
    low(REAL_VECTOR * 4)[0] = (u16)(real_handler - real_code);
    low(REAL_VECTOR * 4)[1] = REAL_BASE >> 4;
    real_mode_trip();
    say("in real mode: CR0.PE=%u, INT 60h through the IVT: IP %04x, CS %04x, FLAGS %04x on the stack at 0000:%04x",
        saw[4] & 1, saw[1], saw[2], saw[3], saw[0]);
    check("CR0.PE in real mode", 0, saw[4] & 1);
    check("SP in the handler", 0x7000 - 6, saw[0]);
    check("pushed IP", (u32)(real_after_int - real_code), saw[1]);
    check("pushed CS", REAL_BASE >> 4, saw[2]);
    check("CR0.PE now", 1, read_cr0() & CR0_PE);
    check("CS now", CODE0, read_cs());
}

static void paging(void)
{
    u32 before = read_cr0(), inside;

    paging_on();
    inside = read_cr0();
    paging_off();
    say("CR0 %08x -> %08x -> %08x, CR3 %08x", before, inside, (u32)read_cr0(), (u32)read_cr3());
    check("CR0.PG inside", CR0_PG, inside & CR0_PG);
    check("CR0 after", before, read_cr0());
}

const struct stop stops_mode[] = {
    {"Out of protected mode, INT n and IRET in real mode, and back", real_mode},
    {"Paging on and off", paging},
};
const unsigned stops_mode_count = ARRAY_LEN(stops_mode);
