/* SPDX-License-Identifier: MIT
 * System instructions, one at a time: ports and their repetition, segments, tables, debug registers, bases, CPUID.
 */
#include "isa_fixture.h"

#include "bus/ports.h"

#define GDT 0x50000u
#define DATA_DESCRIPTOR 0x00CF92000000FFFFull
#define DATA_SELECTOR 0x10u

/* ---- a port that counts */

struct counter {
    u32 next, last_written, writes;
};

static u32 counter_read(void *device, u16 port, unsigned size)
{
    (void)port;
    (void)size;
    return ((struct counter *)device)->next++;
}

static void counter_write(void *device, u16 port, u32 value, unsigned size)
{
    struct counter *c = device;

    (void)port;
    (void)size;
    c->last_written = value;
    c->writes++;
}

static const struct port_ops counter_ops = {.read = counter_read, .write = counter_write, .sizes = 1 | 2 | 4};

#define COUNTER_PORT 0x1F0u

static void open_with_port(struct fixture *fx, enum fixture_kind kind, struct counter *c)
{
    fixture_open(fx, kind);
    fx->io = ports_new();
    ports_claim(fx->io, COUNTER_PORT, 4, &counter_ops, c, "counter");
    fx->cpu->host.io = fx->io;
    fx->cpu->arch.gpr[RDX] = COUNTER_PORT;
}

static void close_with_port(struct fixture *fx)
{
    fixture_close(fx);
    ports_free(fx->io);
}

static void test_in_and_out_are_at_most_32_bits(void **state)
{
    struct counter c = {.next = 0x11223344};
    struct fixture fx;

    (void)state;
    open_with_port(&fx, FIXTURE_64, &c);
    fx.cpu->arch.gpr[RAX] = ~0ull;
    assert_int_equal(RUN(&fx, 0x48, 0xED), -1); /* REX.W IN EAX,DX */
    assert_true(fx.cpu->arch.gpr[RAX] == 0x11223344);
    fx.cpu->arch.gpr[RAX] = 0xAABBCCDD55667788;
    assert_int_equal(RUN(&fx, 0x66, 0xEF), -1); /* OUT DX,AX */
    assert_int_equal(c.last_written, 0x7788);
    assert_int_equal(RUN(&fx, 0xEC), -1); /* IN AL,DX keeps the rest */
    assert_true(fx.cpu->arch.gpr[RAX] == 0xAABBCCDD55667745);
    close_with_port(&fx);
}

static void test_rep_ins_stops_at_the_deadline(void **state)
{
    struct counter c = {.next = 1};
    struct fixture fx;
    struct cpu *cpu;

    (void)state;
    open_with_port(&fx, FIXTURE_64, &c);
    cpu = fx.cpu;
    cpu->arch.rip = FIXTURE_CODE;
    cpu->arch.gpr[RCX] = 10;
    cpu->arch.gpr[RDI] = FIXTURE_DATA;
    fx.clock.ticks = 100;
    fx.clock.unretired = 93; /* 7 instructions */
    cpu->d.stop_tick = 104;
    assert_int_equal(RUN(&fx, 0xF3, 0x66, 0x6D), -1);
    assert_int_equal(cpu->arch.gpr[RCX], 6);
    assert_int_equal(cpu->arch.gpr[RDI], FIXTURE_DATA + 8);
    assert_int_equal(cpu->d.next_rip, FIXTURE_CODE); /* runs again */
    assert_int_equal(fx.clock.ticks, 103);           /* the engine adds the fourth */
    assert_int_equal(clock_retired(&fx.clock), 6);
    assert_int_equal(fixture_read(&fx, FIXTURE_DATA + 6, 2), 4);
    cpu->d.stop_tick = CLOCK_NEVER;
    assert_int_equal(RUN(&fx, 0xF3, 0x66, 0x6D), -1);
    assert_int_equal(cpu->arch.gpr[RCX], 0);
    assert_int_equal(cpu->d.next_rip, FIXTURE_CODE + 3);
    close_with_port(&fx);
}

static void test_rep_ins_checks_the_destination_before_the_port(void **state)
{
    struct counter c = {.next = 1};
    struct fixture fx;

    (void)state;
    open_with_port(&fx, FIXTURE_64, &c);
    fx.cpu->arch.gpr[RCX] = 4;
    fx.cpu->arch.gpr[RDI] = FIXTURE_HOLE - 2;
    assert_int_equal(RUN(&fx, 0xF3, 0x6C), VEC_PF);
    assert_int_equal(fx.cpu->arch.gpr[RCX], 2); /* what was done stays done */
    assert_int_equal(fx.cpu->arch.gpr[RDI], FIXTURE_HOLE);
    assert_int_equal(fx.clock.ticks, 2);
    assert_int_equal(c.next, 3); /* the third byte was not taken from the device */
    close_with_port(&fx);
}

