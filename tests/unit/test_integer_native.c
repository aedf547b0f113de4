/* SPDX-License-Identifier: MIT
 * Integer instructions against the host processor: the same bytes and operands run natively and in the emulator, and
 * registers, memory and defined flags must agree.
 */
#include "isa_fixture.h"
#include "native_oracle.h"

#include <cpuid.h>
#include <stdio.h>

#ifdef HAVE_NATIVE_ORACLE

#define WINDOW_BYTES 512u
#define ROUNDS 3000

/* Which flags an instruction leaves undefined. */
enum undefined_rule {
    U_NONE,
    U_AF,
    U_SHIFT,
    U_SHIFT_ARITHMETIC,
    U_ROTATE,
    U_DOUBLE,
    U_MUL,
    U_ALL,
    U_BT,
    U_ZF_ONLY,
    U_LZCNT
};

enum immediate_kind { NO_IMM, IMM_8, IMM_Z };

enum { NO_DIGIT = -1, NO_MODRM = -2 };

/* what: which encodings make sense */
enum { BYTE = 1, NO_16 = 2, REGISTER_ONLY = 4, FIXED_SIZE = 8 };

struct template
{
    const char *name;
    u8 prefix; /* F2, F3 or 0 */
    u8 map;    /* 0 one byte, 1 0F, 2 0F 38 */
    u8 opcode;
    int digit;
    enum immediate_kind imm;
    enum undefined_rule undefined;
    unsigned what;
};

#define ALU(name, n, undef)                                                                                            \
    {name, 0, 0, n * 8 + 0, NO_DIGIT, NO_IMM, undef, BYTE}, {name, 0, 0, n * 8 + 1, NO_DIGIT, NO_IMM, undef, 0},       \
        {name, 0, 0, n * 8 + 2, NO_DIGIT, NO_IMM, undef, BYTE}, {name, 0, 0, n * 8 + 3, NO_DIGIT, NO_IMM, undef, 0},   \
        {name, 0, 0, n * 8 + 4, NO_MODRM, IMM_8, undef, BYTE}, {name, 0, 0, n * 8 + 5, NO_MODRM, IMM_Z, undef, 0},     \
        {name, 0, 0, 0x80, n, IMM_8, undef, BYTE}, {name, 0, 0, 0x81, n, IMM_Z, undef, 0},                             \
    {                                                                                                                  \
        name, 0, 0, 0x83, n, IMM_8, undef, 0                                                                           \
    }
#define SHIFT(name, n, undef)                                                                                          \
    {name, 0, 0, 0xC0, n, IMM_8, undef, BYTE}, {name, 0, 0, 0xC1, n, IMM_8, undef, 0},                                 \
        {name, 0, 0, 0xD0, n, NO_IMM, undef, BYTE}, {name, 0, 0, 0xD1, n, NO_IMM, undef, 0},                           \
        {name, 0, 0, 0xD2, n, NO_IMM, undef, BYTE},                                                                    \
    {                                                                                                                  \
        name, 0, 0, 0xD3, n, NO_IMM, undef, 0                                                                          \
    }
#define UNARY(name, opcode, n, undef)                                                                                  \
    {name, 0, 0, opcode, n, NO_IMM, undef, BYTE}, { name, 0, 0, opcode + 1, n, NO_IMM, undef, 0 }
#define COND(n)                                                                                                        \
    {"setcc", 0, 1, 0x90 + n, 0, NO_IMM, U_NONE, BYTE}, { "cmovcc", 0, 1, 0x40 + n, NO_DIGIT, NO_IMM, U_NONE, 0 }

