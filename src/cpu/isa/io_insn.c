/* SPDX-License-Identifier: MIT
 * Ports: IN, OUT, INS and OUTS.
 * SDM 2A, "IN", "INS/INSB/INSW/INSD"; SDM 2B, "OUT", "OUTS/OUTSB/OUTSW/OUTSD"; SDM 1, "Protected-Mode I/O".
 */
#include "cpu/isa/rep.h"
#include "cpu/ring/mechanisms.h"

/* Ports are at most 32 bits wide: REX.W changes nothing. */
static enum width port_width(const struct insn *insn) { return insn->width == W64 ? W32 : (enum width)insn->width; }

static u32 port_in(struct cpu *cpu, u16 port, enum width w)
{
    u32 value = ports_read(cpu->host.io, port, width_bytes(w), cpu->mmu.who);

    debug_io_access(cpu, port, width_bytes(w));
    return value;
}

static void port_out(struct cpu *cpu, u16 port, u32 value, enum width w)
{
    ports_write(cpu->host.io, port, value, width_bytes(w), cpu->mmu.who);
    debug_io_access(cpu, port, width_bytes(w));
}

BODY_PLAIN(op_in)
{
    enum width w = port_width(insn);
    u16 port = (u16)(insn->form == FORM_RI ? insn->imm : cpu->arch.gpr[RDX]);

    io_check_permission(cpu, port, width_bytes(w));
    reg_write(cpu, RAX, port_in(cpu, port, w), w);
}

BODY_PLAIN(op_out)
{
    enum width w = port_width(insn);
    u16 port = (u16)(insn->form == FORM_RI ? insn->imm : cpu->arch.gpr[RDX]);

    io_check_permission(cpu, port, width_bytes(w));
    port_out(cpu, port, (u32)reg_read(cpu, RAX, w), w);
}

BODY_PLAIN(op_ins)
{
    enum width w = port_width(insn);
    u16 port = (u16)cpu->arch.gpr[RDX];
    struct rep rep;

    io_check_permission(cpu, port, width_bytes(w));
    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        u64 offset = reg_read(cpu, RDI, rep.address);

        /* The destination is checked before the port is read: what a device has given cannot be put back. */
        mem_probe(cpu, ES, offset, width_bytes(w), true);
        mem_write(cpu, ES, offset, port_in(cpu, port, w), w);
        rep_advance(cpu, insn, RDI, width_bytes(w));
        rep_commit(cpu, &rep, 1);
    } while (rep_more(cpu, &rep));
    rep_end(cpu, &rep, false);
}

BODY_PLAIN(op_outs)
{
    enum width w = port_width(insn);
    u16 port = (u16)cpu->arch.gpr[RDX];
    struct rep rep;

    io_check_permission(cpu, port, width_bytes(w));
    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        u64 value = mem_read(cpu, (enum seg)insn->seg, reg_read(cpu, RSI, rep.address), w);

        port_out(cpu, port, (u32)value, w);
        rep_advance(cpu, insn, RSI, width_bytes(w));
        rep_commit(cpu, &rep, 1);
    } while (rep_more(cpu, &rep));
    rep_end(cpu, &rep, false);
}