static void test_rep_outs_with_count_zero_does_nothing(void **state)
{
    struct counter c = {0};
    struct fixture fx;

    (void)state;
    open_with_port(&fx, FIXTURE_64, &c);
    fx.cpu->arch.gpr[RCX] = 0;
    fx.cpu->arch.gpr[RSI] = FIXTURE_HOLE;
    assert_int_equal(RUN(&fx, 0xF3, 0x6E), -1);
    assert_int_equal(c.writes, 0);
    assert_int_equal(fx.clock.ticks, 0);
    close_with_port(&fx);
}

/* ---- segments */

static void open_with_gdt(struct fixture *fx, enum fixture_kind kind)
{
    fixture_open(fx, kind);
    fixture_write64(fx, GDT + DATA_SELECTOR, DATA_DESCRIPTOR);
    fx->cpu->arch.gdtr = (struct table_register){.base = GDT, .limit = 0x1F};
}

static void test_mov_ss_makes_a_shadow_and_lss_does_not(void **state)
{
    struct fixture fx;

    (void)state;
    open_with_gdt(&fx, FIXTURE_32);
    fx.cpu->arch.gpr[RAX] = DATA_SELECTOR;
    assert_int_equal(RUN(&fx, 0x8E, 0xD8), -1); /* MOV DS,AX */
    assert_int_equal(fx.cpu->arch.shadow, 0);
    assert_int_equal(RUN(&fx, 0x8E, 0xD0), -1); /* MOV SS,AX */
    assert_int_equal(fx.cpu->arch.shadow, SHADOW_MOV_SS);
    assert_int_equal(fx.cpu->d.stop_tick, 0);
    fx.cpu->arch.shadow = 0;
    fixture_write64(&fx, FIXTURE_DATA, ((u64)DATA_SELECTOR << 32) | 0x1234);
    fx.cpu->arch.gpr[RBX] = FIXTURE_DATA;
    assert_int_equal(RUN(&fx, 0x0F, 0xB2, 0x23), -1); /* LSS ESP,[EBX] */
    assert_int_equal(fx.cpu->arch.shadow, 0);
    assert_int_equal(fx.cpu->arch.gpr[RSP], 0x1234);
    fixture_close(&fx);
}

static void test_mov_to_cs_is_undefined(void **state)
{
    struct fixture fx;

    (void)state;
    open_with_gdt(&fx, FIXTURE_32);
    assert_int_equal(RUN(&fx, 0x8E, 0xC8), VEC_UD);
    fixture_close(&fx);
}

static void test_push_segment_writes_a_word_on_intel(void **state)
{
    struct fixture fx;

    (void)state;
    open_with_gdt(&fx, FIXTURE_32);
    fixture_write64(&fx, FIXTURE_STACK - 4, 0xFFFFFFFF);
    assert_int_equal(RUN(&fx, 0x1E), -1);
    assert_int_equal(fx.cpu->arch.gpr[RSP], FIXTURE_STACK - 4);
    assert_int_equal(fixture_read(&fx, FIXTURE_STACK - 4, 4), 0xFFFF0000 | DATA_SELECTOR);
    fx.cpu->model.vendor = VENDOR_AMD;
    assert_int_equal(RUN(&fx, 0x1E), -1);
    assert_int_equal(fixture_read(&fx, FIXTURE_STACK - 8, 4), DATA_SELECTOR);
    assert_int_equal(RUN(&fx, 0x07), -1); /* POP ES */
    assert_int_equal(fx.cpu->arch.gpr[RSP], FIXTURE_STACK - 4);
    fixture_close(&fx);
}

static void test_arpl(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_32);
    fx.cpu->arch.gpr[RAX] = 0x08;
    fx.cpu->arch.gpr[RBX] = 0x03;
    assert_int_equal(RUN(&fx, 0x63, 0xD8), -1); /* ARPL AX,BX */
    assert_int_equal(fx.cpu->arch.gpr[RAX], 0x0B);
    assert_true(flag_zf(fx.cpu));
    assert_int_equal(RUN(&fx, 0x63, 0xD8), -1);
    assert_false(flag_zf(fx.cpu));
    fixture_close(&fx);
}

