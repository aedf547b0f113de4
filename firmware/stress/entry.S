/* SPDX-License-Identifier: MIT
 * Interrupt entry, the start of a run and its end, for both widths.
 */
#include "layout.h"

#ifdef __x86_64__
#define WORD 8
#define R(name) %r##name
#else
#define WORD 4
#define R(name) %e##name
#endif

        .section .text
/* One 16-byte stub per vector. The processor pushes an error code for 8, 10-14 and 17 (SDM 3A, "Error Code"). */
        .balign 16
        .globl  entry_stubs
entry_stubs:
        vector = 0
        .rept   IDT_ENTRIES
        .balign 16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
        push    $0
        .endif
        push    $vector
        jmp     entry
        vector = vector + 1
        .endr

entry:  push    R(ax)
        push    R(cx)
        push    R(dx)
        push    R(bx)
        push    R(bp)
        push    R(si)
        push    R(di)
#ifdef __x86_64__
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
#endif
        cld
        mov     R(sp), R(bx)
#ifdef __x86_64__
        mov     %rsp, %rdi
        and     $-16, %rsp
        call    trap
#else
        push    R(sp)
        call    trap
#endif
        mov     R(bx), R(sp)
#ifdef __x86_64__
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
#endif
        pop     R(di)
        pop     R(si)
        pop     R(bp)
        pop     R(bx)
        pop     R(dx)
        pop     R(cx)
        pop     R(ax)
        add     $(2 * WORD), R(sp)
#ifdef __x86_64__
        iretq
#else
        iretl
#endif

/* void run_start(const struct regs *): IRET to the given state. Returns when run_land() is called. */
        .globl  run_start
run_start:
#ifndef __x86_64__
        mov     4(%esp), %eax
#endif
        push    R(bx)
        push    R(bp)
#ifdef __x86_64__
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rdi, %rax
#else
        push    %esi
        push    %edi
#endif
        mov     R(sp), landing
#ifndef __x86_64__
        testl   $3, 8 * WORD(R(ax))
        jnz     1f
        mov     10 * WORD(R(ax)), R(sp) /* the same ring: IRET leaves the stack alone */
        jmp     2f
1:
#endif
        push    11 * WORD(R(ax))
        push    10 * WORD(R(ax))
2:      push    9 * WORD(R(ax))
        push    8 * WORD(R(ax))
        push    7 * WORD(R(ax))
        mov     1 * WORD(R(ax)), R(cx)
        mov     2 * WORD(R(ax)), R(dx)
        mov     3 * WORD(R(ax)), R(bx)
        mov     4 * WORD(R(ax)), R(bp)
        mov     5 * WORD(R(ax)), R(si)
        mov     6 * WORD(R(ax)), R(di)
        mov     0 * WORD(R(ax)), R(ax)
#ifdef __x86_64__
        iretq
#else
        iretl
#endif

/* void run_land(void): drop everything since run_start() and return from it. */
        .globl  run_land
run_land:
        mov     landing, R(sp)
        mov     $DATA0, %eax
        mov     %eax, %ss
        mov     $DATA3, %eax
        mov     %eax, %ds
        mov     %eax, %es
        push    $2
        popf
#ifdef __x86_64__
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
#else
        pop     %edi
        pop     %esi
#endif
        pop     R(bp)
        pop     R(bx)
        ret

        .section .bss
        .balign 8
landing: .skip  8
        .section .note.GNU-stack, "", @progbits
