/* SPDX-License-Identifier: MIT
 * Multiboot 1 header and start in 32-bit protected mode, without paging.
 */
        .section .multiboot, "a"
        .balign 4
        .long   0x1BADB002, 0, -0x1BADB002

        .section .text
        .globl  _start
_start: cli
        cld
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        movl    $resident_image, %esi
        movl    $0x60000, %edi
        movl    $resident_size, %ecx
        rep movsb
        movl    $main_stack_top, %esp
        lgdt    own_gdtr
        ljmp    $8, $1f
1:      movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %cr4, %eax
        orl     $0x600, %eax            /* OSFXSR, OSXMMEXCPT: as every case has them */
        movl    %eax, %cr4
        movl    $0x31, %eax             /* PE, ET, NE */
        movl    %eax, %cr0
        fninit
        pushl   %ebx                    /* Multiboot information */
        call    matrix_main

        .section .bss
        .skip   16384
main_stack_top:
        .section .note.GNU-stack, "", @progbits
