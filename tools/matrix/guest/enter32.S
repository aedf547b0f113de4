/* SPDX-License-Identifier: MIT
 * Into a case and out of it, in 32-bit protected mode. All of this stands in memory that the cases' page tables map, for
 * level 0.
 */
#include "state.h"
#define IN(offset) resident_in + (offset)
#define OUT(offset) resident_out + (offset)
        .section .resident.text, "awx"
/* 60000h: where a CALL at the case's end comes; 60010h: where the trap's gate leads. */
        jmp     from_call
        .balign 16
        jmp     from_gate
        .balign 16

/* int matrix_enter(void): load resident_in, and come back with resident_out filled. returns: 0; or 1 when it could not
 * even be loaded. */
        .globl  matrix_enter
matrix_enter:
        pushl   %ebx
        pushl   %ebp
        pushl   %esi
        pushl   %edi
        movl    %esp, own_stack
        call    matrix_load
        movl    $resident_stack_top, %esp
        movl    IN(S_CR3), %eax
        movl    %eax, %cr3
        movl    IN(S_CR2), %eax
        movl    %eax, %cr2
        movl    IN(S_CR4), %eax
        movl    %eax, %cr4
        movl    IN(S_CR0), %eax
        movl    %eax, %cr0
        lgdt    in_gdtr
        lldt    IN(S_LDTR)
        movl    tss_access, %ebx        /* only an available TSS can be loaded; then it is what it was */
        movb    (%ebx), %cl
        movb    $0x89, (%ebx)
        ltr     IN(S_TR)
        movb    %cl, (%ebx)
        testl   $0x20000, IN(S_RFLAGS)
        jnz     vm86
        testb   $3, IN(S_CS)
        jz      inner
        movzwl  IN(S_SS), %eax
        pushl   %eax
        pushl   IN(S_GPR(4))
        jmp     1f
inner:                                  /* a return to the same level leaves the stack: it must be the case's own */
        movw    IN(S_SS), %ss
        movl    IN(S_GPR(4)), %esp
1:      pushl   IN(S_RFLAGS)
        movzwl  IN(S_CS), %eax
        pushl   %eax
        pushl   IN(S_RIP)
        movw    IN(S_ES), %es
        movw    IN(S_FS), %fs
        movw    IN(S_GS), %gs
        jmp     2f
vm86:   movzwl  IN(S_GS), %eax
        pushl   %eax
        movzwl  IN(S_FS), %eax
        pushl   %eax
        movzwl  IN(S_DS), %eax
        pushl   %eax
        movzwl  IN(S_ES), %eax
        pushl   %eax
        movzwl  IN(S_SS), %eax
        pushl   %eax
        pushl   IN(S_GPR(4))
        pushl   IN(S_RFLAGS)
        movzwl  IN(S_CS), %eax
        pushl   %eax
        pushl   IN(S_RIP)
2:      lidt    in_idtr
        movl    IN(S_GPR(1)), %ecx
        movl    IN(S_GPR(2)), %edx
        movl    IN(S_GPR(3)), %ebx
        movl    IN(S_GPR(5)), %ebp
        movl    IN(S_GPR(6)), %esi
        movl    IN(S_GPR(7)), %edi
        movl    IN(S_GPR(0)), %eax
        testl   $0x20000, IN(S_RFLAGS)
        jnz     3f
        movw    IN(S_DS), %ds
3:      iretl

/* Level 0, flat 32-bit code: the return address stands on the case's stack. DS may be anything. */
from_call:
        pushfl
        pushl   %ds
        pushl   %eax
        movl    $0x10, %eax
        movl    %eax, %ds
        popl    OUT(S_GPR(0))
        popl    %eax
        movw    %ax, OUT(S_DS)
        popl    OUT(S_RFLAGS)
        popl    %eax
        subl    $5, %eax
        movl    %eax, OUT(S_RIP)
        movl    %esp, OUT(S_GPR(4))
        movw    %cs, OUT(S_CS)
        movw    %ss, OUT(S_SS)
        jmp     save

