/* SPDX-License-Identifier: MIT
 * What MMX and SSE instructions do beside their results: x87 state, MXCSR, saved images, faults, approximations.
 */
#include "unit/sse_native.h"

#define AREA (FIXTURE_DATA + 0x100u)

static void open_sse(struct fixture *fx, enum fixture_kind kind)
{
    fixture_open(fx, kind);
    fx->cpu->arch.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
    fx->cpu->arch.xcr0 = 3;
    fx->cpu->arch.mxcsr = 0x1F80;
    fx->cpu->arch.gpr[RAX] = 3;
    fx->cpu->arch.gpr[RDX] = 0;
    fx->cpu->arch.gpr[RDI] = AREA;
    cpu_update_derived(fx->cpu);
}

#define OPEN(kind)                                                                                                     \
    struct fixture fx;                                                                                                 \
    (void)state;                                                                                                       \
    open_sse(&fx, kind);                                                                                               \
    struct cpu_arch *a = &fx.cpu->arch

/* ---- MMX and the x87 state */
static void mmx_takes_over_the_x87_registers(void **state)
{
    OPEN(FIXTURE_64);

    a->x87_status = 0x3900;
    a->x87_tag = 0xFFFF;
    a->x87[3].sign_exponent = 0x1234;
    a->x87[3].mantissa = 5;
    a->x87[4].mantissa = 7;
    assert_int_equal(RUN(&fx, 0x0F, 0xFE, 0xDC), -1); /* paddd mm3, mm4 */
    assert_int_equal(a->x87[3].mantissa, 12);
    assert_int_equal(a->x87[3].sign_exponent, 0xFFFF);
    assert_int_equal(a->x87_status, 0x0100);
    assert_int_equal(a->x87_tag, 0);
    a->x87_status = 0x3900;
    assert_int_equal(RUN(&fx, 0x0F, 0x77), -1); /* emms */
    assert_int_equal(a->x87_tag, 0xFFFF);
    assert_int_equal(a->x87_status, 0x0100);
    a->x87_status = 0x3900;
    assert_int_equal(RUN(&fx, 0x0F, 0x7F, 0x1F), -1); /* movq [rdi], mm3 */
    assert_int_equal(fixture_read(&fx, AREA, 8), 12);
    assert_int_equal(a->x87_status, 0x0100);
    assert_int_equal(a->x87_tag, 0);
    fixture_close(&fx);
}

static void pending_x87_exception_comes_first(void **state)
{
    OPEN(FIXTURE_64);

    a->cr0 |= CR0_NE;
    cpu_update_derived(fx.cpu);
    a->x87_status = 0x8081;
    a->gpr[RDI] = FIXTURE_HOLE;
    assert_int_equal(RUN(&fx, 0x0F, 0xFE, 0x1F), VEC_MF); /* paddd mm3, [hole] */
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_01);
    assert_int_equal(RUN(&fx, 0x0F, 0x77), VEC_MF);         /* emms */
    assert_int_equal(RUN(&fx, 0x0F, 0x2D, 0xC8), VEC_MF);   /* cvtps2pi mm1, xmm0 */
    assert_int_equal(RUN(&fx, 0x66, 0x0F, 0xFE, 0xDC), -1); /* paddd xmm3, xmm4: no business of x87 */
    a->gpr[RDI] = AREA;
    assert_int_equal(RUN(&fx, 0x66, 0x0F, 0x2A, 0x07), -1);     /* cvtpi2pd xmm0, [rdi] */
    assert_int_equal(RUN(&fx, 0x66, 0x0F, 0x2A, 0xC1), VEC_MF); /* cvtpi2pd xmm0, mm1 */
    a->x87_status = 0;
    a->gpr[RDI] = FIXTURE_HOLE;
    a->x87_tag = 0xFFFF;
    assert_int_equal(RUN(&fx, 0x0F, 0xFE, 0x1F), VEC_PF);
    assert_int_equal(a->x87_tag, 0xFFFF);
    fixture_close(&fx);
}

