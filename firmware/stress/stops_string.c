/* SPDX-License-Identifier: MIT
 * Stops: REP instructions that are interrupted by faults and by interrupts.
 * SDM 2B, "REP/REPE/REPZ/REPNE/REPNZ": the registers show the iterations that were completed.
 */
#include "stress.h"

CODE(movs_b, "rep movsb\n" EXIT);
CODE(movs_w, "rep movsw\n" EXIT);
CODE(movs_l, "rep movsl\n" EXIT);
CODE(stos_b, "rep stosb\n" EXIT);
CODE(stos_w, "rep stosw\n" EXIT);
CODE(stos_l, "rep stosl\n" EXIT);
CODE(lods_b, "rep lodsb\n" EXIT);
CODE(lods_l, "rep lodsl\n" EXIT);
CODE(scas_b, "repe scasb\n" EXIT);
CODE(scas_w, "repe scasw\n" EXIT);
CODE(scas_l, "repe scasl\n" EXIT);
CODE(scasn_b, "repne scasb\n" EXIT);
CODE(cmps_b, "repe cmpsb\n" EXIT);
CODE(cmps_w, "repe cmpsw\n" EXIT);
CODE(cmps_l, "repe cmpsl\n" EXIT);
#if BITS == 64
CODE(movs_q, "rep movsq\n" EXIT);
CODE(stos_q, "rep stosq\n" EXIT);
CODE(cmps_q, "repe cmpsq\n" EXIT);
#endif

static const struct row {
    const char *name, *code;
    unsigned width;
    bool source, destination; /* which of them it uses */
    u8 al;                    /* the pages hold 5A */
} rows[] = {
    {"movsb", movs_b, 1, true, true, 0},     {"movsw", movs_w, 2, true, true, 0},
    {"movsd", movs_l, 4, true, true, 0},     {"stosb", stos_b, 1, false, true, 0x5A},
    {"stosw", stos_w, 2, false, true, 0x5A}, {"stosd", stos_l, 4, false, true, 0x5A},
    {"lodsb", lods_b, 1, true, false, 0x5A}, {"lodsd", lods_l, 4, true, false, 0x5A},
    {"scasb", scas_b, 1, false, true, 0x5A}, {"scasw", scas_w, 2, false, true, 0x5A},
    {"scasd", scas_l, 4, false, true, 0x5A}, {"repne scasb", scasn_b, 1, false, true, 0xA5},
    {"cmpsb", cmps_b, 1, true, true, 0},     {"cmpsw", cmps_w, 2, true, true, 0},
    {"cmpsd", cmps_l, 4, true, true, 0},
#if BITS == 64
    {"movsq", movs_q, 8, true, true, 0},     {"stosq", stos_q, 8, false, true, 0x5A},
    {"cmpsq", cmps_q, 8, true, true, 0},
#endif
};

/* Source: window pages 8 and 9; destination: 12 and 13. */
enum { SOURCE = 8, DESTINATION = 12, BEFORE = 21, TOTAL = 50 };
static unsigned absent; /* the page that #PF maps */
static unsigned faults;

static bool map_absent(struct frame *f)
{
    if (f->vector != V_PF)
        return false;
    faults++;
    map_only(absent, frame_of(absent) | PWU);
    return true;
}

static void prepare(void)
{
    for (unsigned i = 0; i < 2; i++) {
        arena_fill(SOURCE + i, 0x5A);
        arena_fill(DESTINATION + i, 0x5A);
        map(SOURCE + i, SOURCE + i);
        map(DESTINATION + i, DESTINATION + i);
    }
}

/* BEFORE elements, then one that touches the absent page, at `skew` bytes from its edge. */
static void one_fault(const struct row *row, bool down, bool at_source, unsigned skew)
{
    word w = row->width, pages = down ? 0 : 1; /* which of the pair is absent */
    word base = down ? 4096 + (BEFORE - 1) * w + skew : 4096 - BEFORE * w - skew;
    word step = down ? -w : w;
    struct regs r = {.ip = (word)row->code,
                     .ax = row->al * (~(word)0 / 0xFF),
                     .cx = TOTAL,
                     .si = window(SOURCE) + (at_source ? base : 2000 + (down ? 1000 : 0)),
                     .di = window(DESTINATION) + (at_source ? 2000 + (down ? 1000 : 0) : base),
                     .flags = down ? FLAG_DF : 0};
    word si = r.si, di = r.di;

    prepare();
    absent = (at_source ? SOURCE : DESTINATION) + (unsigned)pages;
    map_only(absent, 0);
    invlpg(window(absent));
    faults = 0;
    check(row->name, INT_EXIT, run(&r, map_absent));
    check("faults", 1, faults);
    check("at the instruction", (word)row->code, traps[0].ip);
    check("CR2's page", window(absent), traps[0].cr2 & ~(word)0xFFF);
    check("count at the fault", TOTAL - BEFORE, traps[0].cx);
    check("SI at the fault", row->source ? si + BEFORE * step : si, traps[0].si);
    check("DI at the fault", row->destination ? di + BEFORE * step : di, traps[0].di);
    check("count at the end", 0, r.cx);
    check("SI at the end", row->source ? si + TOTAL * step : si, r.si);
    check("DI at the end", row->destination ? di + TOTAL * step : di, r.di);
}