/* By INT: from another level on the stack of the TSS, with the case's stack pointer in the frame. */
from_gate:
        pushl   %ds
        pushl   %eax
        movl    $0x10, %eax
        movl    %eax, %ds
        popl    OUT(S_GPR(0))
        popl    %eax
        movw    %ax, OUT(S_DS)
        popl    %eax
        subl    $2, %eax
        movl    %eax, OUT(S_RIP)
        popl    %eax
        movw    %ax, OUT(S_CS)
        popl    OUT(S_RFLAGS)
        movl    %esp, OUT(S_GPR(4))
        movw    %ss, OUT(S_SS)
        testl   $0x20000, OUT(S_RFLAGS)
        jnz     from_vm86
        testb   $3, OUT(S_CS)
        jz      save
        popl    OUT(S_GPR(4))
        popl    %eax
        movw    %ax, OUT(S_SS)
        jmp     save
from_vm86:
        popl    OUT(S_GPR(4))
        popl    %eax
        movw    %ax, OUT(S_SS)
        popl    %eax
        movw    %ax, OUT(S_ES)
        popl    %eax
        movw    %ax, OUT(S_DS)
        popl    %eax
        movw    %ax, OUT(S_FS)
        popl    %eax
        movw    %ax, OUT(S_GS)
        jmp     save_rest
save:   movw    %es, OUT(S_ES)
        movw    %fs, OUT(S_FS)
        movw    %gs, OUT(S_GS)
save_rest:
        movl    %ecx, OUT(S_GPR(1))
        movl    %edx, OUT(S_GPR(2))
        movl    %ebx, OUT(S_GPR(3))
        movl    %ebp, OUT(S_GPR(5))
        movl    %esi, OUT(S_GPR(6))
        movl    %edi, OUT(S_GPR(7))
        sldt    OUT(S_LDTR)
        str     OUT(S_TR)
        sgdt    out_gdtr
        sidt    out_idtr
        movl    %cr0, %eax
        movl    %eax, OUT(S_CR0)
        movl    %cr2, %eax
        movl    %eax, OUT(S_CR2)
        movl    %cr3, %eax
        movl    %eax, OUT(S_CR3)
        movl    %cr4, %eax
        movl    %eax, OUT(S_CR4)
        movl    %dr7, %eax
        movl    %eax, OUT(S_DR7)
        movl    $0x400, %eax
        movl    %eax, %dr7
        movl    %dr6, %eax
        movl    %eax, OUT(S_DR6)
        xorl    %ebx, %ebx
        jmp     home

        .globl  own_fault               /* the image's own IDT leads here: what a case asks for is not there */
own_fault:
        movl    $1, %ebx
home:
        movl    $0x31, %eax
        movl    %eax, %cr0
        movl    $0x600, %eax
        movl    %eax, %cr4
        lgdt    own_gdtr
        lidt    own_idtr
        ljmp    $8, $1f
1:      movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movl    own_stack, %esp
        pushl   $2                      /* AC, NT, IF and all others */
        popfl
        movl    %ebx, %eax
        popl    %edi
        popl    %esi
        popl    %ebp
        popl    %ebx
        ret

        .section .resident.data, "aw"
        .balign 16
        .globl  resident_in, resident_out, in_gdtr, in_idtr, out_gdtr, out_idtr, tss_access, own_gdtr, own_idtr, own_idt
resident_in: .skip S_SIZE
resident_out: .skip S_SIZE
own_stack: .long 0
tss_access: .quad 0
        .balign 8
in_gdtr: .skip 16
in_idtr: .skip 16
out_gdtr: .skip 16
out_idtr: .skip 16
own_gdt: .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF
own_gdtr:
        .word   . - own_gdt - 1
        .long   own_gdt
        .balign 8
own_idtr:
        .word   32 * 8 - 1
        .long   own_idt
        .balign 16
own_idt: .skip  32 * 16
        .skip   2048
        .balign 16
resident_stack_top:
        .section .note.GNU-stack, "", @progbits
