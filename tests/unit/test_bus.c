/* SPDX-License-Identifier: MIT
 * Physical memory and the port map.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus/physmem.h"
#include "bus/ports.h"

#define CPU0 INITIATOR_CPU0

struct probe {
    unsigned reads, writes, last_size, code_calls, table_calls, revoked, maps;
    u32 watchers;
    u64 last_offset, last_value;
    paddr_t code_at, table_at, revoked_page;
    unsigned code_size;
};

static u64 probe_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    struct probe *p = device;

    (void)who;
    p->reads++;
    p->last_offset = offset;
    p->last_size = size;
    return 0x8877665544332211ull;
}

static void probe_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    struct probe *p = device;

    (void)who;
    p->writes++;
    p->last_offset = offset;
    p->last_value = value;
    p->last_size = size;
}

static const struct mmio_ops probe_ops = {probe_read, probe_write};

static void code_written(void *context, paddr_t paddr, unsigned size)
{
    struct probe *p = context;

    p->code_calls++;
    p->code_at = paddr;
    p->code_size = size;
}

static void table_written(void *context, paddr_t page, u32 watchers)
{
    struct probe *p = context;

    p->table_calls++;
    p->table_at = page;
    p->watchers = watchers;
}

static void revoke(void *context, paddr_t page)
{
    struct probe *p = context;

    p->revoked++;
    p->revoked_page = page;
}

static void map_changed(void *context) { ((struct probe *)context)->maps++; }

static struct physmem *memory(u64 bytes)
{
    struct error err;
    struct physmem *pm = physmem_new(bytes, &err);

    assert_non_null(pm);
    return pm;
}

static u32 read32(struct physmem *pm, paddr_t at)
{
    u32 value;

    physmem_read(pm, at, &value, 4, CPU0);
    return value;
}

static void write32(struct physmem *pm, paddr_t at, u32 value) { physmem_write(pm, at, &value, 4, CPU0); }

static void ram_is_split_at_3_gib(void **state)
{
    struct physmem *pm = memory(4ull << 30);

    (void)state;
    assert_int_equal(physmem_low_ram_bytes(pm), 3ull << 30);
    write32(pm, 0x1000, 0x11111111);
    write32(pm, (3ull << 30) - 4, 0x22222222);
    write32(pm, 3ull << 30, 0x33333333);
    write32(pm, 4ull << 30, 0x44444444);
    write32(pm, (5ull << 30) - 4, 0x55555555);
    write32(pm, 5ull << 30, 0x66666666);
    assert_int_equal(read32(pm, 0x1000), 0x11111111);
    assert_int_equal(read32(pm, (3ull << 30) - 4), 0x22222222);
    assert_int_equal(read32(pm, 3ull << 30), 0xffffffff);
    assert_int_equal(read32(pm, 4ull << 30), 0x44444444);
    assert_int_equal(read32(pm, (5ull << 30) - 4), 0x55555555);
    assert_int_equal(read32(pm, 5ull << 30), 0xffffffff);
    assert_int_equal(read32(pm, ~0ull - 3), 0xffffffff);
    assert_null(physmem_host(pm, 5ull << 30));
    physmem_free(pm);
}

static void bad_sizes_are_refused(void **state)
{
    struct error err;

    (void)state;
    assert_null(physmem_new(0x100001, &err));
    assert_int_equal(err.code, EXIT_USAGE);
    assert_null(physmem_new(4096, &err));
}

static void hole_is_unclaimed_until_rom(void **state)
{
    struct physmem *pm = memory(2 << 20);
    struct probe p = {0};
    struct physmem_listener listener = {.context = &p, .map_changed = map_changed};
    u8 rom[8192];

    (void)state;
    physmem_set_listener(pm, &listener);
    memset(rom, 0x5a, sizeof rom);
    write32(pm, 0xa0000, 1);
    write32(pm, 0xfffff - 3, 1);
    assert_int_equal(read32(pm, 0xa0000), 0xffffffff);
    assert_int_equal(read32(pm, 0xffffc), 0xffffffff);
    assert_null(physmem_host(pm, 0xc0000));
    physmem_map_rom(pm, 0xfe000, sizeof rom, rom, "bios");
    assert_int_equal(p.maps, 1);
    assert_int_equal(read32(pm, 0xffffc), 0x5a5a5a5a);
    assert_non_null(physmem_host(pm, 0xff000));
    assert_null(physmem_host_writable(pm, 0xff000));
    assert_int_equal(physmem_page_flags(pm, 0xff000), PAGE_READONLY);
    write32(pm, 0xffffc, 0);
    assert_int_equal(read32(pm, 0xffffc), 0x5a5a5a5a);
    assert_int_equal(read32(pm, 0xfdffe), 0x5a5affff); /* across the edge of the ROM */
    physmem_free(pm);
}