static void test_tables(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.gpr[RBX] = FIXTURE_DATA;
    fixture_write64(&fx, FIXTURE_DATA, 0xFFFF800012340FFF);
    fixture_write64(&fx, FIXTURE_DATA + 8, 0xFFFF);
    assert_int_equal(RUN(&fx, 0x0F, 0x01, 0x13), -1); /* LGDT */
    assert_int_equal(fx.cpu->arch.gdtr.limit, 0x0FFF);
    assert_true(fx.cpu->arch.gdtr.base == 0xFFFFFFFF80001234);
    assert_int_equal(RUN(&fx, 0x0F, 0x01, 0x43, 0x20), -1); /* SGDT */
    assert_true(fixture_read(&fx, FIXTURE_DATA + 0x22, 8) == 0xFFFFFFFF80001234);
    fixture_write64(&fx, FIXTURE_DATA + 8, 0x1234);
    assert_int_equal(RUN(&fx, 0x0F, 0x01, 0x13), VEC_GP); /* not canonical */
    assert_true(fx.cpu->arch.gdtr.base == 0xFFFFFFFF80001234);
    fixture_close(&fx);
}

static void test_umip(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_32);
    fx.cpu->arch.cr4 |= CR4_UMIP;
    assert_int_equal(RUN(&fx, 0x0F, 0x01, 0xE0), -1); /* SMSW EAX at CPL 0 */
    fx.cpu->arch.cpl = 3;
    assert_int_equal(RUN(&fx, 0x0F, 0x01, 0xE0), VEC_GP);
    assert_int_equal(RUN(&fx, 0x0F, 0x00, 0xC8), VEC_GP); /* STR EAX */
    assert_int_equal(fx.cpu->host.fault.rule, RULE_PG_01);
    fixture_close(&fx);
}

/* ---- control, debug, bases, counters */

static void test_debug_registers(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.gpr[RAX] = 0x1234;
    assert_int_equal(RUN(&fx, 0x0F, 0x23, 0xC0), -1); /* MOV DR0,RAX */
    assert_int_equal(RUN(&fx, 0x0F, 0x21, 0xC3), -1); /* MOV RBX,DR0 */
    assert_int_equal(fx.cpu->arch.gpr[RBX], 0x1234);
    fx.cpu->arch.dr[6] = 0xFFFF4FF0;
    assert_int_equal(RUN(&fx, 0x0F, 0x21, 0xE3), -1); /* MOV RBX,DR4: DR6 */
    assert_int_equal(fx.cpu->arch.gpr[RBX], 0xFFFF4FF0);
    fx.cpu->arch.cr4 |= CR4_DE;
    assert_int_equal(RUN(&fx, 0x0F, 0x21, 0xE3), VEC_UD);
    fx.cpu->arch.dr[7] |= DR7_GD;
    assert_int_equal(RUN(&fx, 0x0F, 0x21, 0xC3), VEC_DB);
    assert_true(fx.cpu->host.fault.debug_bits == DR6_BD);
    fixture_close(&fx);
}

static void test_fs_and_gs_bases(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.gpr[RAX] = 0x123456789ABC;
    assert_int_equal(RUN(&fx, 0xF3, 0x48, 0x0F, 0xAE, 0xD0), VEC_UD); /* WRFSBASE without CR4.FSGSBASE */
    fx.cpu->arch.cr4 |= CR4_FSGSBASE;
    assert_int_equal(RUN(&fx, 0xF3, 0x48, 0x0F, 0xAE, 0xD0), -1);
    assert_true(fx.cpu->arch.seg[FS].base == 0x123456789ABC && fx.cpu->d.seg_base[FS] == 0x123456789ABC);
    fx.cpu->arch.gpr[RAX] = 0x800000000000;
    assert_int_equal(RUN(&fx, 0xF3, 0x48, 0x0F, 0xAE, 0xD8), VEC_GP); /* WRGSBASE, not canonical */
    assert_int_equal(RUN(&fx, 0xF3, 0x0F, 0xAE, 0xC3), -1);           /* RDFSBASE EBX */
    assert_true(fx.cpu->arch.gpr[RBX] == 0x56789ABC);
    fixture_close(&fx);
}

static void test_time_stamp_counter(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    fx.clock.ticks = 0x1000;
    fx.cpu->arch.msr.tsc_offset = 0x500000000;
    fx.cpu->arch.msr.tsc_aux = 7;
    assert_int_equal(RUN(&fx, 0x0F, 0x01, 0xF9), -1);
    assert_true(fx.cpu->arch.gpr[RAX] == 0x1000 && fx.cpu->arch.gpr[RDX] == 5 && fx.cpu->arch.gpr[RCX] == 7);
    fx.cpu->arch.cr4 |= CR4_TSD;
    assert_int_equal(RUN(&fx, 0x0F, 0x31), -1);
    fx.cpu->arch.cpl = 3;
    assert_int_equal(RUN(&fx, 0x0F, 0x31), VEC_GP);
    fixture_close(&fx);
}

static int write_msr(struct fixture *fx, u32 number, u64 value)
{
    fx->cpu->arch.gpr[RCX] = number;
    fx->cpu->arch.gpr[RAX] = (u32)value;
    fx->cpu->arch.gpr[RDX] = value >> 32;
    return RUN(fx, 0x0F, 0x30);
}

