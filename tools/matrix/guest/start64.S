/* SPDX-License-Identifier: MIT
 * Multiboot 1 header, and the way from 32-bit protected mode into long mode.
 */
        .section .multiboot, "a"
        .balign 4
        .long   0x1BADB002, 0, -0x1BADB002

        .section .text
        .code32
        .globl  _start
_start: cli
        cld
        movl    %ebx, %ebp
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        movl    $resident_image, %esi
        movl    $0x60000, %edi
        movl    $resident_size, %ecx
        rep movsb
        movl    $directories, %edi      /* 4 GiB in pages of 2 MiB: present, writable */
        movl    $0x83, %eax
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b
        movl    $directories + 3, %eax
        movl    $pointers, %edi
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        movl    $pointers + 3, own_root
        movl    %cr4, %eax
        orl     $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
        movl    %eax, %cr4
        movl    $own_root, %eax
        movl    %eax, %cr3
        movl    $0xC0000080, %ecx
        rdmsr
        orl     $0x901, %eax            /* NXE, LME, SCE */
        wrmsr
        movl    $0x80010031, %eax       /* PG, WP, NE, ET, PE */
        movl    %eax, %cr0
        lgdt    own_gdtr
        ljmp    $8, $start64

        .code64
start64:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        fninit
        movl    $main_stack_top, %esp
        movl    %ebp, %edi              /* Multiboot information */
        call    matrix_main

        .section .bss
        .globl  own_root
        .balign 4096
own_root: .skip 4096
pointers: .skip 4096
directories: .skip 4 * 4096
        .skip   16384
main_stack_top:
        .section .note.GNU-stack, "", @progbits
