/* SPDX-License-Identifier: MIT
 * The decoder: lengths and operands of chosen encodings in every mode, limits, forbidden instructions. The conformance
 * suite `decoder` compares all encodings with another decoder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "cpu/fault.h"
#include "cpu/isa/insn.h"
#include "cpu/isa/table.h"

#define MODE16 0u
#define MODE32 1u
#define MODE64 2u
#define SSE_ON (KEY_OSFXSR | KEY_OSXSAVE)

static struct cpu_model full_model(enum cpu_vendor vendor)
{
    struct cpu_model model = {.vendor = vendor, .generation = 6, .has_cpuid = true, .linear_bits = 48};

    for (unsigned f = 0; f < CPU_FEATURES; f++)
        model.feature[f] = true;
    return model;
}

static struct insn decode_vendor(u32 key, enum cpu_vendor vendor, const char *bytes, unsigned count)
{
    struct cpu_model model = full_model(vendor);
    struct insn insn;
    u8 padded[16] = {0};

    memcpy(padded, bytes, count);
    assert_int_equal(insn_decode(&insn, padded, 15, key | SSE_ON, &model), DECODE_OK);
    return insn;
}

#define DECODE(key, bytes) decode_vendor(key, VENDOR_INTEL, bytes, sizeof(bytes) - 1)
#define DECODE_AMD(key, bytes) decode_vendor(key, VENDOR_AMD, bytes, sizeof(bytes) - 1)
#define MNEMONIC(insn) insn_rows[(insn).row].mnemonic

/* ---- lengths, forms and widths */

struct encoding {
    const char *bytes;
    u8 length, mode;
    const char *mnemonic;
    u8 form, width, dst, src;
};

#define E(mode, bytes, mnemonic, form, width, dst, src)                                                                \
    {                                                                                                                  \
        bytes, sizeof(bytes) - 1, mode, mnemonic, form, width, dst, src                                                \
    }

