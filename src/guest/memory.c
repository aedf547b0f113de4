/* SPDX-License-Identifier: MIT
 * The kernel's memory, read without effects: no accessed bits, no TLB, no devices.
 * SDM 3A, "Paging".
 */
#include "guest/internal.h"

#define PTI_PAIR_BIT BIT(12) /* the user's top-level table is the odd page of a pair, the kernel's the even one */
#define PDPTE_COUNT 4u

/* Under page-table isolation CR3 at the border of ring 3 names the user's tables, which map the entry stubs, the IDT
 * and little else of the kernel; the kernel's tables are the page before (an order-1 allocation on amd64 and on i386
 * with PAE). They are believed only if they lead to the IDT as the user's do. */
static bool isolated_mode(const struct cpu *cpu, struct paging_mode *mode)
{
    struct walk here, there;

    *mode = cpu->mmu.mode;
    if (mode->levels < 3 || !(mode->cr3 & PTI_PAIR_BIT))
        return false;
    mode->cr3 &= ~PTI_PAIR_BIT;
    if (mode->levels == 3) {
        u8 bytes[PDPTE_COUNT * 8];

        if (!physmem_peek(cpu->physmem, mode->cr3 & ~(u64)31, bytes, sizeof bytes))
            return false;
        for (unsigned i = 0; i < PDPTE_COUNT; i++)
            mode->pdpte[i] = load_le64(bytes + 8 * i);
    }
    here = page_walk(cpu->physmem, &cpu->mmu.mode, cpu->arch.idtr.base, ACCESS_READ, VIEW_SUPERVISOR_AC);
    there = page_walk(cpu->physmem, mode, cpu->arch.idtr.base, ACCESS_READ, VIEW_SUPERVISOR_AC);
    return here.ok && there.ok && here.paddr == there.paddr;
}

bool guest_translate(const struct cpu *cpu, laddr_t laddr, paddr_t *paddr)
{
    struct paging_mode mode;
    struct walk walk;

    if (!is_canonical(laddr, cpu->arch.cr4 & CR4_LA57 ? 57 : 48))
        return false;
    walk = page_walk(cpu->physmem, &cpu->mmu.mode, laddr, ACCESS_READ, VIEW_SUPERVISOR_AC);
    if (!walk.ok && isolated_mode(cpu, &mode))
        walk = page_walk(cpu->physmem, &mode, laddr, ACCESS_READ, VIEW_SUPERVISOR_AC);
    *paddr = walk.paddr;
    return walk.ok;
}

bool guest_read(const struct cpu *cpu, laddr_t laddr, void *out, size_t size)
{
    u8 *to = out;

    while (size > 0) {
        size_t chunk = PAGE_SIZE - (size_t)(laddr & ~PAGE_MASK);
        paddr_t paddr;

        if (chunk > size)
            chunk = size;
        if (!guest_translate(cpu, laddr, &paddr) || !physmem_peek(cpu->physmem, paddr, to, chunk))
            return false;
        laddr += chunk;
        to += chunk;
        size -= chunk;
    }
    return true;
}

bool guest_read_pointer(const struct cpu *cpu, bool is64, laddr_t laddr, u64 *value)
{
    *value = 0;
    return guest_read(cpu, laddr, value, is64 ? 8 : 4);
}

const u8 *guest_host(const struct cpu *cpu, laddr_t laddr, size_t size)
{
    const u8 *page;
    paddr_t paddr;

    if ((laddr & ~PAGE_MASK) + size > PAGE_SIZE || !guest_translate(cpu, laddr, &paddr))
        return NULL;
    page = physmem_host(cpu->physmem, paddr);
    return page ? page + (paddr & ~PAGE_MASK) : NULL;
}

bool guest_read_string(const struct cpu *cpu, laddr_t laddr, char *out, size_t size)
{
    size_t length = 0;

    while (length < size) {
        size_t chunk = PAGE_SIZE - (size_t)(laddr & ~PAGE_MASK);
        const char *end;

        if (chunk > size - length)
            chunk = size - length;
        if (!guest_read(cpu, laddr, out + length, chunk))
            break;
        end = memchr(out + length, 0, chunk);
        if (end)
            return true;
        laddr += chunk;
        length += chunk;
    }
    out[length < size ? length : size - 1] = 0;
    return false;
}