static void checks_at_decode(void **state)
{
    OPEN(FIXTURE_64);

    a->cr0 |= CR0_TS;
    cpu_update_derived(fx.cpu);
    assert_int_equal(RUN(&fx, 0x0F, 0xFE, 0xDC), VEC_NM);
    assert_int_equal(RUN(&fx, 0x0F, 0x58, 0xDC), VEC_NM);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x07), VEC_NM); /* fxsave */
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x27), VEC_NM); /* xsave */
    assert_int_equal(RUN(&fx, 0x0F, 0xC3, 0x07), -1);     /* movnti needs neither */
    a->cr0 = (a->cr0 & ~CR0_TS) | CR0_EM;
    cpu_update_derived(fx.cpu);
    assert_int_equal(RUN(&fx, 0x0F, 0xFE, 0xDC), VEC_UD);
    assert_int_equal(RUN(&fx, 0x0F, 0x58, 0xDC), VEC_UD);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x07), VEC_NM);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x27), -1);
    a->cr0 &= ~CR0_EM;
    a->cr4 &= ~(CR4_OSFXSR | CR4_OSXSAVE);
    cpu_update_derived(fx.cpu);
    assert_int_equal(RUN(&fx, 0x0F, 0xFE, 0xDC), -1);
    assert_int_equal(RUN(&fx, 0x0F, 0x70, 0xDC, 0), -1); /* pshufw */
    assert_int_equal(RUN(&fx, 0x0F, 0x58, 0xDC), VEC_UD);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x1F), VEC_UD); /* stmxcsr */
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x07), -1);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x27), VEC_UD);
    fixture_close(&fx);
}

/* ---- MXCSR */
static void mxcsr_loads_and_faults(void **state)
{
    OPEN(FIXTURE_64);

    fixture_write64(&fx, AREA, 0xFFFF);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x17), -1);
    assert_int_equal(a->mxcsr, 0xFFFF);
    fixture_write64(&fx, AREA, 0x10000);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x17), VEC_GP);
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_03);
    assert_int_equal(a->mxcsr, 0xFFFF);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x1F), -1);
    assert_int_equal(fixture_read(&fx, AREA, 8), 0xFFFF);

    a->mxcsr = 0x1D80; /* ZM clear */
    a->xmm[0] = (union xmm_reg){.u32 = {0x3F800000, 1, 2, 3}};
    a->xmm[1] = (union xmm_reg){.u32 = {0, 0, 0, 0}};
    assert_int_equal(RUN(&fx, 0xF3, 0x0F, 0x5E, 0xC1), VEC_XM); /* divss xmm0, xmm1 */
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_02);
    assert_int_equal(a->mxcsr, 0x1D84);
    assert_int_equal(a->xmm[0].u32[0], 0x3F800000);
    a->cr4 &= ~CR4_OSXMMEXCPT;
    assert_int_equal(RUN(&fx, 0xF3, 0x0F, 0x5E, 0xC1), VEC_UD);
    fixture_close(&fx);
}

/* ---- FXSAVE, FXRSTOR: the host saves what it restored from a random image; so must the emulator */
static void fxsave_image_equals_the_hosts(void **state)
{
    OPEN(FIXTURE_64);
    _Alignas(64) u8 image[512], own[512], host[512], guest[512];
    u64 seed = 88172645463325252;

    for (unsigned round = 0; round < 500; round++) {
        bool wide = round & 1;

        for (unsigned i = 0; i < 512; i += 8)
            store_le64(image + i, random_next(&seed));
        store_le32(image + 24, (u32)random_next(&seed) & 0xFFFF);
        memset(host, 0x5A, sizeof host);
        __asm__ volatile("fxsave64 (%0)" : : "r"(own) : "memory");
        if (wide)
            __asm__ volatile("fxrstor64 (%0)\n fxsave64 (%1)\n fxrstor64 (%2)"
                             :
                             : "r"(image), "r"(host), "r"(own)
                             : "memory");
        else
            __asm__ volatile("fxrstor (%0)\n fxsave (%1)\n fxrstor64 (%2)"
                             :
                             : "r"(image), "r"(host), "r"(own)
                             : "memory");

        fixture_write(&fx, AREA, image, sizeof image);
        memset(guest, 0x5A, sizeof guest);
        fixture_write(&fx, AREA + 512, guest, sizeof guest);
        a->gpr[RDI] = AREA;
        assert_int_equal(wide ? RUN(&fx, 0x48, 0x0F, 0xAE, 0x0F) : RUN(&fx, 0x0F, 0xAE, 0x0F), -1);
        a->gpr[RDI] = AREA + 512;
        assert_int_equal(wide ? RUN(&fx, 0x48, 0x0F, 0xAE, 0x07) : RUN(&fx, 0x0F, 0xAE, 0x07), -1);
        physmem_read(fx.pm, AREA + 512, guest, sizeof guest, INITIATOR_LOADER);
        /* A host without FCS and FDS stores zeros there, and canonicalises wide pointers. */
        memset(host + 8, 0, 16);
        memset(guest + 8, 0, 16);
        if (__builtin_cpu_is("amd")) { /* APM 5, "FXSAVE": the last opcode only with an unmasked exception pending */
            memset(host + 6, 0, 2);
            memset(guest + 6, 0, 2);
        }
        store_le32(host + 28, 0xFFFF);
        assert_memory_equal(host, guest, 416);
    }
    fixture_close(&fx);
}