static const struct template templates[] = {
    ALU("add", 0, U_NONE),
    ALU("or", 1, U_AF),
    ALU("adc", 2, U_NONE),
    ALU("sbb", 3, U_NONE),
    ALU("and", 4, U_AF),
    ALU("sub", 5, U_NONE),
    ALU("xor", 6, U_AF),
    ALU("cmp", 7, U_NONE),
    {"test", 0, 0, 0x84, NO_DIGIT, NO_IMM, U_AF, BYTE},
    {"test", 0, 0, 0x85, NO_DIGIT, NO_IMM, U_AF, 0},
    {"test", 0, 0, 0xA8, NO_MODRM, IMM_8, U_AF, BYTE},
    {"test", 0, 0, 0xA9, NO_MODRM, IMM_Z, U_AF, 0},
    {"test", 0, 0, 0xF6, 0, IMM_8, U_AF, BYTE},
    {"test", 0, 0, 0xF7, 0, IMM_Z, U_AF, 0},
    UNARY("not", 0xF6, 2, U_NONE),
    UNARY("neg", 0xF6, 3, U_NONE),
    UNARY("inc", 0xFE, 0, U_NONE),
    UNARY("dec", 0xFE, 1, U_NONE),
    SHIFT("rol", 0, U_ROTATE),
    SHIFT("ror", 1, U_ROTATE),
    SHIFT("rcl", 2, U_ROTATE),
    SHIFT("rcr", 3, U_ROTATE),
    SHIFT("shl", 4, U_SHIFT),
    SHIFT("shr", 5, U_SHIFT),
    SHIFT("sal", 6, U_SHIFT),
    SHIFT("sar", 7, U_SHIFT_ARITHMETIC),
    {"shld", 0, 1, 0xA4, NO_DIGIT, IMM_8, U_DOUBLE, 0},
    {"shld", 0, 1, 0xA5, NO_DIGIT, NO_IMM, U_DOUBLE, 0},
    {"shrd", 0, 1, 0xAC, NO_DIGIT, IMM_8, U_DOUBLE, 0},
    {"shrd", 0, 1, 0xAD, NO_DIGIT, NO_IMM, U_DOUBLE, 0},
    UNARY("mul", 0xF6, 4, U_MUL),
    UNARY("imul", 0xF6, 5, U_MUL),
    UNARY("div", 0xF6, 6, U_ALL),
    UNARY("idiv", 0xF6, 7, U_ALL),
    {"imul", 0, 1, 0xAF, NO_DIGIT, NO_IMM, U_MUL, 0},
    {"imul", 0, 0, 0x69, NO_DIGIT, IMM_Z, U_MUL, 0},
    {"imul", 0, 0, 0x6B, NO_DIGIT, IMM_8, U_MUL, 0},
    {"mov", 0, 0, 0x88, NO_DIGIT, NO_IMM, U_NONE, BYTE},
    {"mov", 0, 0, 0x89, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"mov", 0, 0, 0x8A, NO_DIGIT, NO_IMM, U_NONE, BYTE},
    {"mov", 0, 0, 0x8B, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"mov", 0, 0, 0xC6, 0, IMM_8, U_NONE, BYTE},
    {"mov", 0, 0, 0xC7, 0, IMM_Z, U_NONE, 0},
    {"movzx", 0, 1, 0xB6, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"movzx", 0, 1, 0xB7, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"movsx", 0, 1, 0xBE, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"movsx", 0, 1, 0xBF, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"movsxd", 0, 0, 0x63, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"xchg", 0, 0, 0x86, NO_DIGIT, NO_IMM, U_NONE, BYTE},
    {"xchg", 0, 0, 0x87, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"xchg rax", 0, 0, 0x91, NO_MODRM, NO_IMM, U_NONE, 0},
    {"xchg rax", 0, 0, 0x97, NO_MODRM, NO_IMM, U_NONE, 0},
    {"bswap", 0, 1, 0xC8, NO_MODRM, NO_IMM, U_NONE, NO_16},
    {"bswap", 0, 1, 0xCF, NO_MODRM, NO_IMM, U_NONE, NO_16},
    {"cbw", 0, 0, 0x98, NO_MODRM, NO_IMM, U_NONE, 0},
    {"cwd", 0, 0, 0x99, NO_MODRM, NO_IMM, U_NONE, 0},
    {"sahf", 0, 0, 0x9E, NO_MODRM, NO_IMM, U_NONE, FIXED_SIZE},
    {"lahf", 0, 0, 0x9F, NO_MODRM, NO_IMM, U_NONE, FIXED_SIZE},
    {"cmc", 0, 0, 0xF5, NO_MODRM, NO_IMM, U_NONE, FIXED_SIZE},
    {"clc", 0, 0, 0xF8, NO_MODRM, NO_IMM, U_NONE, FIXED_SIZE},
    {"stc", 0, 0, 0xF9, NO_MODRM, NO_IMM, U_NONE, FIXED_SIZE},
    COND(0),
    COND(1),
    COND(2),
    COND(3),
    COND(4),
    COND(5),
    COND(6),
    COND(7),
    COND(8),
    COND(9),
    COND(10),
    COND(11),
    COND(12),
    COND(13),
    COND(14),
    COND(15),
    {"bt", 0, 1, 0xA3, NO_DIGIT, NO_IMM, U_BT, REGISTER_ONLY},
    {"bts", 0, 1, 0xAB, NO_DIGIT, NO_IMM, U_BT, REGISTER_ONLY},
    {"btr", 0, 1, 0xB3, NO_DIGIT, NO_IMM, U_BT, REGISTER_ONLY},
    {"btc", 0, 1, 0xBB, NO_DIGIT, NO_IMM, U_BT, REGISTER_ONLY},
    {"bt", 0, 1, 0xBA, 4, IMM_8, U_BT, 0},
    {"bts", 0, 1, 0xBA, 5, IMM_8, U_BT, 0},
    {"btr", 0, 1, 0xBA, 6, IMM_8, U_BT, 0},
    {"btc", 0, 1, 0xBA, 7, IMM_8, U_BT, 0},
    {"bsf", 0, 1, 0xBC, NO_DIGIT, NO_IMM, U_ZF_ONLY, 0},
    {"bsr", 0, 1, 0xBD, NO_DIGIT, NO_IMM, U_ZF_ONLY, 0},
    {"popcnt", 0xF3, 1, 0xB8, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"lzcnt", 0xF3, 1, 0xBD, NO_DIGIT, NO_IMM, U_LZCNT, 0},
    {"crc32b", 0xF2, 2, 0xF0, NO_DIGIT, NO_IMM, U_NONE, NO_16},
    {"crc32", 0xF2, 2, 0xF1, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"xadd", 0, 1, 0xC0, NO_DIGIT, NO_IMM, U_NONE, BYTE},
    {"xadd", 0, 1, 0xC1, NO_DIGIT, NO_IMM, U_NONE, 0},
    {"cmpxchg", 0, 1, 0xB0, NO_DIGIT, NO_IMM, U_NONE, BYTE},
    {"cmpxchg", 0, 1, 0xB1, NO_DIGIT, NO_IMM, U_NONE, 0},
};

