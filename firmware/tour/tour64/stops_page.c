/* SPDX-License-Identifier: MIT
 * Stops: page faults by user and supervisor, NX, reserved bits, SMEP, SMAP.
 * SDM 3A, "Determination of Access Rights", "Page-Fault Exceptions".
 */
#include "stops.h"

enum { CODE_P = 1, CODE_W = 2, CODE_U = 4, CODE_RSVD = 8, CODE_I = 16 };
enum { CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };

PROBE(read_absent, "mov 0x600010, %eax\n" EXIT);
PROBE(write_absent, "mov %eax, 0x600020\n" EXIT);
PROBE(read_kernel, "mov 0x601010, %eax\n" EXIT);
PROBE(write_readonly, "mov %eax, 0x602010\n" EXIT);
PROBE(read_reserved, "mov 0x604010, %eax\n" EXIT);
PROBE(run_data, "mov $0x603000, %eax\n jmp *%rax\n");

static void page_fault(enum place place, const char *rip, int error, u64 address)
{
    expect_entry(0, V_PF, error, place, rip, FAULTED);
    say("   CR2 %08llx: %s%s, %s by %s", (unsigned long long)entries[0].cr2,
        error & CODE_P ? "protection" : "not present", error & CODE_RSVD ? ", reserved bit" : "",
        error & CODE_I   ? "fetch"
        : error & CODE_W ? "write"
                         : "read",
        error & CODE_U ? "the user" : "the supervisor");
    check("CR2", address, entries[0].cr2);
}

static void user_and_supervisor(void)
{
    visit(RING3, read_absent, NULL);
    page_fault(RING3, read_absent, CODE_U, PAGE_ABSENT + 0x10);
    visit(COMPAT, write_absent, NULL);
    check("compatibility mode: vector", V_PF, entries[0].frame.vector);
    visit(RING1, write_absent, NULL);
    page_fault(RING1, write_absent, CODE_W, PAGE_ABSENT + 0x20);
    visit(RING3, read_kernel, NULL);
    page_fault(RING3, read_kernel, CODE_U | CODE_P, PAGE_KERNEL + 0x10);
    visit(RING3, write_readonly, NULL);
    page_fault(RING3, write_readonly, CODE_U | CODE_W | CODE_P, PAGE_READONLY + 0x10);
    write_cr0(read_cr0() | CR0_WP);
    visit(RING0, write_readonly, NULL);
    write_cr0(read_cr0() & ~(word)CR0_WP);
    page_fault(RING0, write_readonly, CODE_W | CODE_P, PAGE_READONLY + 0x10);
}

static void entry_bits(void)
{
    visit(RING3, read_reserved, NULL);
    page_fault(RING3, read_reserved, CODE_U | CODE_RSVD | CODE_P, PAGE_RESERVED_BIT + 0x10);
    if (!processor.nx) {
        skip("no execute-disable");
        return;
    }
    visit(RING3, run_data, NULL);
    page_fault(RING3, (const char *)PAGE_NO_EXECUTE, CODE_U | CODE_P | CODE_I, PAGE_NO_EXECUTE);
}

PROBE(supervisor_fetch, "nop\n" EXIT); /* in the user's page */

static void smep(void)
{
    if (!processor.smep) {
        skip("no SMEP");
        return;
    }
    write_cr4(read_cr4() | CR4_SMEP);
    visit(RING0, supervisor_fetch, NULL);
    write_cr4(read_cr4() & ~(word)CR4_SMEP);
    page_fault(RING0, supervisor_fetch, CODE_P | CODE_I, (u64)supervisor_fetch);
    visit(RING0, supervisor_fetch, NULL);
    check("without SMEP: vector", INT_EXIT, entries[0].frame.vector);
}

KERNEL_PROBE(supervisor_read, "mov seen, %eax\n" EXIT); /* in the kernel's page, reading the user's */

static void smap(void)
{
    u64 without_ac;

    if (!processor.smap) {
        skip("no SMAP");
        return;
    }
    write_cr4(read_cr4() | CR4_SMAP);
    visit(RING0, supervisor_read, NULL);
    page_fault(RING0, supervisor_read, CODE_P, (u64)seen);
    without_ac = entries[0].frame.vector;
    visit_flags(RING0, supervisor_read, FLAG_ONE | FLAG_AC, NULL);
    write_cr4(read_cr4() & ~(word)CR4_SMAP);
    say("with AC=0: vector %x; with AC=1: vector %x", (u32)without_ac, (u32)entries[0].frame.vector);
    check("with AC=1: vector", INT_EXIT, entries[0].frame.vector);
}

const struct stop stops_page[] = {
    {"#PF: user and supervisor, CR0.WP", user_and_supervisor},
    {"#PF: reserved bit, execute-disable", entry_bits},
    {"#PF: SMEP, ring 0 runs code of a user page", smep},
    {"#PF: SMAP, ring 0 reads data of a user page", smap},
};
const unsigned stops_page_count = ARRAY_LEN(stops_page);