static void shadow_ram_is_opened_in_halves(void **state)
{
    struct error err;
    struct probe p = {0};
    struct physmem *pm = physmem_new(16 << 20, &err);
    u8 rom[4096];

    (void)state;
    memset(rom, 0xAB, sizeof rom);
    physmem_map_rom(pm, 0xF0000, sizeof rom, rom, "rom");
    physmem_map_mmio(pm, 0xF1000, 4096, &probe_ops, &p, "device");
    physmem_set_listener(pm, &(struct physmem_listener){.context = &p, .map_changed = map_changed});
    physmem_set_shadow(pm, 0xF0000, 0x10000, SHADOW_WRITE); /* reads: what is claimed; writes: RAM */
    assert_int_equal(p.maps, 1);
    physmem_set_shadow(pm, 0xF0000, 0x10000, SHADOW_WRITE);
    assert_int_equal(p.maps, 1); /* nothing changed */
    write32(pm, 0xF0010, 0x11223344);
    write32(pm, 0xF1010, 0x55667788);
    write32(pm, 0xF2010, 0x99AABBCC);
    assert_int_equal(p.writes, 0);
    assert_int_equal(read32(pm, 0xF0010), 0xABABABAB);
    assert_int_equal(read32(pm, 0xF1010), 0x44332211);
    assert_int_equal(read32(pm, 0xF2010), 0xFFFFFFFF);
    assert_int_equal(physmem_host(pm, 0xF0010)[0], 0xAB);
    physmem_set_shadow(pm, 0xF0000, 0x10000, SHADOW_READ); /* RAM that keeps what it has */
    assert_int_equal(read32(pm, 0xF0010), 0x11223344);
    assert_int_equal(read32(pm, 0xF1010), 0x55667788);
    assert_int_equal(read32(pm, 0xF2010), 0x99AABBCC);
    write32(pm, 0xF0010, 0);
    assert_int_equal(read32(pm, 0xF0010), 0x11223344);
    assert_null(physmem_host_writable(pm, 0xF0000));
    assert_int_equal(physmem_page_flags(pm, 0xF0000), PAGE_READONLY);
    physmem_set_shadow(pm, 0xF0000, 0x10000, SHADOW_READ | SHADOW_WRITE);
    write32(pm, 0xF1010, 5);
    assert_int_equal(read32(pm, 0xF1010), 5);
    assert_non_null(physmem_host_writable(pm, 0xF0000));
    physmem_set_shadow(pm, 0xF0000, 0x10000, 0);
    assert_int_equal(read32(pm, 0xF0010), 0xABABABAB);
    assert_int_equal(read32(pm, 0xF2010), 0xFFFFFFFF);
    write32(pm, 0xF1010, 7);
    assert_int_equal(p.last_value, 7);
    physmem_free(pm);
}

