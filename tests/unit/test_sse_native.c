/* SPDX-License-Identifier: MIT
 * Every MMX and SSE row that the host processor has, against the host: registers, memory, MXCSR, flags, exceptions.
 */
#include <stdio.h>

#include "unit/sse_native.h"

#define ROUNDS 200u

static bool host_has(u8 feature)
{
    switch (feature) {
    case FEAT_MMX: return __builtin_cpu_supports("mmx");
    case FEAT_SSE: return __builtin_cpu_supports("sse");
    case FEAT_SSE2: return __builtin_cpu_supports("sse2");
    case FEAT_SSE3: return __builtin_cpu_supports("sse3");
    case FEAT_SSSE3: return __builtin_cpu_supports("ssse3");
    case FEAT_SSE4_1: return __builtin_cpu_supports("sse4.1");
    case FEAT_SSE4_2: return __builtin_cpu_supports("sse4.2");
    case FEAT_PCLMULQDQ: return __builtin_cpu_supports("pclmul");
    default: return false;
    }
}

/* Rows compared here: media rows with ModRM, but for the approximations (our own values) and the MXCSR loads. */
static bool row_is_compared(const struct insn_row *row)
{
    static const char *const others[] = {"rcpps", "rcpss", "rsqrtps", "rsqrtss", "ldmxcsr", "stmxcsr", "emms"};

    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(row->mnemonic, others[i]) == 0)
            return false;
    if (!(row->attributes & (SSE | MMX)) && strcmp(row->mnemonic, "movnti") != 0)
        return false;
    return host_has(row->feature);
}

static bool row_has(const struct insn_row *row, const char *kinds)
{
    static const char *const names[] = {
#define K(name) #name,
        OPERAND_KINDS(K)
#undef K
    };

    for (unsigned i = 0; i < 3; i++)
        if (strchr(kinds, names[row->operand[i]][0]))
            return true;
    return false;
}

/* Encode with ModRM.reg = 1 (or the digit) and rm = register 2 or [RDI]. returns: length */
static unsigned encode(const struct insn_row *row, bool memory, bool rex_w, u8 imm, u8 *out)
{
    static const u8 prefixes[] = {[P66] = 0x66, [PF3] = 0xF3, [PF2] = 0xF2};
    unsigned n = 0, reg = row->extension & 0x400 ? row->extension & 7 : 1;

    if (row->prefix > PNP)
        out[n++] = prefixes[row->prefix];
    if (rex_w)
        out[n++] = 0x48;
    out[n++] = 0x0F;
    if (row->map >= M38)
        out[n++] = row->map == M38 ? 0x38 : 0x3A;
    out[n++] = row->opcode;
    out[n++] = (u8)(reg << 3 | (memory ? 7 : 0xC2));
    if (row_has(row, "I"))
        out[n++] = imm;
    return n;
}

static void show(const char *title, const struct native_state *s, int vector)
{
    print_message("  %-8s vector %d mxcsr %04x flags %03x rax %016llx rcx %016llx rdx %016llx mm1 %016llx\n", title,
                  vector, s->mxcsr, (unsigned)(s->rflags & FLAGS_ARITHMETIC), (unsigned long long)s->rax,
                  (unsigned long long)s->rcx, (unsigned long long)s->rdx, (unsigned long long)s->mm[0]);
    for (unsigned i = 0; i < 3; i++)
        print_message("    xmm%u %016llx %016llx\n", i, (unsigned long long)s->xmm[i].u64[1],
                      (unsigned long long)s->xmm[i].u64[0]);
    print_message("    mem  %016llx %016llx\n", (unsigned long long)load_le64(s->memory + 8),
                  (unsigned long long)load_le64(s->memory));
}

static bool same(const struct native_state *a, const struct native_state *b)
{
    return memcmp(a->xmm, b->xmm, sizeof a->xmm) == 0 && a->mm[0] == b->mm[0] && a->mm[1] == b->mm[1] &&
           a->rax == b->rax && a->rcx == b->rcx && a->rdx == b->rdx && a->mxcsr == b->mxcsr &&
           ((a->rflags ^ b->rflags) & FLAGS_ARITHMETIC) == 0 && memcmp(a->memory, b->memory, NATIVE_MEMORY / 2) == 0;
}

/* DPPS adds in an order that the manuals leave open, so which of several NaNs comes out differs by vendor: on AMD hosts
 * (the emulated order is Intel's) NaNs count as equal. */
static void forget_nans(const struct insn_row *row, struct native_state *host, const struct native_state *guest)
{
    if (strcmp(row->mnemonic, "dpps") != 0 || !__builtin_cpu_is("amd"))
        return;
    for (unsigned lane = 0; lane < 4; lane++) {
        u32 *a = &host->xmm[1].u32[lane];
        const u32 *b = &guest->xmm[1].u32[lane];

        if ((*a & 0x7FFFFFFF) > 0x7F800000 && (*b & 0x7FFFFFFF) > 0x7F800000)
            *a = *b;
    }
}

struct setting {
    u32 mxcsr_fixed, mxcsr_random; /* bits always set, bits chosen at random */
    bool misalign;
};

/* One comparison. returns: they agree */
static bool compare_once(struct fixture *fx, struct native *n, const struct insn_row *row, bool memory, bool rex_w,
                         const struct setting *setting, u64 *seed)
{
    static const u8 offsets[] = {0, 1, 4, 8};
    _Alignas(64) u8 host_memory[NATIVE_MEMORY] = {0}, guest_memory[NATIVE_MEMORY];
    unsigned shift = setting->misalign ? offsets[random_next(seed) % 4] : 0, size;
    struct native_state before = {.memory = host_memory + shift}, host, guest;
    int host_vector, guest_vector;
    u8 bytes[16];

    random_state(seed, &before, setting->mxcsr_fixed | ((u32)random_next(seed) & setting->mxcsr_random));
    size = encode(row, memory, rex_w, (u8)random_next(seed), bytes);
    memcpy(guest_memory, host_memory, sizeof host_memory);
    host = guest = before;
    guest.memory = guest_memory + shift;
    guest_vector = emulated_run(fx, bytes, size, &guest, shift);
    host_vector = native_run(n, bytes, size, &host);
    forget_nans(row, &host, &guest);
    if (guest_vector == host_vector && same(&host, &guest))
        return true;
    print_message("%s %s%s imm %02x\n", row->mnemonic, memory ? "memory" : "register", rex_w ? " REX.W" : "",
                  bytes[size - 1]);
    before.memory = host_memory + shift;
    show("before", &before, -1);
    show("host", &host, host_vector);
    show("guest", &guest, guest_vector);
    return false;
}

static unsigned compare_all(const struct setting *setting)
{
    struct fixture fx;
    struct native n;
    u64 seed = 0x9E3779B97F4A7C15;
    unsigned compared = 0, wrong = 0;

    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu_update_derived(fx.cpu);
    native_open(&n);
    for (unsigned r = 0; r < insn_row_count; r++) {
        const struct insn_row *row = &insn_rows[r];

        if (!row_is_compared(row))
            continue;
        for (unsigned variant = 0; variant < 4; variant++) {
            bool memory = variant & 1, rex_w = variant & 2, good = true;

            /* REX.W goes with every row: those it means nothing to must ignore it. */
            if ((memory && ((row->extension & XR) || row_has(row, "UNR"))) ||
                (!memory && ((row->extension & XM) || row_has(row, "M"))))
                continue;
            for (unsigned i = 0; i < ROUNDS && good; i++)
                good = compare_once(&fx, &n, row, memory, rex_w, setting, &seed);
            compared++;
            wrong += !good;
        }
    }
    native_close(&n);
    fixture_close(&fx);
    print_message("%u encodings compared, %u differ\n", compared, wrong);
    assert_true(compared > 900);
    return wrong;
}

static void masked_exceptions(void **state)
{
    (void)state;
    assert_int_equal(compare_all(&(struct setting){.mxcsr_fixed = 0x1F80}), 0);
}

static void rounding_daz_ftz(void **state)
{
    (void)state;
    assert_int_equal(compare_all(&(struct setting){.mxcsr_fixed = 0x1F80, .mxcsr_random = 0xE07F}), 0);
}

static void unmasked_exceptions(void **state)
{
    (void)state;
    assert_int_equal(compare_all(&(struct setting){.mxcsr_random = 0xFFC0}), 0);
}

static void alignment(void **state)
{
    (void)state;
    assert_int_equal(compare_all(&(struct setting){.mxcsr_fixed = 0x1F80, .misalign = true}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_exceptions),
        cmocka_unit_test(rounding_daz_ftz),
        cmocka_unit_test(unmasked_exceptions),
        cmocka_unit_test(alignment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
