# SPDX-License-Identifier: MIT
"""Instructions' results: name, mnemonic, file, what stands there, what stands there instead."""
MUTATIONS = [
    ("shift counts have six bits", "shl", "src/cpu/isa/shift.c", "count & (w == W64 ? 63 : 31)", "count & 63"),
    ("AAM by zero", "aam", "src/cpu/isa/bcd.c", "    REQUIRE(cpu, base != 0, DE, RULE_IN_01);", "    base = base != 0 ? base : 1;"),
    ("BOUND's upper bound is outside", "bound", "src/cpu/isa/bound.c", "index <= upper, FAULT", "index < upper, FAULT"),
    ("CMPXCHG16B of any alignment", "cmpxchg16b", "src/cpu/isa/atomic.c",
     "(mem_linear(cpu, (enum seg)insn->seg, offset, 16, true) & 15) == 0, GP(0)",
     "(mem_linear(cpu, (enum seg)insn->seg, offset, 16, true) & 0) == 0, GP(0)"),
    ("IDIV's quotient may overflow", "idiv", "src/cpu/isa/muldiv.c",
     "    REQUIRE(cpu, quotient == (i64)sign_extend((u64)quotient, w), DE, RULE_IN_01);\n", ""),
]