static void fxsave_pointers_and_tags(void **state)
{
    OPEN(FIXTURE_64);
    u64 before;

    a->x87_control = 0x37F;
    a->x87_status = 0x2800; /* TOP = 5 */
    a->x87_tag = 0x03FF;    /* physical 5, 6, 7 in use */
    a->x87[5].mantissa = 0x8000000000000000;
    a->x87[5].sign_exponent = 0x3FFF;
    a->x87_opcode = 0x1D9;
    a->x87_ip = 0x1122334455667788;
    a->x87_cs = 0x33;
    a->x87_dp = 0x99AABBCCDDEEFF00;
    a->x87_ds = 0x2B;
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x07), -1);
    assert_int_equal(fixture_read(&fx, AREA + 4, 1), 0xE0);
    assert_int_equal(fixture_read(&fx, AREA + 6, 2), 0x1D9);
    assert_int_equal(fixture_read(&fx, AREA + 8, 8), 0x3355667788);
    assert_int_equal(fixture_read(&fx, AREA + 16, 8), 0x2BDDEEFF00);
    assert_int_equal(fixture_read(&fx, AREA + 32 + 8, 2), 0x3FFF); /* ST(0) is physical 5 */
    assert_int_equal(RUN(&fx, 0x48, 0x0F, 0xAE, 0x07), -1);
    assert_int_equal(fixture_read(&fx, AREA + 8, 8), 0x1122334455667788);
    assert_int_equal(fixture_read(&fx, AREA + 16, 8), 0x99AABBCCDDEEFF00);
    a->x87_tag = 0;
    assert_int_equal(RUN(&fx, 0x48, 0x0F, 0xAE, 0x0F), -1);
    assert_int_equal(a->x87_tag, 0x53FF); /* 5 valid, 6 and 7 zero */

    /* AMD: only with an exception pending */
    fx.cpu->model.vendor = VENDOR_AMD;
    before = fixture_read(&fx, AREA + 8, 8);
    a->x87_ip = 1;
    assert_int_equal(RUN(&fx, 0x48, 0x0F, 0xAE, 0x07), -1);
    assert_int_equal(fixture_read(&fx, AREA + 8, 8), before);
    a->x87_status |= 0x80;
    assert_int_equal(RUN(&fx, 0x48, 0x0F, 0xAE, 0x07), -1);
    assert_int_equal(fixture_read(&fx, AREA + 8, 8), 1);
    fixture_close(&fx);
}

static void fxsave_faults(void **state)
{
    OPEN(FIXTURE_64);

    a->gpr[RDI] = AREA + 8;
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x07), VEC_GP);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x0F), VEC_GP);
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_04);
    a->gpr[RDI] = AREA;
    fixture_write64(&fx, AREA + 24, 0x10000);
    a->x87_control = 0x37F;
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x0F), VEC_GP);
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_03);
    assert_int_equal(a->x87_control, 0x37F);
    /* An area that runs into a hole is not written at all. */
    a->gpr[RDI] = FIXTURE_HOLE - 64;
    fixture_write64(&fx, FIXTURE_HOLE - 64, 0xFEED);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x07), VEC_PF);
    assert_int_equal(fixture_read(&fx, FIXTURE_HOLE - 64, 8), 0xFEED);
    fixture_close(&fx);
}