static const struct encoding encodings[] = {
    E(MODE32, "\x01\xD8", "add", FORM_RR, W32, RAX, RBX),
    E(MODE16, "\x01\xD8", "add", FORM_RR, W16, RAX, RBX),
    E(MODE16, "\x66\x01\xD8", "add", FORM_RR, W32, RAX, RBX),
    E(MODE32, "\x66\x01\xD8", "add", FORM_RR, W16, RAX, RBX),
    E(MODE64, "\x48\x01\xD8", "add", FORM_RR, W64, RAX, RBX),
    E(MODE64, "\x66\x48\x01\xD8", "add", FORM_RR, W64, RAX, RBX),
    E(MODE64, "\x48\x66\x01\xD8", "add", FORM_RR, W16, RAX, RBX), /* REX not right before the opcode: ignored */
    E(MODE64, "\x4D\x01\xC8", "add", FORM_RR, W64, R8, R9),
    E(MODE32, "\x03\x03", "add", FORM_RM, W32, RAX, 0),
    E(MODE32, "\x01\x03", "add", FORM_MR, W32, 0, RAX),
    E(MODE32, "\x83\xC1\xFF", "add", FORM_RI, W32, RCX, 0),
    E(MODE32, "\x83\x01\xFF", "add", FORM_MI, W32, 0, 0),
    E(MODE32, "\x05\x44\x33\x22\x11", "add", FORM_RI, W32, RAX, 0),
    E(MODE16, "\x05\x22\x11", "add", FORM_RI, W16, RAX, 0),
    E(MODE64, "\x48\x05\x44\x33\x22\x11", "add", FORM_RI, W64, RAX, 0),
    E(MODE32, "\x00\xFC", "add", FORM_RR, W8, REG8_HIGH + 0, REG8_HIGH + 3), /* add ah, bh */
    E(MODE64, "\x40\x00\xFC", "add", FORM_RR, W8, RSP, RDI),                 /* add spl, dil */
    E(MODE64, "\x45\x00\xC7", "add", FORM_RR, W8, R15, R8),
    E(MODE64, "\x48\xB8\x08\x07\x06\x05\x04\x03\x02\x01", "mov", FORM_RI, W64, RAX, 0),
    E(MODE64, "\x41\xB8\x04\x03\x02\x01", "mov", FORM_RI, W32, R8, 0),
    E(MODE64, "\x50", "push", FORM_RR, W64, RAX, 0),
    E(MODE64, "\x66\x50", "push", FORM_RR, W16, RAX, 0),
    E(MODE64, "\x41\x57", "push", FORM_RR, W64, R15, 0),
    E(MODE64, "\x6A\xFF", "push", FORM_RI, W64, 0, 0),
    E(MODE32, "\x68\x04\x03\x02\x01", "push", FORM_RI, W32, 0, 0),
    E(MODE64, "\x0F\xA8", "push", FORM_RR, W64, GS, 0),
    E(MODE32, "\x1E", "push", FORM_RR, W32, DS, 0),
    E(MODE32, "\x69\xC3\x04\x03\x02\x01", "imul", FORM_RR, W32, RAX, RBX),
    E(MODE32, "\x6B\x03\x05", "imul", FORM_RM, W32, RAX, 0),
    E(MODE32, "\x0F\xA4\x03\x05", "shld", FORM_MR, W32, 0, RAX),
    E(MODE32, "\x0F\xA5\xC3", "shld", FORM_RR, W32, RBX, RAX),
    E(MODE32, "\xD3\xE3", "shl", FORM_RR, W32, RBX, RCX),
    E(MODE32, "\xD1\x23", "shl", FORM_MI, W32, 0, 0),
    E(MODE64, "\x90", "nop", FORM_RR, W32, 0, 0),
    E(MODE64, "\xF3\x90", "pause", FORM_RR, W32, 0, 0),
    E(MODE64, "\x41\x90", "xchg", FORM_RR, W32, R8, RAX),
    E(MODE64, "\x0F\x20\xC3", "mov", FORM_RR, W64, RBX, 0),     /* mov rbx, cr0 */
    E(MODE64, "\x44\x0F\x22\xC0", "mov", FORM_RR, W64, 8, RAX), /* mov cr8, rax */
    E(MODE32, "\x0F\x22\x18", "mov", FORM_RR, W32, 3, RAX),     /* mod is ignored: mov cr3, eax */
    E(MODE32, "\x8E\xD8", "mov", FORM_RR, W16, DS, RAX),
    E(MODE32, "\x8C\x18", "mov", FORM_MR, W32, 0, DS),
    E(MODE32, "\xE4\x60", "in", FORM_RI, W8, RAX, 0),
    E(MODE32, "\xEF", "out", FORM_RR, W32, RDX, RAX),
    E(MODE32, "\x0F\x01\x1D\x04\x03\x02\x01", "lidt", FORM_MR, W32, 0, 0),
    E(MODE64, "\x0F\x01\xF8", "swapgs", FORM_RR, W32, 0, 0),
    E(MODE64, "\x48\xCF", "iret", FORM_RR, W64, 0, 0),
    E(MODE64, "\x0F\x05", "syscall", FORM_RR, W32, 0, 0),
    E(MODE64, "\xF3\x48\x0F\xAE\xD8", "wrgsbase", FORM_RR, W64, RAX, 0),
    E(MODE64, "\xF3\x0F\xAE\xC3", "rdfsbase", FORM_RR, W32, RBX, 0),
    E(MODE64, "\x0F\xAE\xE8", "lfence", FORM_RR, W32, 0, 0),
    E(MODE32, "\x0F\x1F\x84\x00\x00\x00\x00\x00", "nop", FORM_MR, W32, 0, 0),
    E(MODE32, "\x6C", "insb", FORM_RR, W8, 0, 0),
    E(MODE32, "\xCD\x80", "int", FORM_RI, W32, 0, 0),
    E(MODE64, "\x63\xC3", "movsxd", FORM_RR, W32, RAX, RBX),
    E(MODE32, "\x63\xC3", "arpl", FORM_RR, W16, RBX, RAX),
    E(MODE64, "\xFF\x18", "callf", FORM_MR, W32, 0, 0),
    E(MODE64, "\x48\xFF\x28", "jmpf", FORM_MR, W64, 0, 0),
};

static void test_encodings(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(encodings); i++) {
        const struct encoding *e = &encodings[i];
        struct insn insn = decode_vendor(e->mode, VENDOR_INTEL, e->bytes, e->length);

        if (insn.row == insn_row_count || strcmp(MNEMONIC(insn), e->mnemonic) != 0 || insn.length != e->length)
            print_error("encoding %u: \"%s\" of %u bytes, expected \"%s\" of %u\n", i, MNEMONIC(insn), insn.length,
                        e->mnemonic, e->length);
        assert_string_equal(MNEMONIC(insn), e->mnemonic);
        assert_int_equal(insn.length, e->length);
        assert_int_equal(insn.form, e->form);
        assert_int_equal(insn.width, e->width);
        assert_int_equal(insn.dst, e->dst);
        assert_int_equal(insn.src, e->src);
    }
}

