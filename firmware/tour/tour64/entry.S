/* SPDX-License-Identifier: MIT
 * Interrupt entry, the start of a visit to another ring, and the way back.
 */
#include "selectors.h"

        .section .text
/* One 16-byte stub per vector. The processor pushes an error code for 8, 10-14 and 17 (SDM 3A, "Error Code"). */
        .balign 16
        .globl  entry_stubs
entry_stubs:
        vector = 0
        .rept   IDT_ENTRIES
        .balign 16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
        pushq   $0
        .endif
        pushq   $vector
        jmp     entry
        vector = vector + 1
        .endr

entry:  pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rbx
        pushq   %rbp
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movl    %ds, %eax
        pushq   %rax
        movl    %es, %eax
        pushq   %rax
        pushfq
        cld
        movq    %rsp, %rdi
        call    trap
        addq    $8, %rsp
        popq    %rax
        movl    %eax, %es
        popq    %rax
        movl    %eax, %ds
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp
        iretq

/* void visit_start(const struct start *): IRETQ to the given state. Returns when visit_land() is called. */
        .globl  visit_start
visit_start:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, landing
        pushq   32(%rdi)
        pushq   24(%rdi)
        pushq   16(%rdi)
        pushq   8(%rdi)
        pushq   0(%rdi)
        movl    40(%rdi), %eax          /* FS and GS stay: loading them would touch their bases */
        movl    %eax, %ds
        movl    %eax, %es
        iretq

/* void visit_land(void): drop everything since visit_start() and return from it. */
        .globl  visit_land
visit_land:
        movl    $DATA0, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movq    landing, %rsp
        pushq   $2
        popfq
        cld
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

        .section .bss
        .balign 8
landing: .skip  8
        .section .note.GNU-stack, "", @progbits