static u64 random_state = 0x9E3779B97F4A7C15ull;

static u64 random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Corner values as often as plain random ones. */
static u64 random_operand(void)
{
    static const u64 corners[] = {0,
                                  1,
                                  2,
                                  0x7F,
                                  0x80,
                                  0xFF,
                                  0x7FFF,
                                  0x8000,
                                  0xFFFF,
                                  0x7FFFFFFF,
                                  0x80000000,
                                  0xFFFFFFFF,
                                  0x7FFFFFFFFFFFFFFF,
                                  0x8000000000000000,
                                  ~0ull,
                                  9,
                                  17,
                                  31,
                                  32,
                                  33,
                                  63};

    switch (random64() % 4) {
    case 0: return corners[random64() % ARRAY_LEN(corners)];
    case 1: return random64() % 256;
    case 2: return random64() >> (random64() % 64);
    default: return random64();
    }
}

struct trial {
    u8 bytes[16];
    unsigned size;
    bool rex_w, p66, memory;
};

static void put(struct trial *t, unsigned byte) { t->bytes[t->size++] = (u8)byte; }

/* Random encoding: no RSP; memory operands are [RBX]. */
static void encode(struct trial *t, const struct template *row)
{
    unsigned rex = random64() % 2 ? 0x40 | (unsigned)(random64() % 16) : 0;
    unsigned reg, rm;

    memset(t, 0, sizeof *t);
    t->memory = row->digit != NO_MODRM && !(row->what & REGISTER_ONLY) && random64() % 3 == 0;
    t->p66 = !(row->what & (BYTE | NO_16 | FIXED_SIZE)) && random64() % 4 == 0;
    rex &= ~2u;
    if (t->memory)
        rex &= ~1u;
    t->rex_w = rex & 8;
    if (t->p66)
        put(t, 0x66);
    if (row->prefix)
        put(t, row->prefix);
    if (rex)
        put(t, rex);
    if (row->map)
        put(t, 0x0F);
    if (row->map == 2)
        put(t, 0x38);
    put(t, row->opcode);
    /* Number 4 is RSP but for R12 and, without REX, AH. */
    do {
        reg = row->digit >= 0 ? (unsigned)row->digit : (unsigned)(random64() % 8);
    } while (row->digit < 0 && reg == 4 && !(rex & 4));
    do {
        rm = (unsigned)(random64() % 8);
    } while (rm == 4 && !(rex & 1));
    if (row->digit != NO_MODRM)
        put(t, t->memory ? reg << 3 | 3 : 0xC0 | reg << 3 | rm);
    if (row->imm == IMM_8) {
        put(t, (unsigned)random_operand() & 0xFF);
    } else if (row->imm == IMM_Z) {
        u64 imm = random_operand();

        for (unsigned i = 0; i < (t->p66 && !t->rex_w ? 2u : 4u); i++)
            put(t, (imm >> (8 * i)) & 0xFF);
    }
}