/* ---- memory operands */

struct address {
    const char *bytes;
    u8 length, mode, base, index, scale, seg;
    i32 disp;
};

#define A(mode, bytes, base, index, scale, seg, disp)                                                                  \
    {                                                                                                                  \
        bytes, sizeof(bytes) - 1, mode, base, index, scale, seg, disp                                                  \
    }

static const struct address addresses[] = {
    A(MODE32, "\x8B\x03", RBX, REG_NONE, 0, DS, 0),
    A(MODE32, "\x8B\x45\xFC", RBP, REG_NONE, 0, SS, -4),
    A(MODE32, "\x8B\x04\x24", RSP, REG_NONE, 0, SS, 0),
    A(MODE32, "\x8B\x84\x8B\x00\x01\x00\x00", RBX, RCX, 2, DS, 0x100),
    A(MODE32, "\x8B\x04\x8D\x00\x01\x00\x00", REG_NONE, RCX, 2, DS, 0x100),
    A(MODE32, "\x8B\x05\x00\x01\x00\x00", REG_NONE, REG_NONE, 0, DS, 0x100),
    A(MODE64, "\x8B\x05\x00\x01\x00\x00", REG_RIP, REG_NONE, 0, DS, 0x100),
    A(MODE64, "\x8B\x04\x25\x00\x01\x00\x80", REG_NONE, REG_NONE, 0, DS, (i32)0x80000100),
    A(MODE64, "\x41\x8B\x45\x08", R13, REG_NONE, 0, DS, 8),
    A(MODE64, "\x41\x8B\x04\x24", R12, REG_NONE, 0, DS, 0),
    A(MODE64, "\x42\x8B\x04\x20", RAX, R12, 0, DS, 0),
    A(MODE64, "\x65\x48\x8B\x04\x25\x28\x00\x00\x00", REG_NONE, REG_NONE, 0, GS, 0x28),
    A(MODE64, "\x2E\x8B\x03", RBX, REG_NONE, 0, DS, 0), /* CS override ignored */
    A(MODE64, "\x64\x3E\x8B\x03", RBX, REG_NONE, 0, FS, 0),
    A(MODE32, "\x2E\x8B\x03", RBX, REG_NONE, 0, CS, 0),
    A(MODE32, "\x3E\x8B\x45\x00", RBP, REG_NONE, 0, DS, 0),
    A(MODE16, "\x8B\x00", RBX, RSI, 0, DS, 0),
    A(MODE16, "\x8B\x42\x10", RBP, RSI, 0, SS, 0x10),
    A(MODE16, "\x8B\x46\xFE", RBP, REG_NONE, 0, SS, -2),
    A(MODE16, "\x8B\x06\x34\x12", REG_NONE, REG_NONE, 0, DS, 0x1234),
    A(MODE16, "\x8B\x87\x00\x80", RBX, REG_NONE, 0, DS, -0x8000),
    A(MODE16, "\x67\x8B\x04\x58", RAX, RBX, 1, DS, 0),
    A(MODE32, "\x67\x8B\x01", RBX, RDI, 0, DS, 0),
};

static void test_addresses(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(addresses); i++) {
        const struct address *a = &addresses[i];
        struct insn insn = decode_vendor(a->mode, VENDOR_INTEL, a->bytes, a->length);

        if (insn.length != a->length || insn.base != a->base)
            print_error("address %u: length %u base %u\n", i, insn.length, insn.base);
        assert_int_equal(insn.form, FORM_RM);
        assert_int_equal(insn.length, a->length);
        assert_int_equal(insn.base, a->base);
        assert_int_equal(insn.index, a->index);
        assert_int_equal(insn.scale, a->scale);
        assert_int_equal(insn.seg, a->seg);
        assert_int_equal(insn.disp, a->disp);
    }
}

