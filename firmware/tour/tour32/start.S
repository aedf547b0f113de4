/* SPDX-License-Identifier: MIT
 * Multiboot 1 header and entry of the 32-bit tour.
 * Multiboot Specification 0.6.96, "OS image format".
 */
        .section .multiboot, "a"
        .balign 4
        .long   0x1BADB002, 0, -0x1BADB002

        .section .text
        .globl  _start
_start: cli
        cld
        movl    $main_stack_top, %esp
        movl    $bss_start, %edi        /* a loader clears it; be independent of that */
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb                       /* the stack is inside, and still empty */
        call    tour_main

        .section .bss
        .balign 16
        .skip   16384
        .globl  main_stack_top
main_stack_top:
        .section .note.GNU-stack, "", @progbits
