/* SPDX-License-Identifier: MIT
 * Multiboot 1 header, and the way from 32-bit protected mode into long mode.
 * Multiboot Specification 0.6.96, "OS image format"; SDM 3A, "Initializing IA-32e Mode".
 */
        .section .multiboot, "a"
        .balign 4
        .long   0x1BADB002, 0, -0x1BADB002

        .section .text
        .code32
        .globl  _start
_start: cli
        cld
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        movl    $main_stack_top, %esp

        movl    $page_directories, %edi /* 4 GiB in pages of 2 MiB: present, writable, supervisor */
        movl    $0x83, %eax
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b
        orl     $4, page_directories + 2 * 8    /* 400000h: the user's */
        orl     $4, page_directories + 2039 * 8 /* FEE00000h: so that ring 3 can tell the local APIC to send an NMI */
        movl    $page_directories + 7, %eax
        movl    $page_pointers, %edi
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        movl    $page_pointers + 7, page_root

        movl    $0x80000001, %eax       /* long mode at all? */
        cpuid
        testl   $1 << 29, %edx
        jz      no_long_mode
        movl    %cr0, %eax
        movl    %eax, boot_cr0
        movl    %cr4, %eax
        orl     $0x20, %eax             /* PAE */
        movl    %eax, %cr4
        movl    $page_root, %eax
        movl    %eax, %cr3
        movl    $0xC0000080, %ecx
        rdmsr
        orl     $0x100, %eax            /* LME */
        wrmsr
        rdmsr
        movl    %eax, boot_efer
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0              /* PG: the processor sets LMA; this is compatibility mode now */
        rdmsr
        movl    %eax, boot_efer + 4
        movl    %cr0, %eax
        movl    %eax, boot_cr0 + 4
        lgdt    boot_gdtr
        ljmp    $8, $start64

no_long_mode:
        movl    $message, %esi
        movl    $0x3F8, %edx
1:      lodsb
        testb   %al, %al
        jz      2f
        outb    %al, %dx
        jmp     1b
2:      hlt
        jmp     2b
message: .asciz "tour: this processor has no long mode; the 32-bit tour is tour:32\r\n"

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
        call    tour_main

        .section .bss
        .globl  boot_cr0, boot_efer, page_root, page_directories
boot_cr0:  .skip 8                      /* before and after setting PG */
boot_efer: .skip 8
        .balign 4096
page_root: .skip 4096
page_pointers: .skip 4096
page_directories: .skip 4 * 4096
        .skip   16384
main_stack_top:
        .section .note.GNU-stack, "", @progbits
