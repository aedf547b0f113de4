/* SPDX-License-Identifier: MIT
 * Stops: branches of every kind, and faults in the middle of straight code.
 */
#include "stress.h"

/* ---- decodings that overlap */

/* From its first byte ADD EAX, 9007C183h; from its second ADD ECX, 7; NOP. */
CODE(overlap, "jmp *" SI "\n" AT(overlap_at) ".byte 0x05, 0x83, 0xC1, 0x07, 0x90\n" EXIT);
extern const char overlap_at[];

static void into_the_middle(void)
{
    for (unsigned i = 0; i < 40; i++) {
        struct regs r = {.ip = (word)overlap, .si = (word)overlap_at + (i & 1)};

        run_clean(&r);
        check("from the first byte", i & 1 ? 0 : 0x9007C183, r.ax);
        check("from the second", i & 1 ? 7 : 0, r.cx);
    }
}

/* ---- indirect branches */

static const char *table[8];

/* A little machine: each routine adds something and goes back through the table, so that one indirect jump has eight
 * targets. */
#if BITS == 64
#define SCALE "8"
#else
#define SCALE "4"
#endif
CODE(machine, AT(machine_next) "dec " CX "\n js machine_exit\n mov " CX ", " DX "\n imul " BX ", " DX "\n shr $3, " DX
                               "\n and $7, " DX "\n jmp *(" SI "," DX "," SCALE ")\n" AT(machine_exit) EXIT);
#define ROUTINE(n) CODE(routine##n, "lea " #n "(" AX "," AX ",2), " AX "\n and $0xFFFFFF, " AX "\n jmp machine_next\n")
ROUTINE(0);
ROUTINE(1);
ROUTINE(2);
ROUTINE(3);
ROUTINE(4);
ROUTINE(5);
ROUTINE(6);
ROUTINE(7);

static void indirect(void)
{
    static const char *const routines[8] = {routine0, routine1, routine2, routine3,
                                            routine4, routine5, routine6, routine7};

    for (unsigned seed = 1; seed < 20; seed++) {
        struct regs r = {.ip = (word)machine, .cx = 500, .bx = seed * 2654435 + 7, .si = (word)table};
        word expected = 0;

        for (unsigned i = 0; i < 8; i++)
            table[i] = routines[i * 3 % 8];
        for (word c = 500; c-- > 0;)
            expected = (expected * 3 + (c * r.bx >> 3 & 7) * 3 % 8) & 0xFFFFFF;
        run_clean(&r);
        check("the machine's sum", expected, r.ax);
    }
}

/* ---- returns that no call predicted */

CODE(thunk, AT(thunk_loop) "decl %ecx\n js 9f\n mov " SI ", " AX "\n call 2f\n 1: pause\n jmp 1b\n 2: mov " AX ", (" SP
                           ")\n ret\n 9: " EXIT);
CODE(thunk_target, "addl $3, %edx\n jmp thunk_loop\n");
CODE(thunk_target2, "addl $5, %edx\n xchg " SI ", " DI "\n jmp thunk_loop\n");
CODE(mismatch,
     "1: call 2f\n 2: pop " AX "\n add $3f - 2b, " AX "\n push " AX "\n ret\n ud2\n 3: incl %edx\n decl %ecx\n"
     "jnz 1b\n" EXIT);
CODE(recursion, "call 1f\n" EXIT "1: incl %edx\n decl %ecx\n jz 2f\n call 1b\n incl %ebx\n 2: ret\n");

static void returns(void)
{
    for (unsigned i = 0; i < 5; i++) {
        struct regs r = {.ip = (word)thunk, .cx = 100, .si = (word)thunk_target, .di = (word)thunk_target2};

        run_clean(&r);
        check("a retpoline to one place", 300, r.dx);
        r = (struct regs){.ip = (word)thunk, .cx = 100, .si = (word)thunk_target2, .di = (word)thunk_target};
        run_clean(&r);
        check("to two", 302, r.dx);
        r = (struct regs){.ip = (word)mismatch, .cx = 100};
        run_clean(&r);
        check("RET to elsewhere", 100, r.dx);
        r = (struct regs){.ip = (word)recursion, .cx = 100};
        run_clean(&r);
        check("a hundred calls deep", 100, r.dx);
        check("and back", 99, r.bx);
    }
}

/* ---- more instructions than any block holds */

static void long_code(void)
{
    u8 *at = arena[0];
    u32 expected = 0, seed = 12345;
    struct regs r = {.ip = (word)arena[0]};

    for (unsigned i = 0; i < 6000; i++) { /* across eight pages: ADD, XOR or ROL of EAX */
        seed = seed * 1664525 + 1013904223;
        switch (seed >> 30) {
        case 0:
        case 1:
            *at++ = 0x05;
            *(u32 *)at = seed;
            at += 4;
            expected += seed;
            break;
        case 2:
            *at++ = 0x35;
            *(u32 *)at = seed;
            at += 4;
            expected ^= seed;
            break;
        default:
            *at++ = 0xC1;
            *at++ = 0xC0;
            *at++ = seed >> 8 & 31;
            if ((seed >> 8 & 31) != 0)
                expected = expected << (seed >> 8 & 31) | expected >> (32 - (seed >> 8 & 31));
            break;
        }
    }
    *at++ = 0xFF; /* DEC ECX; JNZ to the start; INT 41h */
    *at++ = 0xC9;
    *at++ = 0x0F;
    *at++ = 0x85;
    *(u32 *)at = (u32)(arena[0] - (at + 4));
    at += 4;
    *at++ = 0xCD;
    *at++ = INT_EXIT;
    r.cx = 1;
    run_clean(&r);
    check("six thousand instructions", expected, r.ax);
    r = (struct regs){.ip = (word)arena[0], .cx = 20};
    run_clean(&r);
    mix(r.ax);
    check("twenty times", 0, r.cx);
}

