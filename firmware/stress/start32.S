/* SPDX-License-Identifier: MIT
 * Multiboot 1 header, and PAE paging.
 */
#include "layout.h"
        .section .multiboot, "a"
        .balign 4
        .long   0x1BADB002, 0, -0x1BADB002

        .section .text
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
        movl    $main_stack_top, %esp
        movl    $identity, %edi         /* 4 GiB in pages of 2 MiB: present, writable, user */
        movl    $0x87, %eax
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b
        movl    $identity + 1, %eax     /* page-directory-pointer entries of PAE have no W and U */
        movl    $pointers_a, %edi
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        movl    %cr4, %eax
        orl     $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
        movl    %eax, %cr4
        movl    $pointers_a, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        andl    $0x9FFFFFFB, %eax       /* caches on, no FPU emulation */
        orl     $0x80010022, %eax       /* PG, WP, NE, MP */
        movl    %eax, %cr0
        call    stress_main

        .section .bss
        .globl  pointers_a, pointers_b, identity, boot_info
boot_info: .skip 4
        .balign 4096
pointers_a: .skip 4096
pointers_b: .skip 4096
identity: .skip 4 * 4096
        .skip   16384
main_stack_top:
        .section .note.GNU-stack, "", @progbits
