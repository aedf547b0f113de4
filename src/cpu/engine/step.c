/* SPDX-License-Identifier: MIT
 * One instruction at a time: fetch by physical page, decode or find it decoded, execute.
 */
#include "cpu/engine/step.h"

#include "cpu/engine/state.h"
#include "cpu/fault.h"
#include "cpu/isa/forbidden.h"
#include "cpu/mem.h"

/* ---- fetch */

/* Translate the page that holds laddr for execution and remember it. */
static void open_fetch_page(struct cpu *cpu, laddr_t laddr)
{
    struct cpu_derived *d = &cpu->d;
    const struct itlb_entry *e = &cpu->mmu.view[d->view_kind].insn[(laddr >> PAGE_SHIFT) % ITLB_ENTRIES];

    if (e->tag != (laddr & PAGE_MASK)) {
        paddr_t paddr;
        u32 error;

        if (cpu_64bit(cpu))
            REQUIRE(cpu, cpu_canonical(cpu, laddr), GP(0), RULE_CA_02);
        if (!mmu_translate(&cpu->mmu, laddr, ACCESS_EXECUTE, d->view_kind, &paddr, &error)) {
            COVER(cpu, RULE_ID_16, error & PF_I);
            cpu_raise_page_fault(cpu, laddr, error, mem_page_fault_rule(cpu, laddr, error, d->view_kind));
        }
        mem_cover_translation(cpu, ACCESS_EXECUTE, d->view_kind);
    }
    d->fetch_page = laddr & PAGE_MASK;
    d->fetch_host = e->host;
    d->fetch_paddr = e->page;
    d->fetch_slots = insn_cache_page(e->page);
    d->fetch_generation = cpu->mmu.flushes;
}

static const u8 *page_bytes(struct cpu *cpu)
{
    if (cpu->d.fetch_host == NULL)
        cpu_unimplemented(cpu, "instruction fetch from device memory at physical %#llx (code must be in RAM or ROM)",
                          (unsigned long long)cpu->d.fetch_paddr);
    return cpu->d.fetch_host;
}

/* Decode at laddr, which lies in the open page; go on to the next page only if the instruction needs it (NX-07). */
static const struct insn *decode_here(struct cpu *cpu, laddr_t laddr)
{
    struct engine *e = cpu->host.engine;
    const u8 *page = page_bytes(cpu);
    unsigned offset = (unsigned)(laddr & (PAGE_SIZE - 1));
    unsigned left = PAGE_SIZE - offset;
    paddr_t paddr = cpu->d.fetch_paddr + offset;
    struct insn_slot *slot = insn_cache_slot(&cpu->host.engine->cache, paddr);
    enum decode_status status =
        insn_decode(&slot->insn, page + offset, left < 15 ? left : 15, cpu->d.decode_key, &cpu->model);

    slot->tag = INSN_TAG_NONE;
    if (status == DECODE_OK) {
        slot->tag = insn_tag(paddr, cpu->d.decode_key);
        physmem_set_code(cpu->physmem, paddr & PAGE_MASK);
        return &slot->insn;
    }
    REQUIRE(cpu, status != DECODE_TOO_LONG, GP(0), RULE_NX_07);
    if (!cpu->d.code_flat) /* what lies past the limit is never fetched */
        REQUIRE(cpu, cpu->arch.rip + left <= cpu->arch.seg[CS].limit, GP(0), RULE_SG_04);

    u8 joined[30];

    memcpy(joined, page + offset, left);
    open_fetch_page(cpu, (laddr + left) & cpu->d.laddr_mask);
    memcpy(joined + left, page_bytes(cpu), 15);
    status = insn_decode(&e->straddling, joined, 15, cpu->d.decode_key, &cpu->model);
    REQUIRE(cpu, status == DECODE_OK, GP(0), RULE_NX_07);
    return &e->straddling;
}

/* Outside 64-bit mode the whole instruction must lie within the code segment's limit. */
static COLD void check_fetch_limit(struct cpu *cpu, const struct insn *insn)
{
    REQUIRE(cpu, cpu->arch.rip + insn->length - 1 <= cpu->arch.seg[CS].limit, GP(0), RULE_SG_04);
}

laddr_t step_open_page(struct cpu *cpu)
{
    struct cpu_derived *d = &cpu->d;
    laddr_t laddr = (cpu->arch.rip + d->seg_base[CS]) & d->laddr_mask;

    if (UNLIKELY((laddr & PAGE_MASK) != d->fetch_page || d->fetch_generation != cpu->mmu.flushes)) {
        if (!((d->seg_flat_read >> CS) & 1))
            REQUIRE(cpu, cpu->arch.rip <= cpu->arch.seg[CS].limit, GP(0), RULE_SG_04);
        open_fetch_page(cpu, laddr);
    }
    return laddr;
}

ALWAYS_INLINE const struct insn *fetch(struct cpu *cpu)
{
    struct cpu_derived *d = &cpu->d;
    laddr_t laddr = step_open_page(cpu);
    const struct insn *insn;

    unsigned offset = (unsigned)(laddr & (PAGE_SIZE - 1));
    const struct insn_slot *slot = insn_cache_slot_in_page(&cpu->host.engine->cache, d->fetch_slots, offset);

    if (LIKELY(slot->tag == insn_tag(d->fetch_paddr + offset, d->decode_key)))
        insn = &slot->insn;
    else
        insn = decode_here(cpu, laddr);
    if (UNLIKELY(!d->code_flat))
        check_fetch_limit(cpu, insn);
    return insn;
}

void step_one(struct cpu *cpu)
{
    const struct insn *insn = fetch(cpu);
    const struct cpu_observer *observer = cpu->host.observer;

    if (UNLIKELY(observer != NULL && observer->insn != NULL))
        observer->insn(observer->context, cpu, insn->length);
#ifdef RINGSIDE_DOOR_CHECK
    struct door_check before = door_state(cpu);
#endif
    forbidden_cover(cpu, insn);
    cpu->d.next_rip = (cpu->arch.rip + insn->length) & cpu->d.laddr_mask;
    insn_execute(cpu, insn);
    cpu->arch.rip = cpu->d.next_rip;
    cpu->clock->ticks++;
#ifdef RINGSIDE_DOOR_CHECK
    door_verify(cpu, before);
#endif
}
