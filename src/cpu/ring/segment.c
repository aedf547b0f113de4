/* SPDX-License-Identifier: MIT
 * Loading of segment registers, LDTR and TR, and the revocation of data segments on an outward return.
 * SDM 2A "MOV", "LLDT", "LTR"; SDM 3A "Loading Segment Registers in 64-bit mode", "Privilege Level Checking When
 * Accessing Data Segments"; APM 2 "Segment Loading".
 */
#include "cpu/ring/segment.h"

#include "cpu/fault.h"
#include "cpu/mem.h"
#include "cpu/ring/mechanisms.h"
#include "cpu/ring/stack.h"

/* A null selector into DS, ES, FS or GS: legal; a use outside 64-bit mode faults (SG-08). */
static void load_null(struct cpu *cpu, enum seg seg, u16 selector)
{
    u64 old_base = cpu->arch.seg[seg].base;

    COVER(cpu, RULE_GS_05, !cpu_is_amd(cpu) || cpu_has(cpu, FEAT_NULL_CLEARS_BASE));
    COVER(cpu, RULE_SG_08, true);
    cpu->arch.seg[seg] = segment_null(selector, 0);
    if (cpu_is_amd(cpu) && !cpu_has(cpu, FEAT_NULL_CLEARS_BASE)) /* GS-05 */
        cpu->arch.seg[seg].base = old_base;
}

static void load_stack(struct cpu *cpu, u16 selector)
{
    u8 cpl = cpu->arch.cpl;

    if (selector_is_null(selector)) {
        REQUIRE(cpu, cpu_64bit(cpu) && cpl < 3, GP(0), RULE_SG_01);
        REQUIRE(cpu, cpu_is_amd(cpu) || selector_rpl(selector) == cpl, GP(0), RULE_SG_01);
        cpu->arch.seg[SS] = segment_null(selector, cpl);
        return;
    }
    cpu->arch.seg[SS] = stack_segment_load(cpu, STACK_USE_MOV, selector, cpl, 0);
}

static void load_data(struct cpu *cpu, enum seg seg, u16 selector)
{
    struct segment loaded;
    struct descriptor d;
    u32 error = selector_error(selector);

    if (selector_is_null(selector)) {
        load_null(cpu, seg, selector);
        return;
    }
    REQUIRE(cpu, descriptor_fetch(cpu, selector, &d), GP(error), RULE_SG_02);
    REQUIRE(cpu, descriptor_is_readable(&d), GP(error), RULE_SG_02);
    REQUIRE(cpu, descriptor_is_conforming(&d) || (d.dpl >= selector_rpl(selector) && d.dpl >= cpu->arch.cpl), GP(error),
            RULE_SG_02);
    REQUIRE(cpu, d.present, NP(error), RULE_SG_02);
    descriptor_set_accessed(cpu, &d);
    COVER(cpu, RULE_GS_06, cpu->arch.seg[seg].base >> 32 != 0);
    loaded = descriptor_segment(&d, selector); /* FS, GS: the upper half of the base is 0 (GS-06) */
    segment_copy(&cpu->arch.seg[seg], &loaded);
}

void segment_load(struct cpu *cpu, enum seg seg, u16 selector)
{
    COVER(cpu, RULE_RM_02, cpu->d.mode == MODE_REAL || cpu_vm86(cpu));
    if (cpu->d.mode == MODE_REAL)
        cpu->arch.seg[seg] = segment_real(&cpu->arch.seg[seg], selector);
    else if (cpu_vm86(cpu))
        cpu->arch.seg[seg] = segment_vm86(selector);
    else if (seg == SS)
        load_stack(cpu, selector);
    else
        load_data(cpu, seg, selector);
    cpu_update_segment(cpu, seg);
}

/* The second half of a system descriptor in long mode: the base has 64 bits and must be canonical (SG-09). */
static void require_wide(struct cpu *cpu, u16 selector, struct descriptor *d)
{
    u32 error = selector_error(selector);

    if (!cpu_long_mode(cpu))
        return;
    REQUIRE(cpu, descriptor_fetch_high(cpu, selector, d), GP(error), RULE_SG_09);
    /* UNVERIFIED: whether both vendors look at the type field of the upper half, which must be 0. */
    REQUIRE(cpu, bits(d->raw_high, 44, 40) == 0, GP(error), RULE_SG_09);
    /* As MSRs and LGDT: by the widest address the processor knows, whatever CR4.LA57 (MSR-04). */
    REQUIRE(cpu, is_canonical(d->base, cpu->model.linear_bits), GP(error), RULE_SG_09);
}

void segment_load_ldtr(struct cpu *cpu, u16 selector)
{
    struct descriptor d;
    u32 error = selector_error(selector);

    if (selector_is_null(selector)) {
        cpu->arch.ldtr = segment_null(selector, 0);
        return;
    }
    REQUIRE(cpu, !(selector & SELECTOR_TI) && descriptor_fetch(cpu, selector, &d), GP(error), RULE_SG_07);
    REQUIRE(cpu, descriptor_is_system(&d, SYS_LDT), GP(error), RULE_SG_07);
    REQUIRE(cpu, d.present, NP(error), RULE_SG_07);
    require_wide(cpu, selector, &d);
    cpu->arch.ldtr = descriptor_segment(&d, selector);
}

void segment_load_tr(struct cpu *cpu, u16 selector)
{
    struct descriptor d;
    u32 error = selector_error(selector);
    bool available;

    REQUIRE(cpu, !selector_is_null(selector), GP(0), RULE_SG_05);
    REQUIRE(cpu, !(selector & SELECTOR_TI) && descriptor_fetch(cpu, selector, &d), GP(error), RULE_SG_05);
    available = descriptor_is_system(&d, SYS_TSS) || (descriptor_is_system(&d, SYS_TSS16) && !cpu_long_mode(cpu));
    REQUIRE(cpu, available, GP(error), RULE_SG_05);
    REQUIRE(cpu, d.present, NP(error), RULE_SG_05);
    require_wide(cpu, selector, &d);
    descriptor_set_busy(cpu, &d, true);
    cpu->arch.tr = descriptor_segment(&d, selector);
}

void segment_revoke_outward(struct cpu *cpu)
{
    static const enum seg data[] = {ES, FS, GS, DS};

    for (unsigned i = 0; i < ARRAY_LEN(data); i++) {
        struct segment *s = &cpu->arch.seg[data[i]];
        bool conforming = (s->attr & (SEG_CODE | SEG_CONFORMING)) == (SEG_CODE | SEG_CONFORMING);

        COVER(cpu, RULE_IR_14, selector_is_null(s->selector) && s->selector != 0);
        COVER(cpu, RULE_IR_10, !selector_is_null(s->selector) && !conforming && segment_dpl(s) < cpu->arch.cpl);
        if (selector_is_null(s->selector) || (!conforming && segment_dpl(s) < cpu->arch.cpl)) {
            if (s->selector == 0 && s->attr == SEG_UNUSABLE)
                continue; /* it has been already */
            s->selector = 0;
            s->attr = SEG_UNUSABLE; /* the base stays (IR-14) */
            cpu_update_segment(cpu, data[i]);
        }
    }
}