static enum width trial_width(const struct template *row, const struct trial *t)
{
    return row->what & BYTE ? W8 : t->rex_w ? W64 : t->p66 ? W16 : W32;
}

static unsigned trial_count(const struct template *row, const struct trial *t, u64 rcx)
{
    unsigned count = row->imm == IMM_8                            ? t->bytes[t->size - 1]
                     : row->opcode == 0xD0 || row->opcode == 0xD1 ? 1
                                                                  : (unsigned)rcx;

    return count & (trial_width(row, t) == W64 ? 63 : 31);
}

static u64 undefined_flags(const struct template *row, const struct trial *t, u64 rcx)
{
    unsigned count = trial_count(row, t, rcx), width = width_bits(trial_width(row, t));
    u64 of = count > 1 ? FLAG_OF : 0;

    switch (row->undefined) {
    case U_NONE: return 0;
    case U_AF: return FLAG_AF;
    case U_SHIFT: return count == 0 ? 0 : FLAG_AF | of | (count > width ? FLAG_CF : 0);
    case U_SHIFT_ARITHMETIC: return count == 0 ? 0 : FLAG_AF | of;
    case U_ROTATE: return of;
    case U_DOUBLE: return count == 0 ? 0 : FLAG_AF | of;
    case U_MUL: return FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF;
    case U_ALL: return FLAGS_ARITHMETIC;
    case U_BT: return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    case U_ZF_ONLY: return FLAGS_ARITHMETIC & ~FLAG_ZF;
    case U_LZCNT: return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    }
    return 0;
}

/* What the manual leaves undefined although the registers would show it. */
static bool result_undefined(const struct template *row, const struct trial *t, u64 rcx)
{
    return row->undefined == U_DOUBLE && trial_count(row, t, rcx) > width_bits(trial_width(row, t));
}

