/* SPDX-License-Identifier: MIT
 * The guest of docs/reading-guide.md: a kernel of one page. It goes to ring 3, which asks for service 20 by int 0x80, takes
 * the answer, and asks for service 1, which turns the machine off.
 *
 *   cc -m32 -c int80.S -o int80.o
 *   ld -m elf_i386 -N --no-warn-rwx-segments -Ttext 0x100000 -o int80.elf int80.o
 *   ringside run int80.elf --trace
 */
        .set    KERNEL_CODE, 0x08
        .set    KERNEL_DATA, 0x10
        .set    USER_CODE, 0x18 + 3
        .set    USER_DATA, 0x20 + 3
        .set    TSS, 0x28
        .set    PM1_CONTROL, 0x604
        .set    SOFT_OFF, 1 << 13 | 5 << 10     /* SLP_EN, SLP_TYP of S5 */

        .text
        .globl  _start
        .balign 4
multiboot:
        .long   0x1BADB002, 0, -0x1BADB002

_start:
        lgdt    gdt_pointer
        ljmp    $KERNEL_CODE, $1f
1:      movl    $KERNEL_DATA, %eax
        movl    %eax, %ss
        movl    $kernel_stack, %esp

        /* The base of the TSS and the offset of the gate are addresses: put in by hand, in the pieces the format wants. */
        movl    $tss, %eax
        movw    %ax, gdt + TSS + 2
        shrl    $16, %eax
        movb    %al, gdt + TSS + 4
        movl    $handler, %eax
        movw    %ax, idt + 0x80 * 8
        shrl    $16, %eax
        movw    %ax, idt + 0x80 * 8 + 6
        lidt    idt_pointer
        movl    $TSS, %eax
        ltr     %ax

        pushl   $USER_DATA
        pushl   $user_stack
        pushl   $0x202                          /* IF */
        pushl   $USER_CODE
        pushl   $user
        iretl

user:
        movl    $20, %eax
        int     $0x80
        movl    $1, %eax
        int     $0x80

handler:
        cmpl    $1, %eax
        je      off
        movl    $42, %eax
        iretl
off:
        movw    $PM1_CONTROL, %dx
        movw    $SOFT_OFF, %ax
        outw    %ax, %dx
1:      hlt
        jmp     1b

        .balign 8
gdt:    .quad   0
        .quad   0x00CF9A000000FFFF              /* 08h: ring 0 code */
        .quad   0x00CF92000000FFFF              /* 10h: ring 0 data */
        .quad   0x00CFFA000000FFFF              /* 18h: ring 3 code */
        .quad   0x00CFF2000000FFFF              /* 20h: ring 3 data */
        .quad   0x0000890000000067              /* 28h: 32-bit TSS */
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .balign 8
tss:    .long   0, kernel_stack, KERNEL_DATA    /* back link, ESP0, SS0 */
        .fill   0x68 - 12, 1, 0

        .balign 8
idt:    .fill   0x80, 8, 0
        .word   0, KERNEL_CODE, 0xEE00, 0       /* 80h: 32-bit interrupt gate, DPL 3, present */
idt_pointer:
        .word   idt_pointer - idt - 1
        .long   idt

        .balign 16
        .fill   256, 1, 0
kernel_stack:
        .fill   256, 1, 0
user_stack:
