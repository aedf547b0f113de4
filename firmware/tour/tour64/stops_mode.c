/* SPDX-License-Identifier: MIT
 * Stops: long mode on, off and on again.
 * SDM 3A, "Initializing IA-32e Mode", "Leaving IA-32e Mode" (mode switching).
 */
#include "stops.h"

static void into_long_mode(void)
{
    say("setting CR0.PG with EFER.LME=1: CR0 %08x -> %08x, EFER %x -> %x", boot_cr0[0], boot_cr0[1], boot_efer[0],
        boot_efer[1]);
    check("CR0.PG before", 0, boot_cr0[0] & CR0_PG);
    check("EFER.LME, LMA before", EFER_LME, boot_efer[0] & (EFER_LME | EFER_LMA));
    check("CR0.PG after", CR0_PG, boot_cr0[1] & CR0_PG);
    check("EFER.LME, LMA after", EFER_LME | EFER_LMA, boot_efer[1] & (EFER_LME | EFER_LMA));
    check("CS now", CODE0, read_cs());
}

u32 trip_cr0, trip_efer;
u64 trip_rsp;
void long_mode_trip(void);
__asm__(".pushsection .text\n"
        "long_mode_trip: push %rbx\n"
        "push %rbp\n"
        "push %r12\n"
        "push %r13\n"
        "push %r14\n"
        "push %r15\n"
        "mov %rsp, trip_rsp\n"
        "push $0x58\n" /* CODE0_32 */
        "push $1f\n"
        "lretq\n"
        ".code32\n"
        "1: mov $0x10, %eax\n"
        "mov %eax, %ss\n"
        "mov %cr0, %eax\n"
        "and $0x7FFFFFFF, %eax\n"
        "mov %eax, %cr0\n" /* paging off: LMA is cleared, this is 32-bit protected mode */
        "mov %cr0, %eax\n"
        "mov %eax, trip_cr0\n"
        "mov $0xC0000080, %ecx\n"
        "rdmsr\n"
        "mov %eax, trip_efer\n"
        "mov %cr0, %eax\n"
        "or $0x80000000, %eax\n"
        "mov %eax, %cr0\n"
        "ljmp $0x08, $2f\n"
        ".code64\n"
        "2: mov trip_rsp, %rsp\n" /* whole again: protected mode has only the lower halves */
        "pop %r15\n"
        "pop %r14\n"
        "pop %r13\n"
        "pop %r12\n"
        "pop %rbp\n"
        "pop %rbx\n"
        "ret\n"
        ".popsection\n");

static void out_of_long_mode(void)
{
    long_mode_trip();
    say("between: CR0 %08x, EFER %x; now EFER %x", trip_cr0, trip_efer, (u32)rdmsr(MSR_EFER));
    check("CR0.PG between", 0, trip_cr0 & CR0_PG);
    check("EFER.LME, LMA between", EFER_LME, trip_efer & (EFER_LME | EFER_LMA));
    check("EFER.LME, LMA now", EFER_LME | EFER_LMA, rdmsr(MSR_EFER) & (EFER_LME | EFER_LMA));
    check("CS now", CODE0, read_cs());
}

const struct stop stops_mode[] = {
    {"From protected mode into long mode", into_long_mode},
    {"Out of long mode and back", out_of_long_mode},
};
const unsigned stops_mode_count = ARRAY_LEN(stops_mode);