struct bench {
    struct fixture fx;
    struct native native;
    u8 *window; /* at FIXTURE_WINDOW of this process */
};

static void report(const struct template *row, const struct trial *t, const char *what, u64 before, u64 got, u64 want)
{
    fprintf(stderr, "%s [", row->name);
    for (unsigned i = 0; i < t->size; i++)
        fprintf(stderr, " %02x", t->bytes[i]);
    fail_msg("] %s: before %#llx got %#llx, host %#llx", what, (unsigned long long)before, (unsigned long long)got,
             (unsigned long long)want);
}

static void compare(struct bench *b, const struct template *row, const struct trial *t)
{
    struct native_state before, host;
    struct cpu *cpu = b->fx.cpu;
    u8 guest_window[WINDOW_BYTES];
    u64 mask;
    int vector;
    bool completed;

    for (unsigned i = 0; i < 16; i++)
        before.gpr[i] = random_operand();
    if (random64() % 2) /* a CMPXCHG that finds what it expects; a dividend that is small enough */
        before.gpr[RDX] = 0;
    if (result_undefined(row, t, before.gpr[RCX]))
        return;
    for (unsigned i = 0; i < WINDOW_BYTES; i += 8) {
        u64 value = random64() % 4 ? random_operand() : before.gpr[RAX];

        memcpy(b->window + i, &value, 8);
    }
    if (t->memory)
        before.gpr[RBX] = FIXTURE_WINDOW + 128 + random64() % 128;
    before.flags = random64() & FLAGS_ARITHMETIC;
    fixture_write(&b->fx, FIXTURE_WINDOW_PHYSICAL, b->window, WINDOW_BYTES);

    host = before;
    for (unsigned i = 0; i < 16; i++)
        if (i != RSP)
            cpu->arch.gpr[i] = before.gpr[i];
    cpu->arch.rip = FIXTURE_CODE;
    flags_put(cpu, before.flags);
    completed = native_run(&b->native, &host, t->bytes, t->size);
    vector = fixture_run(&b->fx, t->bytes, t->size);
    if ((vector == VEC_DE) == completed || (vector >= 0 && vector != VEC_DE))
        report(row, t, "fault", before.gpr[RAX], (u64)vector, completed);
    if (!completed)
        return;
    for (unsigned i = 0; i < 16; i++)
        if (i != RSP && cpu->arch.gpr[i] != host.gpr[i])
            report(row, t, "register", before.gpr[i], cpu->arch.gpr[i], host.gpr[i]);
    mask = FLAGS_ARITHMETIC & ~undefined_flags(row, t, before.gpr[RCX]);
    if ((flags_get(cpu) & mask) != (host.flags & mask))
        report(row, t, "flags", before.flags, flags_get(cpu) & mask, host.flags & mask);
    physmem_read(b->fx.pm, FIXTURE_WINDOW_PHYSICAL, guest_window, WINDOW_BYTES, INITIATOR_LOADER);
    if (memcmp(guest_window, b->window, WINDOW_BYTES) != 0)
        report(row, t, "memory", before.gpr[RBX], 0, 0);
}

/* CPUID 80000001h, ECX bit 5 (ABM). Not every compiler knows it by name. */
static bool host_has_lzcnt(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && (ecx & 1u << 5) != 0;
}

static bool host_has(const struct template *row)
{
    __builtin_cpu_init();
    if (strcmp(row->name, "popcnt") == 0)
        return __builtin_cpu_supports("popcnt");
    if (strcmp(row->name, "lzcnt") == 0)
        return host_has_lzcnt();
    if (strncmp(row->name, "crc32", 5) == 0)
        return __builtin_cpu_supports("sse4.2");
    return true;
}