static void faults_inside(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned skew = 0; skew<rows[i].width; skew += rows[i].width> 1 ? rows[i].width - 1 : 1) {
            for (unsigned down = 0; down < 2; down++) {
                if (rows[i].source)
                    one_fault(&rows[i], down, true, skew);
                if (rows[i].destination)
                    one_fault(&rows[i], down, false, skew);
            }
        }
    }
}

/* The page that a copy reads is the one it has just written: overlapping areas, both ways. */
static void overlapping(void)
{
    static const u8 distances[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 64, 100};

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].code != movs_b && rows[i].code != movs_w && rows[i].code != movs_l)
            continue;
        for (unsigned d = 0; d < ARRAY_LEN(distances); d++) {
            for (unsigned down = 0; down < 2; down++) {
                u8 *pages = (u8 *)window(SOURCE), expected[256];
                unsigned w = rows[i].width, at = 4096 - 100;
                unsigned from = down ? at + distances[d] : at, to = down ? at : at + distances[d];
                unsigned last = down ? 25 * w - w : 0;
                struct regs r = {.ip = (word)rows[i].code, .cx = 25, .flags = down ? FLAG_DF : 0};

                prepare();
                for (unsigned k = 0; k < 256; k++)
                    pages[at + k] = expected[k] = (u8)(k * 7 + 1);
                for (unsigned k = 0; k < 25; k++) {
                    unsigned element = down ? 24 - k : k;
                    u8 one[4];

                    for (unsigned b = 0; b < w; b++)
                        one[b] = expected[from - at + element * w + b];
                    for (unsigned b = 0; b < w; b++)
                        expected[to - at + element * w + b] = one[b];
                }
                r.si = window(SOURCE) + from + last;
                r.di = window(SOURCE) + to + last;
                run_clean(&r);
                for (unsigned k = 0; k < 256; k++) {
                    if (pages[at + k] != expected[k]) {
                        check("a byte of an overlapping copy", expected[k], pages[at + k]);
                        break;
                    }
                    mix(pages[at + k]);
                }
            }
        }
    }
}

/* ---- interrupts between iterations, at every tick */

static unsigned interrupts;
static u32 again_in;

static bool on_timer(struct frame *f)
{
    if (f->vector != INT_TIMER)
        return false;
    interrupts++;
    interrupt_end();
    if (again_in != 0)
        interrupt_in(again_in);
    return true;
}

static void interrupted(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        unsigned inside = 0;

        for (u32 ticks = 40; ticks < 140; ticks += 1 + i % 3) {
            struct regs r = {.ip = (word)row->code,
                             .ax = row->al * (~(word)0 / 0xFF),
                             .cx = TOTAL,
                             .si = window(SOURCE) + 4000,
                             .di = window(DESTINATION) + 4010,
                             .flags = FLAG_IF};

            prepare();
            interrupts = 0;
            again_in = 0;
            interrupt_in(ticks);
            check(row->name, INT_EXIT, run(&r, on_timer));
            if (interrupts == 1 && traps[0].ip == (word)row->code && traps[0].cx != TOTAL) {
                word done = TOTAL - traps[0].cx;

                inside++;
                if (row->source)
                    check("SI between iterations", window(SOURCE) + 4000 + done * row->width, traps[0].si);
                if (row->destination)
                    check("DI between iterations", window(DESTINATION) + 4010 + done * row->width, traps[0].di);
            }
            check("count at the end", 0, r.cx);
            interrupt_cancel();
        }
        mix(inside);
    }
}

CODE(fills, "1: mov " DX ", " CX "\n mov " BX ", " DI "\n rep stosb\n incl %eax\n mov " BX ", " SI "\n mov " DX ", " CX
            "\n lea 1(" BX "), " DI "\n rep movsb\n decl %ebp\n jnz 1b\n" EXIT);

static void many_interrupts(void)
{
    for (u32 every = 150; every < 400; every += 23) {
        struct regs r = {
            .ip = (word)fills, .bx = window(DESTINATION) + 4096 - 300, .dx = 500, .bp = 8, .flags = FLAG_IF};

        prepare();
        interrupts = 0;
        again_in = every;
        interrupt_in(every);
        check("end", INT_EXIT, run(&r, on_timer));
        interrupt_cancel();
        mix(interrupts);
        check("rounds", 8, r.ax);
        for (unsigned k = 0; k < 500; k += 83)
            check("a byte", 7, *(u8 *)(window(DESTINATION) + 4096 - 300 + k));
    }
}

const struct stop stops_string[] = {
    {"Page faults inside REP, both ways", faults_inside},
    {"REP MOVS of overlapping areas", overlapping},
    {"Interrupts between iterations", interrupted},
    {"REP under a fast timer", many_interrupts},
};
const unsigned stops_string_count = ARRAY_LEN(stops_string);
