/* SPDX-License-Identifier: MIT
 * Multiboot 1 header, and the way from 32-bit protected mode into long mode.
 */
#include "layout.h"
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
        movl    %ebp, boot_info
        movl    $identity, %edi         /* 4 GiB in pages of 2 MiB: present, writable, user */
        movl    $0x87, %eax
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b
        movl    $identity + 7, %eax
        movl    $pointers_a, %edi
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        movl    $pointers_a + 7, root_a
        movl    %cr4, %eax
        orl     $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
        movl    %eax, %cr4
        movl    $root_a, %eax
        movl    %eax, %cr3
        movl    $0xC0000080, %ecx
        rdmsr
        orl     $0x100, %eax            /* LME */
        wrmsr
        movl    %cr0, %eax
        andl    $0x9FFFFFFB, %eax       /* caches on, no FPU emulation */
        orl     $0x80010022, %eax       /* PG, WP, NE, MP */
        movl    %eax, %cr0
        lgdt    boot_gdtr
        ljmp    $8, $start64

        .balign 8
boot_gdt: .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
boot_gdtr:
        .word   . - boot_gdt - 1
        .long   boot_gdt

        .code64
start64:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $main_stack_top, %esp
        call    stress_main

        .section .bss
        .globl  root_a, root_b, pointers_a, pointers_b, identity, boot_info
boot_info: .skip 4
        .balign 4096
root_a: .skip   4096
root_b: .skip   4096
pointers_a: .skip 4096
pointers_b: .skip 4096
identity: .skip 4 * 4096
        .skip   16384
main_stack_top:
        .section .note.GNU-stack, "", @progbits