static void fxsave_outside_64_bit_mode_keeps_the_upper_registers(void **state)
{
    OPEN(FIXTURE_32);

    a->xmm[8].u64[0] = 0x1111;
    a->xmm[7].u64[0] = 0x7777;
    fixture_write64(&fx, AREA + 160 + 16 * 8, 0x5A5A);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x07), -1);
    assert_int_equal(fixture_read(&fx, AREA + 160 + 16 * 7, 8), 0x7777);
    assert_int_equal(fixture_read(&fx, AREA + 160 + 16 * 8, 8), 0x5A5A);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x0F), -1);
    assert_int_equal(a->xmm[8].u64[0], 0x1111);
    fixture_close(&fx);
}

/* ---- XSAVE */
static void xsave_standard_form(void **state)
{
    OPEN(FIXTURE_64);

    a->x87_control = 0x37F;
    a->x87_status = 0;
    a->x87_tag = 0xFFFF;
    a->xmm[2].u64[1] = 0xABCD;
    fixture_write64(&fx, AREA + 512, 0x8000000000000005); /* bits outside RFBM stay */
    fixture_write64(&fx, AREA + 520, 0x77);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x27), -1);
    assert_int_equal(fixture_read(&fx, AREA + 512, 8), 0x8000000000000006); /* x87 in its initial state */
    assert_int_equal(fixture_read(&fx, AREA + 520, 8), 0x77);
    assert_int_equal(fixture_read(&fx, AREA, 2), 0x37F); /* XSAVE stores it all the same */
    assert_int_equal(fixture_read(&fx, AREA + 160 + 32 + 8, 8), 0xABCD);

    fixture_write64(&fx, AREA, 0x5555);
    fixture_write64(&fx, AREA + 512, 0);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x37), -1); /* xsaveopt leaves it out */
    assert_int_equal(fixture_read(&fx, AREA, 8), 0x5555);
    assert_int_equal(fixture_read(&fx, AREA + 512, 8), 2);

    fixture_write64(&fx, AREA + 520, 0);
    a->x87_control = 0x27F;
    a->xmm[2].u64[1] = 0;
    a->mxcsr = 0x3F80;
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), -1); /* xrstor */
    assert_int_equal(a->x87_control, 0x37F);          /* initialised */
    assert_int_equal(a->xmm[2].u64[1], 0xABCD);
    assert_int_equal(a->mxcsr, 0x1F80);
    fixture_write64(&fx, AREA + 512, 0);
    fixture_write64(&fx, AREA + 24, 0x5F80);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), -1);
    assert_int_equal(a->xmm[2].u64[1], 0);
    assert_int_equal(a->mxcsr, 0x5F80); /* from memory, although SSE is initialised */
    fixture_close(&fx);
}

static void xsave_compacted_form(void **state)
{
    OPEN(FIXTURE_64);

    a->x87_control = 0x37F;
    a->x87_status = 0;
    a->x87_tag = 0xFFFF;
    assert_int_equal(RUN(&fx, 0x0F, 0xC7, 0x27), -1); /* xsavec: nothing in use */
    assert_int_equal(fixture_read(&fx, AREA + 512, 8), 0);
    assert_int_equal(fixture_read(&fx, AREA + 520, 8), 0x8000000000000003);
    assert_int_equal(fixture_read(&fx, AREA + 24, 4), 0);
    a->mxcsr = 0x3F80;
    assert_int_equal(RUN(&fx, 0x0F, 0xC7, 0x27), -1); /* MXCSR alone makes SSE count */
    assert_int_equal(fixture_read(&fx, AREA + 512, 8), 2);
    assert_int_equal(fixture_read(&fx, AREA + 24, 4), 0x3F80);
    a->mxcsr = 0x1F80;
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), -1);
    assert_int_equal(a->mxcsr, 0x3F80);
    fixture_write64(&fx, AREA + 512, 0);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), -1);
    assert_int_equal(a->mxcsr, 0x1F80); /* the compacted form initialises MXCSR too */
    fixture_close(&fx);
}

