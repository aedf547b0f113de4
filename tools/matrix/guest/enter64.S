/* SPDX-License-Identifier: MIT
 * Into a case and out of it, in long mode. All of this stands in memory that the cases' page tables map, for level 0.
 */
#include "state.h"
        .section .resident.text, "awx"
        .code64
/* 60000h: where a CALL at the case's end comes; 60010h: where the trap's gate leads. */
        jmp     from_call
        .balign 16
        jmp     from_gate
        .balign 16

/* int matrix_enter(void): load resident_in, and come back with resident_out filled. returns: 0; or 1 when it could not
 * even be loaded. */
        .globl  matrix_enter
matrix_enter:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, own_stack
        call    matrix_load
        movl    $resident_stack_top, %esp
        mov     resident_in + S_CR3, %rax
        mov     %rax, %cr3
        mov     resident_in + S_CR2, %rax
        mov     %rax, %cr2
        lgdt    in_gdtr
        lldt    resident_in + S_LDTR
        mov     tss_access, %rbx        /* only an available TSS can be loaded; then it is what it was */
        movb    (%rbx), %cl
        movb    $0x89, (%rbx)
        ltr     resident_in + S_TR
        movb    %cl, (%rbx)
        movw    resident_in + S_ES, %es
        movw    resident_in + S_DS, %ds
        movw    resident_in + S_FS, %fs
        movw    resident_in + S_GS, %gs
        mov     $0xC0000100, %ecx
        mov     resident_in + S_FS_BASE, %eax
        mov     resident_in + S_FS_BASE + 4, %edx
        wrmsr
        inc     %ecx
        mov     resident_in + S_GS_BASE, %eax
        mov     resident_in + S_GS_BASE + 4, %edx
        wrmsr
        inc     %ecx
        mov     resident_in + S_KERNEL_GS_BASE, %eax
        mov     resident_in + S_KERNEL_GS_BASE + 4, %edx
        wrmsr
        lidt    in_idtr
        movzwl  resident_in + S_SS, %eax
        push    %rax
        push    resident_in + S_GPR(4)
        push    resident_in + S_RFLAGS
        movzwl  resident_in + S_CS, %eax
        push    %rax
        push    resident_in + S_RIP
        mov     resident_in + S_GPR(0), %rax
        mov     resident_in + S_GPR(1), %rcx
        mov     resident_in + S_GPR(2), %rdx
        mov     resident_in + S_GPR(3), %rbx
        mov     resident_in + S_GPR(5), %rbp
        mov     resident_in + S_GPR(6), %rsi
        mov     resident_in + S_GPR(7), %rdi
        mov     resident_in + S_GPR(8), %r8
        mov     resident_in + S_GPR(9), %r9
        mov     resident_in + S_GPR(10), %r10
        mov     resident_in + S_GPR(11), %r11
        mov     resident_in + S_GPR(12), %r12
        mov     resident_in + S_GPR(13), %r13
        mov     resident_in + S_GPR(14), %r14
        mov     resident_in + S_GPR(15), %r15
        iretq

/* Level 0, 64-bit code: the return address stands on the case's stack. */
from_call:
        mov     %rax, resident_out + S_GPR(0)
        pushfq
        pop     %rax
        mov     %rax, resident_out + S_RFLAGS
        pop     %rax
        sub     $5, %rax
        mov     %rax, resident_out + S_RIP
        mov     %rsp, resident_out + S_GPR(4)
        mov     %cs, resident_out + S_CS
        mov     %ss, resident_out + S_SS
        movl    $resident_stack_top, %esp
        jmp     save

/* By INT, on a stack of its own. */
from_gate:
        mov     %rax, resident_out + S_GPR(0)
        pop     %rax
        sub     $2, %rax
        mov     %rax, resident_out + S_RIP
        pop     %rax
        mov     %ax, resident_out + S_CS
        popq    resident_out + S_RFLAGS
        popq    resident_out + S_GPR(4)
        pop     %rax
        mov     %ax, resident_out + S_SS
        movl    $resident_stack_top, %esp