static u64 read_msr(struct fixture *fx, u32 number)
{
    fx->cpu->arch.gpr[RCX] = number;
    assert_int_equal(RUN(fx, 0x0F, 0x32), -1);
    return (fx->cpu->arch.gpr[RDX] << 32) | fx->cpu->arch.gpr[RAX];
}

static void test_msrs(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    fx.clock.ticks = 1000;
    fx.cpu->arch.msr.tsc_offset = 0;
    assert_int_equal(write_msr(&fx, 0xC0000082, 0xFFFFFFFF81000000), -1); /* LSTAR */
    assert_true(read_msr(&fx, 0xC0000082) == 0xFFFFFFFF81000000);
    assert_int_equal(write_msr(&fx, 0xC0000082, 0x800000000000), VEC_GP);
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MSR_04);
    assert_int_equal(write_msr(&fx, 0x12345678, 0), VEC_GP);
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MSR_01);
    assert_int_equal(write_msr(&fx, 0xC0000101, 0xFFFF888000000000), -1); /* GS base: the hidden register */
    assert_true(fx.cpu->d.seg_base[GS] == 0xFFFF888000000000);
    assert_true(read_msr(&fx, 0xC0000101) == 0xFFFF888000000000);
    assert_int_equal(write_msr(&fx, 0x10, 5000), -1); /* TSC: TSC_ADJUST follows */
    assert_true(read_msr(&fx, 0x10) == 5000 && read_msr(&fx, 0x3B) == 4000);
    assert_int_equal(write_msr(&fx, 0x3B, 0), -1); /* and back */
    assert_true(read_msr(&fx, 0x10) == 1000);
    assert_int_equal(write_msr(&fx, 0xC0000080, EFER_LME | EFER_SCE), -1); /* LMA stays, NXE goes */
    assert_true(read_msr(&fx, 0xC0000080) == (EFER_LME | EFER_LMA | EFER_SCE));
    fixture_close(&fx);
}

static void test_cpuid_shows_osxsave(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->model.basic_leaves = 0xD;
    fx.cpu->arch.gpr[RAX] = 1;
    assert_int_equal(RUN(&fx, 0x0F, 0xA2), -1);
    assert_false(fx.cpu->arch.gpr[RCX] & BIT(27));
    fx.cpu->arch.cr4 |= CR4_OSXSAVE;
    fx.cpu->arch.gpr[RAX] = 1;
    assert_int_equal(RUN(&fx, 0x0F, 0xA2), -1);
    assert_true(fx.cpu->arch.gpr[RCX] & BIT(27));
    fixture_close(&fx);
}

static void test_hlt_and_undefined(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    assert_int_equal(RUN(&fx, 0x0F, 0x0B), VEC_UD);
    assert_int_equal(RUN(&fx, 0x0F, 0xAA), VEC_UD); /* RSM */
    assert_int_equal(RUN(&fx, 0xF4), -1);
    assert_int_equal(fx.cpu->arch.activity, HALTED);
    fixture_close(&fx);
}

static void test_rdrand_repeats_with_time(void **state)
{
    struct fixture fx;
    u64 first;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    assert_int_equal(RUN(&fx, 0x48, 0x0F, 0xC7, 0xF0), -1);
    assert_true(flag_cf(fx.cpu) && !flag_zf(fx.cpu));
    first = fx.cpu->arch.gpr[RAX];
    fx.clock.ticks++;
    assert_int_equal(RUN(&fx, 0x48, 0x0F, 0xC7, 0xF0), -1);
    assert_true(fx.cpu->arch.gpr[RAX] != first);
    fx.clock.ticks--;
    assert_int_equal(RUN(&fx, 0x48, 0x0F, 0xC7, 0xF0), -1);
    assert_true(fx.cpu->arch.gpr[RAX] == first);
    fixture_close(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_and_out_are_at_most_32_bits),
        cmocka_unit_test(test_rep_ins_stops_at_the_deadline),
        cmocka_unit_test(test_rep_ins_checks_the_destination_before_the_port),
        cmocka_unit_test(test_rep_outs_with_count_zero_does_nothing),
        cmocka_unit_test(test_mov_ss_makes_a_shadow_and_lss_does_not),
        cmocka_unit_test(test_mov_to_cs_is_undefined),
        cmocka_unit_test(test_push_segment_writes_a_word_on_intel),
        cmocka_unit_test(test_arpl),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_umip),
        cmocka_unit_test(test_debug_registers),
        cmocka_unit_test(test_fs_and_gs_bases),
        cmocka_unit_test(test_time_stamp_counter),
        cmocka_unit_test(test_msrs),
        cmocka_unit_test(test_cpuid_shows_osxsave),
        cmocka_unit_test(test_hlt_and_undefined),
        cmocka_unit_test(test_rdrand_repeats_with_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
