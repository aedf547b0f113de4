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
        .rept   INT_LIMIT
        .balign 16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
        pushl   $0
        .endif
        pushl   $vector
        jmp     entry
        vector = vector + 1
        .endr

entry:  pushal
        pushl   %ds
        pushl   %es
        pushl   %fs
        pushl   %gs
        pushfl
        movl    $DATA0, %eax
        movl    %eax, %ds
        movl    %eax, %es
        cld
        movl    %esp, %eax
        pushl   %eax
        call    trap
        addl    $8, %esp
        popl    %gs
        popl    %fs
        popl    %es
        popl    %ds
        popal
        addl    $8, %esp
        iret

/* void visit_start(const struct start *): IRET to the given state. Returns when visit_land() is called. */
        .globl  visit_start
visit_start:
        pushl   %ebp
        pushl   %ebx
        pushl   %esi
        pushl   %edi
        movl    %esp, landing
        movl    20(%esp), %ecx
        testl   $0x20000, 8(%ecx)
        jnz     to_vm86
        testl   $3, 4(%ecx)
        jnz     to_outer
        movl    12(%ecx), %esp          /* the same ring: IRET does not pop a stack */
        jmp     to_same
to_vm86:
        pushl   32(%ecx)                /* GS FS DS ES */
        pushl   28(%ecx)
        pushl   24(%ecx)
        pushl   20(%ecx)
to_outer:
        pushl   16(%ecx)
        pushl   12(%ecx)
to_same:
        pushl   8(%ecx)
        pushl   4(%ecx)
        pushl   0(%ecx)
        testl   $0x20000, 8(%ecx)
        jnz     1f
        movw    28(%ecx), %fs
        movw    32(%ecx), %gs
        movw    20(%ecx), %es
        movw    24(%ecx), %ds
1:      iret

/* void visit_land(void): drop everything since visit_start() and return from it. */
        .globl  visit_land
visit_land:
        movl    $DATA0, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    landing, %esp
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        pushl   $2
        popfl
        cld
        popl    %edi
        popl    %esi
        popl    %ebx
        popl    %ebp
        ret

        .section .bss
        .balign 4
landing: .skip  4
        .section .note.GNU-stack, "", @progbits