static void xrstor_faults(void **state)
{
    static const struct {
        u64 xstate_bv, xcomp_bv, rest;
        u8 at;
    } bad[] = {
        {4, 0, 0, 24},                  /* component outside XCR0 */
        {0, 1, 0, 24},                  /* standard form with reserved bytes */
        {0, 0, 1, 16},                  /* the same */
        {0, 0x8000000000000007, 0, 24}, /* compacted with a component outside XCR0 */
        {3, 0x8000000000000001, 0, 24}, /* state outside the compaction */
        {0, 0x8000000000000003, 1, 56}, /* reserved bytes */
    };
    OPEN(FIXTURE_64);

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        fixture_write64(&fx, AREA + 512, bad[i].xstate_bv);
        fixture_write64(&fx, AREA + 520, bad[i].xcomp_bv);
        fixture_write64(&fx, AREA + 512 + bad[i].at, bad[i].rest);
        assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), VEC_GP);
        assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_05);
        fixture_write64(&fx, AREA + 512 + bad[i].at, 0);
    }
    fixture_write64(&fx, AREA + 512, 0);
    fixture_write64(&fx, AREA + 520, 0);
    fixture_write64(&fx, AREA + 536, 1); /* the standard form does not look beyond byte 23 */
    fixture_write64(&fx, AREA + 24, 0x10000);
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), VEC_GP);
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_03);
    a->gpr[RAX] = 1; /* without SSE, MXCSR is not loaded */
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), -1);
    a->gpr[RDI] = AREA + 16;
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x2F), VEC_GP);
    assert_int_equal(fx.cpu->host.fault.rule, RULE_MM_04);
    fx.cpu->arch.gpr[RDI] = AREA + 32;
    assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x27), VEC_GP);
    fixture_close(&fx);
}

/* ---- approximations: within 1.5 * 2^-12 of the true value, special cases as the host's */
static void approximations(void **state)
{
    OPEN(FIXTURE_64);
    u64 seed = 1;

    for (unsigned i = 0; i < 20000; i++) {
        bool root = i & 1;
        u32 in = random_single(&seed), out, host;
        float x, y, expected;

        memcpy(&x, &in, 4);
        if (root)
            __asm__ volatile("rsqrtss %1, %0" : "=x"(expected) : "x"(x));
        else
            __asm__ volatile("rcpss %1, %0" : "=x"(expected) : "x"(x));
        memcpy(&host, &expected, 4);
        a->xmm[1].u32[0] = in;
        assert_int_equal(root ? RUN(&fx, 0xF3, 0x0F, 0x52, 0xC1) : RUN(&fx, 0xF3, 0x0F, 0x53, 0xC1), -1);
        out = a->xmm[0].u32[0];
        memcpy(&y, &out, 4);
        if ((host & 0x7F800000) == 0x7F800000 || (host & 0x7F800000) == 0) {
            assert_int_equal(out, host);
        } else {
            double product = root ? (double)y * y * x : (double)y * x;

            assert_true(product > 1 - (root ? 3 : 1.5) / 4096 && product < 1 + (root ? 3 : 1.5) / 4096);
        }
    }
    assert_int_equal(a->mxcsr, 0x1F80);
    fixture_close(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mmx_takes_over_the_x87_registers),
        cmocka_unit_test(pending_x87_exception_comes_first),
        cmocka_unit_test(checks_at_decode),
        cmocka_unit_test(mxcsr_loads_and_faults),
        cmocka_unit_test(fxsave_image_equals_the_hosts),
        cmocka_unit_test(fxsave_pointers_and_tags),
        cmocka_unit_test(fxsave_faults),
        cmocka_unit_test(fxsave_outside_64_bit_mode_keeps_the_upper_registers),
        cmocka_unit_test(xsave_standard_form),
        cmocka_unit_test(xsave_compacted_form),
        cmocka_unit_test(xrstor_faults),
        cmocka_unit_test(approximations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