save:
        mov     %rcx, resident_out + S_GPR(1)
        mov     %rdx, resident_out + S_GPR(2)
        mov     %rbx, resident_out + S_GPR(3)
        mov     %rbp, resident_out + S_GPR(5)
        mov     %rsi, resident_out + S_GPR(6)
        mov     %rdi, resident_out + S_GPR(7)
        mov     %r8, resident_out + S_GPR(8)
        mov     %r9, resident_out + S_GPR(9)
        mov     %r10, resident_out + S_GPR(10)
        mov     %r11, resident_out + S_GPR(11)
        mov     %r12, resident_out + S_GPR(12)
        mov     %r13, resident_out + S_GPR(13)
        mov     %r14, resident_out + S_GPR(14)
        mov     %r15, resident_out + S_GPR(15)
        mov     %es, resident_out + S_ES
        mov     %ds, resident_out + S_DS
        mov     %fs, resident_out + S_FS
        mov     %gs, resident_out + S_GS
        sldt    resident_out + S_LDTR
        str     resident_out + S_TR
        sgdt    out_gdtr
        sidt    out_idtr
        mov     %cr0, %rax
        mov     %rax, resident_out + S_CR0
        mov     %cr2, %rax
        mov     %rax, resident_out + S_CR2
        mov     %cr3, %rax
        mov     %rax, resident_out + S_CR3
        mov     %cr4, %rax
        mov     %rax, resident_out + S_CR4
        mov     %dr7, %rax
        mov     %rax, resident_out + S_DR7
        mov     $0x400, %eax
        mov     %rax, %dr7
        mov     %dr6, %rax
        mov     %rax, resident_out + S_DR6
        mov     $0xC0000100, %ecx
        rdmsr
        mov     %eax, resident_out + S_FS_BASE
        mov     %edx, resident_out + S_FS_BASE + 4
        inc     %ecx
        rdmsr
        mov     %eax, resident_out + S_GS_BASE
        mov     %edx, resident_out + S_GS_BASE + 4
        inc     %ecx
        rdmsr
        mov     %eax, resident_out + S_KERNEL_GS_BASE
        mov     %edx, resident_out + S_KERNEL_GS_BASE + 4
        xor     %ebx, %ebx
        jmp     home

        .globl  own_fault               /* the image's own IDT leads here: what a case asks for is not there */
own_fault:
        mov     $1, %ebx
home:
        mov     $0x80010031, %eax
        mov     %rax, %cr0
        mov     $0x620, %eax
        mov     %rax, %cr4
        mov     $own_root, %eax
        mov     %rax, %cr3
        lgdt    own_gdtr
        lidt    own_idtr
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        mov     own_stack, %rsp
        push    $8
        push    $1f
        lretq
1:      pushq   $2                      /* AC, NT, IF and all others */
        popfq
        mov     %ebx, %eax
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

        .section .resident.data, "aw"
        .balign 16
        .globl  resident_in, resident_out, in_gdtr, in_idtr, out_gdtr, out_idtr, tss_access, own_gdtr, own_idtr, own_idt
resident_in: .skip S_SIZE
resident_out: .skip S_SIZE
own_stack: .quad 0
tss_access: .quad 0
        .balign 8
in_gdtr: .skip 16
in_idtr: .skip 16
out_gdtr: .skip 16
out_idtr: .skip 16
own_gdt: .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00AF9B000000FFFF /* 18h: as in the cases' GDT */
own_gdtr:
        .word   . - own_gdt - 1
        .quad   own_gdt
        .balign 8
own_idtr:
        .word   32 * 16 - 1
        .quad   own_idt
        .balign 16
own_idt: .skip  32 * 16
        .skip   2048
        .balign 16
resident_stack_top:
        .section .note.GNU-stack, "", @progbits
