/* SPDX-License-Identifier: MIT
 * Base address registers, and the way of a PCI interrupt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "devices/pci_bar.h"
#include "devices/pci_intx.h"

#define ABSENT 0xFFFFFFFFu

struct bench {
    struct physmem *pm;
    struct pci_function function;
    struct pci_bars bars;
};

static u64 read_device(void *device, u64 offset, unsigned size, enum initiator who)
{
    (void)device, (void)size, (void)who;
    return 0xD0000000 + offset;
}

static const struct mmio_ops ops = {.read = read_device};

static void bench_open(struct bench *b)
{
    struct error err;

    *b = (struct bench){.pm = physmem_new(16u << 20, &err)};
    pci_bars_init(&b->bars, &b->function, b->pm);
    pci_bar_memory(&b->bars, 2, 0x4000, false, &ops, NULL, "bar");
}

/* As the host bridge writes it. */
static void write_config(struct bench *b, unsigned offset, u32 value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        u8 *byte = &b->function.config[offset + i], mask = b->function.writable[offset + i];

        *byte = (u8)((*byte & ~mask) | ((value >> (8 * i)) & mask));
    }
    pci_bars_changed(&b->bars, offset, size);
}

static u32 memory_at(struct bench *b, paddr_t at)
{
    u32 value;

    physmem_read(b->pm, at, &value, sizeof value, INITIATOR_CPU0);
    return value;
}

static void test_sizing(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    write_config(&b, 0x04, PCI_COMMAND_MEMORY, 2);
    write_config(&b, 0x18, 0xFFFFFFFF, 4);
    assert_int_equal(load_le32(b.function.config + 0x18), 0xFFFFC000);
    assert_int_equal(physmem_regions(b.pm, NULL, 0), 0); /* all ones place nothing */
    write_config(&b, 0x10, 0xFFFFFFFF, 4);
    assert_int_equal(load_le32(b.function.config + 0x10), 0); /* there is no such register */
    physmem_free(b.pm);
}

static void test_moves(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    write_config(&b, 0x18, 0xE0000000, 4);
    assert_int_equal(memory_at(&b, 0xE0000008), ABSENT); /* memory space is off */
    write_config(&b, 0x04, PCI_COMMAND_MEMORY, 2);
    assert_int_equal(memory_at(&b, 0xE0000008), 0xD0000008);
    write_config(&b, 0x1B, 0xE8, 1);
    assert_int_equal(memory_at(&b, 0xE0000008), ABSENT);
    assert_int_equal(memory_at(&b, 0xE8003FFC), 0xD0003FFC);
    assert_int_equal(memory_at(&b, 0xE8004000), ABSENT);
    write_config(&b, 0x04, 0, 1);
    assert_int_equal(memory_at(&b, 0xE8003FFC), ABSENT);
    physmem_free(b.pm);
}

static void test_covers_nothing(void **state)
{
    static const u32 refused[] = {0x00000000, 0x00004000, 0x00FFC000, 0xFEC00000, 0xFEE00000, 0xFFFFC000};
    struct bench b;

    (void)state;
    bench_open(&b);
    write_config(&b, 0x04, PCI_COMMAND_MEMORY, 2);
    for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct physmem_region region;

        write_config(&b, 0x18, refused[i], 4);
        assert_int_equal(physmem_regions(b.pm, &region, 1), 0);
    }
    for (unsigned i = 0; i < 10000; i++) /* moving takes no room in the map */
        write_config(&b, 0x18, 0xC0000000 + i * 0x4000, 4);
    assert_int_equal(memory_at(&b, 0xC0000000 + 9999 * 0x4000), 0xD0000000);
    physmem_free(b.pm);
}

/* ---- interrupts */

struct wires {
    struct pci_intx *intx;
    bool irq[16];
};

static void changed(void *context, unsigned irq)
{
    struct wires *w = context;

    w->irq[irq] = pci_intx_level(w->intx, irq);
}

static void test_pirq(void **state)
{
    struct wires w = {0};

    (void)state;
    w.intx = pci_intx_new(changed, &w);
    irq_set(pci_intx_line(w.intx, 3, 0), true); /* slot 3 INTA#: PIRQ C */
    for (unsigned irq = 0; irq < 16; irq++)
        assert_false(w.irq[irq]);
    pci_intx_route(w.intx, 2, 11);
    assert_true(w.irq[11]);
    irq_set(pci_intx_line(w.intx, 7, 0), true); /* the same PIRQ: the wire is shared */
    irq_set(pci_intx_line(w.intx, 3, 0), false);
    assert_true(w.irq[11]);
    pci_intx_route(w.intx, 2, 10);
    assert_false(w.irq[11]);
    assert_true(w.irq[10]);
    irq_set(pci_intx_line(w.intx, 7, 0), false);
    assert_false(w.irq[10]);
    pci_intx_free(w.intx);
}

static void test_pirq_shares_an_irq(void **state)
{
    struct wires w = {0};

    (void)state;
    w.intx = pci_intx_new(changed, &w);
    pci_intx_route(w.intx, 0, 10);
    pci_intx_route(w.intx, 1, 10);
    irq_set(pci_intx_line(w.intx, 1, 0), true);
    irq_set(pci_intx_line(w.intx, 2, 0), true);
    irq_set(pci_intx_line(w.intx, 1, 0), false);
    assert_true(w.irq[10]);
    pci_intx_route(w.intx, 1, PIRQ_DISABLED | 10);
    assert_false(w.irq[10]);
    pci_intx_free(w.intx);
}

static void test_pirq_reserved(void **state)
{
    struct wires w = {0};

    (void)state;
    w.intx = pci_intx_new(changed, &w);
    irq_set(pci_intx_line(w.intx, 1, 0), true);
    for (unsigned route = 0; route < 256; route++)
        pci_intx_route(w.intx, 0, (u8)route);
    pci_intx_route(w.intx, 0, 13);
    assert_false(w.irq[0] || w.irq[1] || w.irq[2] || w.irq[8] || w.irq[13]);
    pci_intx_free(w.intx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizing),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_covers_nothing),
        cmocka_unit_test(test_pirq),
        cmocka_unit_test(test_pirq_shares_an_irq),
        cmocka_unit_test(test_pirq_reserved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