static void test_immediates(void **state)
{
    struct insn insn;

    (void)state;
    insn = DECODE(MODE64, "\x48\x83\xC0\xFE"); /* I_bs */
    assert_true(insn.imm == (u64)-2);
    insn = DECODE(MODE64, "\x48\x81\xC0\xFE\xFF\xFF\xFF"); /* I_z */
    assert_true(insn.imm == (u64)-2);
    insn = DECODE(MODE32, "\xB0\xFE");
    assert_true(insn.imm == 0xFE);
    insn = DECODE(MODE32, "\xC8\x34\x12\x05"); /* ENTER */
    assert_true(insn.imm == 0x1234 && insn.imm2 == 5 && insn.length == 4);
    insn = DECODE(MODE32, "\x9A\x78\x56\x34\x12\x08\x00"); /* CALL far */
    assert_true(insn.imm == 0x12345678 && insn.imm2 == 8 && insn.length == 7);
    insn = DECODE(MODE16, "\xEA\xF0\xFF\x00\xF0");
    assert_true(insn.imm == 0xFFF0 && insn.imm2 == 0xF000 && insn.length == 5);
    insn = DECODE(MODE64, "\x48\xA1\x08\x07\x06\x05\x04\x03\x02\x01"); /* moffs */
    assert_true(insn.imm == 0x0102030405060708 && insn.length == 10 && insn.form == FORM_RM);
    insn = DECODE(MODE64, "\x67\xA2\x78\x56\x34\x92");
    assert_true(insn.imm == 0x92345678 && insn.length == 6 && insn.form == FORM_MR && insn.width == W8);
    insn = DECODE(MODE32, "\xD1\xE0");
    assert_true(insn.imm == 1);
    insn = DECODE(MODE16, "\xE8\xFE\xFF");
    assert_true(insn.imm == (u64)-2 && insn.length == 3);
}

/* SG-06: 66 before a near branch in 64-bit mode. */
static void test_near_branch_operand_size(void **state)
{
    struct insn intel = DECODE(MODE64, "\x66\xE8\x10\x00\x00\x00"), amd = DECODE_AMD(MODE64, "\x66\xE8\x10\x00");

    (void)state;
    assert_int_equal(intel.width, W64);
    assert_int_equal(intel.length, 6);
    assert_int_equal(amd.width, W16);
    assert_int_equal(amd.length, 4);
}

static void test_last_repeat_prefix_wins(void **state)
{
    struct insn insn = DECODE(MODE32, "\xF2\xF3\x6C");

    (void)state;
    assert_int_equal(insn.prefixes & (PREFIX_REP | PREFIX_REPNE), PREFIX_REP);
    insn = DECODE(MODE32, "\xF3\xF2\x6C");
    assert_int_equal(insn.prefixes & (PREFIX_REP | PREFIX_REPNE), PREFIX_REPNE);
}

/* ---- the end of the bytes */

static void test_need_more_reads_nothing_beyond(void **state)
{
    static const u8 bytes[] = {0x65, 0x48, 0x81, 0x84, 0x8B, 1, 2, 3, 4, 5, 6, 7, 8};
    struct cpu_model model = full_model(VENDOR_INTEL);
    struct insn insn;

    (void)state;
    for (unsigned n = 0; n < sizeof bytes; n++) {
        u8 *exact = malloc(n + 1); /* a byte too far is for the sanitizer to see */

        assert_non_null(exact);
        memcpy(exact, bytes, n);
        exact[n] = 0xCC;
        assert_int_equal(insn_decode(&insn, exact, n, MODE64, &model), DECODE_NEED_MORE);
        free(exact);
    }
    assert_int_equal(insn_decode(&insn, bytes, sizeof bytes, MODE64, &model), DECODE_OK);
    assert_int_equal(insn.length, sizeof bytes);
}

static void test_fifteen_bytes(void **state)
{
    struct cpu_model model = full_model(VENDOR_INTEL);
    struct insn insn;
    u8 bytes[16];

    (void)state;
    memset(bytes, 0x66, sizeof bytes);
    bytes[14] = 0x90;
    assert_int_equal(insn_decode(&insn, bytes, 15, MODE32, &model), DECODE_OK);
    assert_int_equal(insn.length, 15);
    bytes[14] = 0x66;
    bytes[15] = 0x90;
    assert_int_equal(insn_decode(&insn, bytes, 16, MODE32, &model), DECODE_TOO_LONG);
    assert_int_equal(insn_decode(&insn, bytes, 14, MODE32, &model), DECODE_NEED_MORE);
}

/* ---- what is forbidden: run the body and see what it raises */

static struct fault fault_of(const struct insn *insn)
{
    static const struct cpu_model model = {.linear_bits = 48};
    struct cpu *cpu = cpu_new(&model, 0, NULL, NULL, NULL);
    struct fault fault = {.vector = 0xFF};