static void devices_hide_ram_and_see_whole_accesses(void **state)
{
    struct physmem *pm = memory(2 << 20);
    struct probe p = {0}, q = {0};
    struct physmem_region regions[4];
    u8 bytes[7];
    u64 value = 0x0102030405060708ull;

    (void)state;
    write32(pm, 0x110000, 0xabcdef01);
    physmem_map_mmio(pm, 0x110000, 0x2000, &probe_ops, &p, "p");
    physmem_map_mmio(pm, 0xfee00000, 0x1000, &probe_ops, &q, "q");
    assert_int_equal(read32(pm, 0x110004), 0x44332211);
    assert_int_equal(p.reads, 1);
    assert_int_equal(p.last_offset, 4);
    assert_int_equal(p.last_size, 4);
    physmem_write(pm, 0x110ffd, &value, 8, CPU0); /* crosses a page: 3 bytes, then 5 */
    assert_int_equal(p.writes, 4);
    assert_int_equal(p.last_offset, 0x1004);
    physmem_read(pm, 0x110001, bytes, 7, CPU0); /* 1 + 2 + 4 */
    assert_int_equal(p.reads, 4);
    assert_false(physmem_peek(pm, 0x10fffe, bytes, 4));
    assert_int_equal(p.reads, 4);
    assert_null(physmem_host(pm, 0x110000));
    assert_int_equal(physmem_regions(pm, regions, 4), 2);
    assert_string_equal(regions[0].name, "p");
    assert_int_equal(regions[1].base, 0xfee00000);
    /* a later claim wins, and what it hid comes back */
    physmem_map_mmio(pm, 0x111000, 0x1000, &probe_ops, &q, "over");
    read32(pm, 0x111000);
    assert_int_equal(q.reads, 1);
    physmem_unmap_mmio(pm, 0x111000);
    read32(pm, 0x111000);
    assert_int_equal(q.reads, 1);
    assert_int_equal(p.reads, 5);
    physmem_unmap_mmio(pm, 0x110000);
    assert_int_equal(read32(pm, 0x110000), 0xabcdef01);
    /* above the map */
    physmem_map_mmio(pm, 1ull << 39, 0x1000, &probe_ops, &p, "high");
    read32(pm, (1ull << 39) + 8);
    assert_int_equal(p.last_offset, 8);
    physmem_free(pm);
}

static void a20_masks_every_access(void **state)
{
    struct physmem *pm = memory(4 << 20);
    struct probe p = {0};
    struct physmem_listener listener = {.context = &p, .map_changed = map_changed};
    u32 value;

    (void)state;
    physmem_set_listener(pm, &listener);
    write32(pm, 0x500, 0x1234);
    write32(pm, 0x100500, 0x5678);
    assert_true(physmem_a20(pm));
    physmem_set_a20(pm, false);
    physmem_set_a20(pm, false);
    assert_int_equal(p.maps, 1);
    assert_int_equal(read32(pm, 0x100500), 0x1234);
    assert_true(physmem_peek(pm, 0x100500, &value, 4));
    assert_int_equal(value, 0x1234);
    assert_ptr_equal(physmem_host(pm, 0x100500), physmem_host(pm, 0x500));
    assert_ptr_equal(physmem_host_writable(pm, 0x300500), physmem_host(pm, 0x200500));
    write32(pm, 0xfffff + 1 + 0x500, 0x9abc);
    physmem_set_a20(pm, true);
    assert_int_equal(read32(pm, 0x500), 0x9abc);
    assert_int_equal(read32(pm, 0x100500), 0x5678);
    physmem_free(pm);
}

static void code_pages_tell_the_listener(void **state)
{
    struct physmem *pm = memory(2 << 20);
    struct probe p = {0};
    struct physmem_listener listener = {.context = &p, .code_written = code_written, .revoke_writable = revoke};

    (void)state;
    physmem_set_listener(pm, &listener);
    assert_non_null(physmem_host_writable(pm, 0x3000));
    physmem_set_code(pm, 0x3000);
    physmem_set_code(pm, 0x3000);
    assert_int_equal(p.revoked, 1);
    assert_int_equal(p.revoked_page, 0x3000);
    assert_int_equal(physmem_page_flags(pm, 0x3000), PAGE_CODE);
    assert_null(physmem_host_writable(pm, 0x3000));
    assert_non_null(physmem_host(pm, 0x3000));
    write32(pm, 0x2ffe, 0x11223344); /* two bytes of it in the code page */
    assert_int_equal(p.code_calls, 1);
    assert_int_equal(p.code_at, 0x3000);
    assert_int_equal(p.code_size, 2);
    physmem_clear_code(pm, 0x3000);
    assert_non_null(physmem_host_writable(pm, 0x3000));
    write32(pm, 0x3000, 0);
    assert_int_equal(p.code_calls, 1);
    physmem_free(pm);
}

