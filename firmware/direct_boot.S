/* SPDX-License-Identifier: MIT
 * The direct-boot stub: from the reset vector to the entry point of a kernel that a loader put into memory.
 *
 * It is linked at F000:0000 and occupies the last part of the system ROM. The loader (src/machine/direct_boot.c) fills
 * the parameter block at its start: which mode to enter, where, and with which registers.
 *   mode 32: flat protected mode, paging off (Linux 32-bit boot protocol, Multiboot 1, i386 vmlinux)
 *   mode 64: long mode, first 4 GiB mapped one to one by tables that the loader made (Linux 64-bit boot protocol)
 * SDM 3A, "Mode Switching", "Initializing IA-32e Mode".
 */
        .code16
        .section .text
        .globl  _start
_start:
        .ascii  "RSBOOT1\0"             /* offset 00h: the loader checks this */
mode:           .long 0                 /* 08h: 32 or 64 */
kernel_eax:     .long 0                 /* 0Ch */
kernel_ebx:     .long 0                 /* 10h */
kernel_esi:     .long 0                 /* 14h */
page_root:      .long 0                 /* 18h: CR3 for mode 64 */
stack_top:      .long 0                 /* 1Ch */
kernel_entry:   .quad 0                 /* 20h */

        .balign 8
gdt:    .quad   0
        .quad   0x00AF9A000000FFFF      /* 08h: 64-bit code, for the way through */
        .quad   0x00CF9A000000FFFF      /* 10h: flat 32-bit code, Linux's __BOOT_CS */
        .quad   0x00CF92000000FFFF      /* 18h: flat data, Linux's __BOOT_DS */
        .quad   0x00AF9A000000FFFF      /* 20h: 64-bit code */
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   0xF0000 + (gdt - _start)

reset:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   gdt_pointer - _start
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $0x10, $(0xF0000 + (protected - _start))

        .code32
protected:
        movl    $0x18, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        movl    0xF0000 + (stack_top - _start), %esp
        movw    $0x4D1, %dx             /* the ACPI interrupt, IRQ 9, is level-triggered at the 8259s too */
        movb    $0x02, %al
        outb    %al, %dx
        call    prepare_processor
        cmpl    $64, 0xF0000 + (mode - _start)
        je      enter_long
        movl    0xF0000 + (kernel_eax - _start), %eax
        movl    0xF0000 + (kernel_ebx - _start), %ebx
        movl    0xF0000 + (kernel_esi - _start), %esi
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        jmp     *0xF0000 + (kernel_entry - _start)

/* What firmware leaves behind, where the processor has CPUID (EFLAGS.ID can be changed):
 *   MTRRs       memory is write-back: IA32_MTRR_DEF_TYPE. SDM 3A, "Memory Type Range Registers (MTRRs)"
 *   local APIC  virtual wire mode: the 8259s' INTR passes at LINT0, NMI at LINT1. MultiProcessor Specification 1.4,
 *               "Virtual Wire Mode" */
prepare_processor:
        pushfl
        popl    %eax
        movl    %eax, %ecx
        xorl    $0x200000, %eax
        pushl   %eax
        popfl
        pushfl
        popl    %eax
        cmpl    %ecx, %eax
        je      2f
        movl    $1, %eax
        cpuid
        testl   $0x200, %edx            /* APIC */
        jz      1f
        movl    $0x1FF, 0xFEE000F0      /* spurious vector FFh, software-enabled */
        movl    $0x700, 0xFEE00350      /* LINT0: ExtINT */
        movl    $0x400, 0xFEE00360      /* LINT1: NMI */
1:      testl   $0x1000, %edx           /* MTRR */
        jz      2f
        movl    $0x2FF, %ecx
        movl    $0x806, %eax            /* enabled, default type 6 */
        xorl    %edx, %edx
        wrmsr
2:      ret

enter_long:
        movl    %cr4, %eax
        orl     $0x20, %eax             /* PAE */
        movl    %eax, %cr4
        movl    0xF0000 + (page_root - _start), %eax
        movl    %eax, %cr3
        movl    $0xC0000080, %ecx       /* EFER.LME */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000000, %eax       /* PG: long mode becomes active */
        movl    %eax, %cr0
        ljmpl   $0x10 + 0x10, $(0xF0000 + (long_mode - _start))

        .code64
long_mode:
        movl    0xF0000 + (kernel_esi - _start), %esi
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        jmp     *0xF0000 + (kernel_entry - _start)

        .code16
        .org    0xFFF0
        ljmpw   $0xF000, $(reset - _start)
        .org    0xFFFF
        .byte   0xFC                    /* model byte of a PC/AT */
