/* SPDX-License-Identifier: MIT
 * Whether IN, OUT, INS and OUTS may touch a port: IOPL, then the I/O permission bit map of the TSS.
 * SDM 1, "I/O Privilege Level", "I/O Permission Bit Map".
 */
#include "cpu/mem.h"
#include "cpu/ring/mechanisms.h"
#include "cpu/ring/task_image.h"

void io_check_permission(struct cpu *cpu, u16 port, unsigned size)
{
    const struct segment *tr = &cpu->arch.tr;
    enum rule rule = cpu_vm86(cpu) ? RULE_VM_02 : RULE_IO_04;
    u64 offset, map;

    if (cpu->d.mode == MODE_REAL)
        return;
    if (!cpu_vm86(cpu) && cpu->arch.cpl <= cpu_iopl(cpu))
        return;
    REQUIRE(cpu, tss_has_io_map(tr), GP(0), rule);
    /* Two bytes are always read, so that an access at a byte's edge sees the next byte's bits too. */
    offset = sys_read(cpu, tr->base + TSS_IO_MAP_BASE, W16) + port / 8u;
    REQUIRE(cpu, offset + 1 <= tr->limit, GP(0), rule);
    map = sys_read(cpu, tr->base + offset, W16);
    REQUIRE(cpu, (map >> (port % 8u) & (BIT(size) - 1)) == 0, GP(0), rule);
}