static int open_bench(void **state)
{
    static struct bench bench;

    fixture_open(&bench.fx, FIXTURE_64);
    bench.window = mmap((void *)(uintptr_t)FIXTURE_WINDOW, 1 << 16, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (bench.window != (void *)(uintptr_t)FIXTURE_WINDOW || !native_open(&bench.native))
        return -1;
    *state = &bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *b = *state;

    fixture_close(&b->fx);
    munmap(b->window, 1 << 16);
    native_close(&b->native);
    return 0;
}

static void test_against_host(void **state)
{
    struct bench *b = *state;

    for (unsigned row = 0; row < ARRAY_LEN(templates); row++) {
        if (!host_has(&templates[row]))
            continue;
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct trial t;

            encode(&t, &templates[row]);
            compare(b, &templates[row], &t);
        }
    }
}

/* Strings: random overlapping ranges, all widths, both directions, with and without repetition. */
static void test_strings(void **state)
{
    static const u8 opcodes[] = {0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF};
    static const u8 prefixes[] = {0, 0xF3, 0xF2};
    struct bench *b = *state;
    const struct template row = {.name = "string"};

    for (unsigned round = 0; round < 40000; round++) {
        struct native_state before, host;
        struct trial t = {.size = 0};
        struct cpu *cpu = b->fx.cpu;
        u8 guest[WINDOW_BYTES];
        u8 prefix = prefixes[random64() % 3];

        for (unsigned i = 0; i < 16; i++)
            before.gpr[i] = random64();
        before.gpr[RCX] = random64() % 17;
        before.gpr[RSI] = FIXTURE_WINDOW + 192 + random64() % 64;
        before.gpr[RDI] = FIXTURE_WINDOW + 192 + random64() % 64;
        before.gpr[RAX] = random64() % 2 * 0x0101010101010101ull;
        before.flags = (random64() & FLAGS_ARITHMETIC) | (random64() % 3 == 0 ? FLAG_DF : 0);
        for (unsigned i = 0; i < WINDOW_BYTES; i++)
            b->window[i] = random64() % 8 ? (u8)(before.gpr[RAX]) : (u8)random64();
        fixture_write(&b->fx, FIXTURE_WINDOW_PHYSICAL, b->window, WINDOW_BYTES);
        if (random64() % 4 == 0)
            put(&t, 0x66);
        if (prefix)
            put(&t, prefix);
        if (random64() % 4 == 0)
            put(&t, 0x48);
        put(&t, opcodes[random64() % ARRAY_LEN(opcodes)]);
        host = before;
        for (unsigned i = 0; i < 16; i++)
            if (i != RSP)
                cpu->arch.gpr[i] = before.gpr[i];
        cpu->arch.rip = FIXTURE_CODE;
        flags_put(cpu, before.flags);
        if (random64() % 2)
            cpu->d.stop_tick = 1; /* long past: one iteration at a time */
        native_run(&b->native, &host, t.bytes, t.size);
        do
            assert_int_equal(fixture_run(&b->fx, t.bytes, t.size), -1);
        while (cpu->d.next_rip == cpu->arch.rip);
        for (unsigned i = 0; i < 16; i++)
            if (i != RSP && cpu->arch.gpr[i] != host.gpr[i])
                report(&row, &t, "register", before.gpr[i], cpu->arch.gpr[i], host.gpr[i]);
        if ((flags_get(cpu) ^ host.flags) & FLAGS_ARITHMETIC)
            report(&row, &t, "flags", before.flags, flags_get(cpu), host.flags);
        physmem_read(b->fx.pm, FIXTURE_WINDOW_PHYSICAL, guest, WINDOW_BYTES, INITIATOR_LOADER);
        if (memcmp(guest, b->window, WINDOW_BYTES) != 0)
            report(&row, &t, "memory", before.gpr[RSI], before.gpr[RDI], before.gpr[RCX]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_against_host, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(test_strings, open_bench, close_bench),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void)
{
    printf("1..0 # SKIP the host is not x86-64 Linux\n");
    return 0;
}
#endif
