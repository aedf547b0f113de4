/* SPDX-License-Identifier: MIT
 * The explained walk against the walk itself, on random tables: both say the same, and repairing what the explanation
 * blames, one thing after the other, leads to the page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "mmu/entry.h"
#include "mmu/explain.h"

#define TABLES 8u
#define TABLE_AT(i) (0x10000u + (i)*0x1000u)

static struct physmem *pm;
static u64 seed;

static u64 draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static bool one_in(unsigned n) { return draw() % n == 0; }

static int set_up(void **state)
{
    struct error err;

    (void)state;
    seed = 88172645463325252ull;
    pm = physmem_new(4 << 20, &err);
    return pm == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    physmem_free(pm);
    return 0;
}

static void put(paddr_t at, u64 value, unsigned bytes) { physmem_write(pm, at, &value, bytes, INITIATOR_LOADER); }

static u64 random_entry(unsigned bytes)
{
    u64 entry = TABLE_AT(draw() % TABLES) | (draw() & 0xE66) | PTE_P | PTE_W | PTE_U;

    if (one_in(12))
        entry &= ~PTE_P;
    if (one_in(6))
        entry &= ~PTE_W;
    if (one_in(6))
        entry &= ~PTE_U;
    if (one_in(5))
        entry |= PTE_PS;
    if (one_in(5))
        entry &= ~0x1FF000ull; /* so that a large page's reserved bits are often clear */
    if (bytes == 8 && one_in(8))
        entry |= PTE_NX;
    if (bytes == 8 && one_in(20))
        entry |= BIT(30 + draw() % 34);
    if (one_in(20))
        entry |= 0xF0000000u; /* beyond memory */
    return entry;
}

static struct paging_mode random_mode(void)
{
    static const u8 levels[] = {2, 3, 4, 5};
    struct paging_mode m = {
        .cr3 = TABLE_AT(draw() % TABLES),
        .levels = levels[draw() % 4],
        .maxphyaddr = (u8)(32 + draw() % 21),
        .pdpte_in_memory = one_in(2),
        .pse = one_in(2),
        .pse36 = one_in(2),
        .nxe = one_in(2),
        .wp = one_in(2),
        .smep = one_in(2),
        .smap = one_in(2),
        .page1gb = one_in(2),
    };

    for (unsigned i = 0; i < 4; i++)
        m.pdpte[i] = (random_entry(8) & ~(PTE_NX | 0x1E6)) | (one_in(10) ? 0x20 : 0);
    for (unsigned i = 0; i < TABLES; i++)
        for (unsigned k = 0; k < (m.levels == 2 ? 1024u : 512u); k++)
            put(TABLE_AT(i) + k * (m.levels == 2 ? 4 : 8), random_entry(m.levels == 2 ? 4 : 8), m.levels == 2 ? 4 : 8);
    return m;
}

/* What the walk's answer says of the end, as far as it does. */
static void assert_same(const struct walk *w, const struct walk_story *s)
{
    const struct walk_level *last = &s->level[s->levels - 1];
    u64 offset = BIT(w->page_shift) - 1;

    assert_int_equal(s->ok, w->ok);
    assert_int_equal(s->end == WALK_MAPPED, w->ok);
    assert_in_range(s->levels, 1, WALK_MAX_LEVELS);
    if (w->ok) {
        assert_true(last->leaf);
        assert_int_equal(s->paddr, w->paddr);
        assert_int_equal(last->entry & 0xFF000 & ~offset, w->paddr & 0xFF000 & ~offset);
        return;
    }
    assert_int_equal(s->error, w->error);
    assert_int_equal(s->end == WALK_ABSENT, !(w->error & PF_P));
    assert_int_equal(s->end == WALK_RESERVED, (w->error & PF_RSVD) != 0);
    assert_int_equal(s->end == WALK_RESERVED, s->reserved != 0);
    assert_in_range(s->blamed, 0, s->levels - 1);
}

/* Put right what the explanation blames. returns: false when that lies in no table */
static bool repair(struct paging_mode *m, const struct walk_story *s)
{
    const struct walk_level *l = &s->level[s->blamed];
    u64 entry = l->entry;

    switch (s->end) {
    case WALK_ABSENT: entry |= PTE_P; break;
    case WALK_RESERVED: entry &= ~s->reserved; break;
    case WALK_SUPERVISOR: entry |= PTE_U; break;
    case WALK_READ_ONLY: entry |= PTE_W; break;
    case WALK_NO_EXECUTE: entry &= ~PTE_NX; break;
    case WALK_SMEP: m->smep = false; return true;
    case WALK_SMAP: m->smap = false; return true;
    default: fail();
    }
    assert_int_not_equal(entry, l->entry);
    if (l->no_memory)
        return false;
    if (l->in_register) {
        for (unsigned i = 0; i < 4; i++)
            if (m->pdpte[i] == l->entry)
                m->pdpte[i] = entry;
    } else {
        put(l->paddr, entry, l->bytes);
    }
    return true;
}

static void test_both_say_the_same(void **state)
{
    (void)state;
    unsigned ends[WALK_ENDS] = {0}, mapped = 0;

    for (unsigned round = 0; round < 3000; round++) {
        struct paging_mode m = random_mode();
        laddr_t laddr = m.levels <= 3 ? (u32)draw() : draw();
        enum access_type type = draw() % 3;
        enum access_view view = draw() % ACCESS_VIEWS;

        for (unsigned step = 0; step < 24; step++) {
            struct walk w = page_walk(pm, &m, laddr, type, view);
            struct walk_story s = page_walk_explain(pm, &m, laddr, type, view);

            assert_same(&w, &s);
            ends[s.end]++;
            if (s.ok) {
                mapped++;
                break;
            }
            if (!repair(&m, &s))
                break;
            assert_true(step < 23);
        }
    }
    for (unsigned i = 0; i < WALK_ENDS; i++)
        if (i != WALK_UNPAGED)
            assert_true(ends[i] > 20);
    assert_true(mapped > 1000);
}

static void test_levels_and_names(void **state)
{
    (void)state;
    struct paging_mode m = {.cr3 = TABLE_AT(0), .levels = 4, .maxphyaddr = 40, .nxe = true};
    struct walk_story s;

    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 512; k++)
            put(TABLE_AT(i) + k * 8, 0, 8);
    put(TABLE_AT(0), TABLE_AT(1) | PTE_P | PTE_W | PTE_U, 8);
    put(TABLE_AT(1), TABLE_AT(2) | PTE_P | PTE_W, 8);
    s = page_walk_explain(pm, &m, 0x201000, ACCESS_WRITE, VIEW_USER);
    assert_int_equal(s.end, WALK_ABSENT);
    assert_int_equal(s.levels, 3);
    assert_int_equal(s.level[2].paddr, TABLE_AT(2) + 8);
    assert_string_equal(walk_level_name(s.level[2].level), "PDE");
    put(TABLE_AT(2) + 8, PTE_P | PTE_W | PTE_U | PTE_PS, 8);
    s = page_walk_explain(pm, &m, 0x201000, ACCESS_WRITE, VIEW_USER);
    assert_int_equal(s.end, WALK_SUPERVISOR);
    assert_int_equal(s.blamed, 1);
    s = page_walk_explain(pm, &m, 0x201000, ACCESS_WRITE, VIEW_SUPERVISOR);
    assert_true(s.ok);
    assert_int_equal(s.paddr, 0x1000);
    m.levels = 0;
    assert_int_equal(page_walk_explain(pm, &m, 5, ACCESS_READ, VIEW_USER).end, WALK_UNPAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_say_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_levels_and_names, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