/* ---- faults in straight code: `before` instructions, the fault, some more */

static const struct {
    const char *name;
    u8 bytes[6];
    u8 size, vector;
    word error;
} faulty[] = {
    {"#DE", {0xF7, 0xF6}, 2, V_DE, 0},                /* DIV ESI, zero */
    {"#UD", {0x0F, 0x0B}, 2, V_UD, 0},                /* UD2 */
    {"#PF, read", {0x8B, 0x1F}, 2, V_PF, 0},          /* MOV EBX, [DI] */
    {"#PF, write", {0x89, 0x1F}, 2, V_PF, 2},         /* MOV [DI], EBX */
    {"#PF, add", {0x01, 0x1F}, 2, V_PF, 2},           /* ADD [DI], EBX */
    {"#PF, push", {0xFF, 0x37}, 2, V_PF, 0},          /* PUSH [DI] */
    {"#PF, call", {0xFF, 0x17}, 2, V_PF, 0},          /* CALL [DI] */
    {"#GP, selector", {0x8E, 0xE5}, 2, V_GP, 0xFFF8}, /* MOV FS, BP */
    {"#GP, CR4", {0x0F, 0x22, 0xE5}, 3, V_GP, 0},     /* MOV CR4, BP: reserved bits */
#if BITS == 32
    {"#GP, store to CS", {0x2E, 0x89, 0x07}, 3, V_GP, 0}, /* MOV CS:[DI], EAX: code is never writable */
#endif
    {"#BP", {0xCC}, 1, V_BP, 0}, /* a trap: RIP is behind it */
};

static void in_straight_code(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(faulty); i++) {
        for (unsigned before = 0; before < 40; before += before < 12 ? 1 : 9) {
            u8 *at = arena[1] + 100;
            struct regs r = {.ip = (word)at, .di = window(200), .bp = 0x0000FFF8 | 1u << 30, .ax = 0x7FFFFFF0};
            u32 expected = 0x7FFFFFF0;
            word fault;

            for (unsigned k = 0; k < before; k++) {
                *at++ = 0x83; /* ADD EAX, 2: the flags are those of the last one */
                *at++ = 0xC0;
                *at++ = 2;
                expected += 2;
            }
            fault = (word)at;
            for (unsigned k = 0; k < faulty[i].size; k++)
                *at++ = faulty[i].bytes[k];
            for (unsigned k = 0; k < 20; k++) {
                *at++ = 0x83;
                *at++ = 0xE8;
                *at++ = 5;
            }
            *at++ = 0xCD;
            *at++ = INT_EXIT;
            for (unsigned again = 0; again < 2; again++) {
                struct regs once = r;

                check(faulty[i].name, faulty[i].vector, run(&once, NULL));
                check("at", fault + (faulty[i].vector == V_BP), once.ip);
                check("error code", faulty[i].error, traps[0].error);
                check("EAX", expected, once.ax);
                if (before != 0 && faulty[i].vector != V_DE) {
                    check("OF", before == 8 ? FLAG_OF : 0, once.flags & FLAG_OF);
                    check("SF", expected >> 31, once.flags >> 7 & 1);
                    check("ZF", 0, once.flags >> 6 & 1);
                }
            }
        }
    }
}

/* The handler repairs the cause and the code goes on, in the middle of what was one block. */
static bool repair(struct frame *f)
{
    switch (f->vector) {
    case V_PF: map(200, 5); return true;
    case V_DE: f->si = 3; return true;
    case V_UD: f->ip += 2; return true;
    case V_GP: f->bp = 0; return true;
    default: return false;
    }
}

CODE(repaired,
     "incl %eax\n movl %eax, (" DI ")\n incl %eax\n ud2\n incl %eax\n xorl %edx, %edx\n push " AX "\n divl %esi\n"
     "pop " AX "\n incl %eax\n movl %ebp, %fs\n incl %eax\n addl (" DI "), %eax\n" EXIT);

static void and_on(void)
{
    for (unsigned i = 0; i < 30; i++) {
        struct regs r = {.ip = (word)repaired, .di = window(200) + i * 4, .bp = 0xFFF8};

        map_only(200, 0);
        invlpg(window(200));
        check("end", INT_EXIT, run(&r, repair));
        check("faults", 5, trap_count);
        check("EAX", 6, r.ax);
    }
}

const struct stop stops_flow[] = {
    {"Jumps into the middle of instructions", into_the_middle},
    {"An indirect jump with eight targets", indirect},
    {"Returns that no call predicted", returns},
    {"Longer than any block", long_code},
    {"Faults in straight code", in_straight_code},
    {"Faults that are repaired in straight code", and_on},
};
const unsigned stops_flow_count = ARRAY_LEN(stops_flow);
