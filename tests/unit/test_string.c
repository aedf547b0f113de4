/* SPDX-License-Identifier: MIT
 * Repeated string instructions: many elements at once must do exactly what one element per call does - memory,
 * registers, flags, ticks, and the place of a fault - for every direction, width, overlap, page edge and interruption.
 */
#include "isa_fixture.h"

#include "bus/clock.h"

/* Both operands lie in these pages, around the absent one. */
#define FIRST (FIXTURE_HOLE - 2 * PAGE_SIZE)
#define SPAN (5 * PAGE_SIZE)
#define CASES 20000u
#define START_TICK 1000u

struct result {
    int vector;
    u64 cr2, rsi, rdi, rcx, rax, rflags, ticks, retired;
    u8 memory[SPAN];
};

struct string_case {
    u8 code[4];
    unsigned size;
    u64 rsi, rdi, rcx, rax, rflags;
    u64 budget; /* iterations between two looks of the engine; 0: never */
};

static u64 seed = 12345;

static u64 random_below(u64 n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 33) % n;
}

static void fill_memory(struct fixture *fx, bool equal)
{
    static u8 bytes[SPAN];
    u64 kept = seed;

    for (unsigned i = 0; i < SPAN; i++)
        bytes[i] = equal ? (u8)(random_below(40) == 0) : (u8)random_below(256);
    seed = kept;
    fixture_write(fx, FIRST, bytes, SPAN);
}

/* Run to the end or the fault; the "engine" looks every `budget` ticks, and counts one tick and one instruction a call.
 */
static void run_case(const struct string_case *c, u64 budget, bool equal, struct result *r)
{
    static struct fixture fx;
    struct cpu_arch *a;

    fixture_open(&fx, FIXTURE_64);
    a = &fx.cpu->arch;
    fill_memory(&fx, equal);
    a->gpr[RSI] = c->rsi;
    a->gpr[RDI] = c->rdi;
    a->gpr[RCX] = c->rcx;
    a->gpr[RAX] = c->rax;
    flags_put(fx.cpu, c->rflags);
    a->rip = FIXTURE_CODE;
    fx.clock.ticks = START_TICK;
    do {
        fx.cpu->d.stop_tick = budget == 0 ? CLOCK_NEVER : fx.clock.ticks + budget;
        r->vector = fixture_run(&fx, c->code, c->size);
        if (r->vector < 0)
            fx.clock.ticks++;
    } while (r->vector < 0 && fx.cpu->d.next_rip == a->rip);
    r->cr2 = r->vector < 0 ? 0 : fx.cpu->host.fault.cr2;
    r->rsi = a->gpr[RSI];
    r->rdi = a->gpr[RDI];
    r->rcx = a->gpr[RCX];
    r->rax = a->gpr[RAX];
    r->rflags = r->vector < 0 ? flags_get(fx.cpu) : 0; /* after a fault: those of the last call */
    r->ticks = fx.clock.ticks;
    r->retired = clock_retired(&fx.clock);
    physmem_read(fx.pm, FIRST, r->memory, SPAN, INITIATOR_LOADER);
    fixture_close(&fx);
}

static struct string_case random_case(void)
{
    static const u8 opcodes[] = {0xA4, 0xA6, 0xAA, 0xAC, 0xAE}; /* MOVS CMPS STOS LODS SCAS */
    struct string_case c = {.size = 0};
    unsigned width = (unsigned)random_below(4);
    u64 distance = random_below(40);

    if (random_below(8) == 0)
        c.code[c.size++] = 0x67;
    if (width == 1)
        c.code[c.size++] = 0x66;
    c.code[c.size++] = random_below(2) ? 0xF3 : 0xF2;
    if (width == 3 && c.size < 3)
        c.code[c.size++] = 0x48;
    c.code[c.size++] = (u8)(opcodes[random_below(ARRAY_LEN(opcodes))] + (width != 0));
    c.rsi = FIRST + random_below(2 * PAGE_SIZE);
    c.rdi = FIRST + random_below(2 * PAGE_SIZE);
    if (random_below(3) == 0) /* near each other */
        c.rdi = random_below(2) ? c.rsi + distance : c.rsi - distance;
    if (random_below(6) == 0)
        c.rdi += 3 * PAGE_SIZE; /* behind the absent page */
    c.rcx = random_below(4) ? random_below(64) : random_below(PAGE_SIZE);
    c.rax = random_below(3) ? 0 : 0x0101010101010101;
    c.rflags = FLAG_FIXED1 | (random_below(2) ? FLAG_DF : 0) | (random_below(2) ? FLAG_CF | FLAG_ZF : 0);
    c.budget = random_below(2) ? 0 : 1 + random_below(100);
    return c;
}

static void chunks_equal_single_elements(void **state)
{
    static struct result one, many;
    unsigned faults = 0, whole = 0;

    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        struct string_case c = random_case();
        bool equal = random_below(2);

        memset(&one, 0, sizeof one);
        memset(&many, 0, sizeof many);
        run_case(&c, 1, equal, &one);
        run_case(&c, c.budget, equal, &many);
        if (memcmp(&one, &many, sizeof one) != 0)
            fail_msg("case %u: %02x %02x %02x %02x rsi=%llx rdi=%llx rcx=%llx rax=%llx flags=%llx budget=%llu", i,
                     c.code[0], c.code[1], c.code[2], c.code[3], (unsigned long long)c.rsi, (unsigned long long)c.rdi,
                     (unsigned long long)c.rcx, (unsigned long long)c.rax, (unsigned long long)c.rflags,
                     (unsigned long long)c.budget);
        faults += one.vector >= 0;
        whole += one.vector < 0;
    }
    assert_true(faults > CASES / 50 && whole > CASES / 2); /* the cases reach both ends */
}

/* A page that is not in the TLB, or not writable there, costs one element by the general path; then a run goes at once.
 */
static void fault_in_the_middle(void **state)
{
    static const u8 movsb[] = {0xF3, 0xA4};
    struct fixture fx;

    (void)state;
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.gpr[RSI] = FIXTURE_DATA;
    fx.cpu->arch.gpr[RDI] = FIXTURE_HOLE - 100;
    fx.cpu->arch.gpr[RCX] = 300;
    fx.clock.ticks = START_TICK;
    assert_int_equal(fixture_run(&fx, movsb, sizeof movsb), VEC_PF);
    assert_int_equal(fx.cpu->host.fault.cr2, FIXTURE_HOLE);
    assert_int_equal(fx.cpu->arch.gpr[RCX], 200);
    assert_int_equal(fx.cpu->arch.gpr[RDI], FIXTURE_HOLE);
    assert_int_equal(fx.cpu->arch.gpr[RSI], FIXTURE_DATA + 100);
    assert_int_equal(fx.clock.ticks, START_TICK + 100);
    fixture_close(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_equal_single_elements),
        cmocka_unit_test(fault_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