static void page_tables_announce_their_first_write(void **state)
{
    struct physmem *pm = memory(2 << 20);
    struct probe p = {0};
    struct physmem_listener listener = {.context = &p, .table_written = table_written, .revoke_writable = revoke};
    u8 rom[4096] = {0};
    u64 value;

    (void)state;
    assert_false(physmem_watch_table(pm, 0x3000, 1)); /* nobody listens */
    physmem_set_listener(pm, &listener);
    physmem_map_rom(pm, 0xff000, sizeof rom, rom, "rom");
    physmem_map_mmio(pm, 0x110000, 0x1000, &probe_ops, &p, "p");
    assert_true(physmem_watch_table(pm, 0xff008, 1));
    assert_false(physmem_watch_table(pm, 0x110000, 1));
    assert_false(physmem_watch_table(pm, 1ull << 39, 1));

    assert_true(physmem_watch_table(pm, 0x3008, 1));
    assert_int_equal(p.revoked, 0); /* no pointer was out */
    assert_true(physmem_watch_table(pm, 0x3000, 4));
    assert_int_equal(physmem_page_flags(pm, 0x3000), PAGE_TABLE);
    assert_null(physmem_host_writable(pm, 0x3000));
    assert_non_null(physmem_host(pm, 0x3000));
    physmem_set_bits(pm, 0x3ff8, 0x60, 8, CPU0);
    physmem_set_bits(pm, 0x3ff8, 0x02, 4, CPU0);
    physmem_read(pm, 0x3ff8, &value, 8, CPU0);
    assert_int_equal(value, 0x62);
    assert_int_equal(p.table_calls, 0);
    write32(pm, 0x3010, 1);
    assert_int_equal(p.table_calls, 1);
    assert_int_equal(p.table_at, 0x3000);
    assert_int_equal(p.watchers, 5);
    assert_int_equal(physmem_page_flags(pm, 0x3000), 0);
    write32(pm, 0x3010, 2);
    assert_int_equal(p.table_calls, 1);

    assert_non_null(physmem_host_writable(pm, 0x3000));
    *physmem_holder(pm, 0x3000) = 7;
    assert_int_equal(*physmem_holder(pm, 0x3abc), 7);
    assert_null(physmem_holder(pm, 0x110000));
    physmem_watch_table(pm, 0x3000, 2);
    assert_int_equal(p.revoked, 1);
    assert_int_equal(p.revoked_page, 0x3000);
    physmem_set_code(pm, 0x3000); /* both at once: a write tells both */
    assert_int_equal(p.revoked, 1);
    write32(pm, 0x3000, 3);
    assert_int_equal(p.table_calls, 2);
    assert_int_equal(p.watchers, 2);
    assert_int_equal(physmem_page_flags(pm, 0x3000), PAGE_CODE);
    physmem_free(pm);
}

static void set_bits_reaches_code_and_devices(void **state)
{
    struct physmem *pm = memory(2 << 20);
    struct probe p = {0};
    struct physmem_listener listener = {.context = &p, .code_written = code_written};

    (void)state;
    physmem_set_listener(pm, &listener);
    physmem_set_code(pm, 0x3000);
    physmem_set_bits(pm, 0x3010, 0x20, 8, CPU0);
    assert_int_equal(p.code_calls, 1);
    assert_int_equal(p.code_at, 0x3010);
    assert_int_equal(p.code_size, 8);
    physmem_map_mmio(pm, 0x110000, 0x1000, &probe_ops, &p, "p");
    physmem_set_bits(pm, 0x110010, 0x80, 4, CPU0);
    assert_int_equal(p.last_offset, 0x10);
    assert_int_equal(p.last_value, 0x44332291u);
    physmem_free(pm);
}