    if (setjmp(cpu->host.unwind) == 0)
        insn_execute(cpu, insn);
    else
        fault = cpu->host.fault;
    cpu_free(cpu);
    return fault;
}

#define ASSERT_RAISES(insn_, vector_)                                                                                  \
    do {                                                                                                               \
        struct insn i_ = (insn_);                                                                                      \
        assert_int_equal(fault_of(&i_).vector, vector_);                                                               \
    } while (0)

#define CPL3 (3u << KEY_CPL_SHIFT)

static void test_forbidden(void **state)
{
    (void)state;
    ASSERT_RAISES(DECODE(MODE64, "\x06"), VEC_UD);                          /* PUSH ES in 64-bit mode */
    ASSERT_RAISES(DECODE(MODE64, "\x0F\x04"), VEC_UD);                      /* nothing */
    ASSERT_RAISES(DECODE(MODE32, "\xF0\x01\xD8"), VEC_UD);                  /* LOCK, register */
    ASSERT_RAISES(DECODE(MODE32, "\xF0\x03\x03"), VEC_UD);                  /* LOCK, memory source */
    ASSERT_RAISES(DECODE(MODE32 | CPL3, "\xF0\xF4"), VEC_UD);               /* LOCK HLT: #UD before #GP */
    ASSERT_RAISES(DECODE(MODE32 | CPL3, "\xF4"), VEC_GP);                   /* HLT */
    ASSERT_RAISES(DECODE(MODE32 | CPL3, "\x0F\x22\xC8"), VEC_UD);           /* MOV CR1: #UD before #GP */
    ASSERT_RAISES(DECODE(MODE16 | KEY_REAL_OR_VM, "\x0F\x00\xC0"), VEC_UD); /* SLDT in real mode */
    ASSERT_RAISES(DECODE(MODE16 | KEY_REAL_OR_VM | KEY_VM | CPL3, "\x0F\x01\x10"), VEC_GP); /* LGDT in VM86 */
    ASSERT_RAISES(DECODE(MODE32, "\x8E\xF0"), VEC_UD); /* MOV to segment register 6 */
}

static void test_forbidden_media(void **state)
{
    (void)state;
    ASSERT_RAISES(DECODE(MODE32 | KEY_TS, "\x0F\xFC\xC1"), VEC_NM); /* PADDB */
    ASSERT_RAISES(DECODE(MODE32 | KEY_TS | KEY_EM, "\x0F\xFC\xC1"), VEC_UD);
    ASSERT_RAISES(DECODE(MODE32 | KEY_TS, "\x0F\x58\xC1"), VEC_NM); /* ADDPS */
    ASSERT_RAISES(DECODE(MODE32 | KEY_EM, "\x0F\x58\xC1"), VEC_UD);
}

static void test_missing_feature(void **state)
{
    struct cpu_model model = full_model(VENDOR_INTEL);
    static const u8 rdtscp[3] = {0x0F, 0x01, 0xF9}, lzcnt[4] = {0xF3, 0x0F, 0xBD, 0xC1};
    struct insn insn;

    (void)state;
    assert_int_equal(insn_decode(&insn, rdtscp, 3, MODE32, &model), DECODE_OK);
    assert_string_equal(MNEMONIC(insn), "rdtscp");
    assert_int_equal(insn_decode(&insn, lzcnt, 4, MODE32, &model), DECODE_OK);
    assert_string_equal(MNEMONIC(insn), "lzcnt");
    model.feature[FEAT_RDTSCP] = model.feature[FEAT_LZCNT] = false;
    assert_int_equal(insn_decode(&insn, rdtscp, 3, MODE32, &model), DECODE_OK);
    assert_int_equal(insn.row, insn_row_count);
    assert_int_equal(insn_decode(&insn, lzcnt, 4, MODE32, &model), DECODE_OK);
    assert_string_equal(MNEMONIC(insn), "bsr"); /* the prefix is ignored where it means nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_immediates),
        cmocka_unit_test(test_near_branch_operand_size),
        cmocka_unit_test(test_last_repeat_prefix_wins),
        cmocka_unit_test(test_need_more_reads_nothing_beyond),
        cmocka_unit_test(test_fifteen_bytes),
        cmocka_unit_test(test_forbidden),
        cmocka_unit_test(test_forbidden_media),
        cmocka_unit_test(test_missing_feature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