static void hash_depends_on_contents_only(void **state)
{
    struct physmem *a = memory(4ull << 30), *b = memory(4ull << 30);
    u64 clean = physmem_hash(a);

    (void)state;
    write32(a, 0x5000, 7);
    assert_int_not_equal(physmem_hash(a), clean);
    assert_int_equal(physmem_hash(b), clean);
    physmem_host_writable(b, 0x9000)[0] = 0; /* touched, still zero */
    assert_int_equal(physmem_hash(b), clean);
    memcpy(physmem_host_writable(b, 0x5000), &(u32){7}, 4); /* same contents by another way */
    assert_int_equal(physmem_hash(a), physmem_hash(b));
    write32(b, 0x5000, 0);
    write32(b, 0x6000, 7); /* same word in another page */
    assert_int_not_equal(physmem_hash(a), physmem_hash(b));
    write32(b, 0x6000, 0);
    assert_int_equal(physmem_hash(b), clean);
    physmem_free(a);
    physmem_free(b);
}

/* ---- ports */

struct port_probe {
    unsigned reads, writes, last_size;
    u16 last_port;
    u32 last_value;
};

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct port_probe *p = device;

    p->reads++;
    p->last_port = port;
    p->last_size = size;
    return size == 1 ? port & 0xff : 0xcafef00d;
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct port_probe *p = device;

    p->writes++;
    p->last_port = port;
    p->last_value = value;
    p->last_size = size;
}

static const struct port_ops byte_ops = {port_read, port_write, 0};
static const struct port_ops wide_ops = {port_read, port_write, 1 | 4};

static void ports_split_and_default(void **state)
{
    struct ports *ports = ports_new();
    struct port_probe p = {0}, q = {0};

    (void)state;
    assert_int_equal(ports_read(ports, 0x60, 1, CPU0), 0xff);
    assert_int_equal(ports_read(ports, 0x60, 2, CPU0), 0xffff);
    assert_int_equal(ports_read(ports, 0xffff, 4, CPU0), 0xffffffff);
    ports_write(ports, 0xffff, 0, 4, CPU0);
    ports_claim(ports, 0x60, 4, &byte_ops, &p, "p");
    ports_claim(ports, 0xcf8, 4, &wide_ops, &q, "q");
    assert_int_equal(ports_read(ports, 0x60, 4, CPU0), 0x63626160);
    assert_int_equal(p.reads, 4);
    assert_int_equal(ports_read(ports, 0x62, 4, CPU0), 0xffff6362);
    assert_int_equal(ports_read(ports, 0xcf8, 4, CPU0), 0xcafef00d);
    assert_int_equal(q.reads, 1);
    assert_int_equal(ports_read(ports, 0xcf8, 2, CPU0), 0xf9f8);
    ports_write(ports, 0xcf8, 0x80001234, 4, CPU0);
    assert_int_equal(q.last_value, 0x80001234);
    ports_write(ports, 0xcfa, 0xaabb, 2, CPU0);
    assert_int_equal(q.last_port, 0xcfb);
    assert_int_equal(q.last_value, 0xaa);
    ports_claim(ports, 0x62, 1, &wide_ops, &q, "q"); /* a later claim wins */
    assert_int_equal(ports_read(ports, 0x60, 4, CPU0), 0x63626160);
    assert_int_equal(q.last_port, 0x62);
    ports_release(ports, 0x62, 1);
    assert_int_equal(ports_read(ports, 0x60, 4, CPU0), 0x63ff6160);
    for (unsigned i = 0; i < 5000; i++) { /* a BAR that moves takes no new entry */
        ports_claim(ports, (u16)(0x1000 + 4 * (i & 255)), 4, &wide_ops, &q, "q");
        ports_release(ports, (u16)(0x1000 + 4 * (i & 255)), 4);
    }
    ports_free(ports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ram_is_split_at_3_gib),
        cmocka_unit_test(bad_sizes_are_refused),
        cmocka_unit_test(hole_is_unclaimed_until_rom),
        cmocka_unit_test(shadow_ram_is_opened_in_halves),
        cmocka_unit_test(devices_hide_ram_and_see_whole_accesses),
        cmocka_unit_test(a20_masks_every_access),
        cmocka_unit_test(code_pages_tell_the_listener),
        cmocka_unit_test(page_tables_announce_their_first_write),
        cmocka_unit_test(set_bits_reaches_code_and_devices),
        cmocka_unit_test(hash_depends_on_contents_only),
        cmocka_unit_test(ports_split_and_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
