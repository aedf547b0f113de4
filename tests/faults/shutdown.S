/* SPDX-License-Identifier: MIT
 * Guests that end in a triple fault, each in another way, and one whose double fault has a handler; tests/faults/run says
 * what the page about each must say.
 * One is built per case: -DCASE_name, with -DLONG_MODE for those in 64-bit code.
 *
 * 0..3FFFFF and 600000..BFFFFF are mapped as they are, 400000..5FFFFF are not (32-bit: 400000..7FFFFF are not).
 */
        .set    KERNEL_CODE, 0x08
        .set    KERNEL_DATA, 0x10
        .set    USER_CODE, 0x18 + 3
        .set    USER_DATA, 0x20 + 3
        .set    TSS, 0x28
        .set    ABSENT_CODE, 0x38
        .set    UNMAPPED, 0x500000

        .text
        .globl  _start
        .balign 4
        .long   0x1BADB002, 0, -0x1BADB002

        .code32
_start:
        lgdt    gdt_pointer
        movl    $tss, %eax
        movw    %ax, gdt + TSS + 2
        shrl    $16, %eax
        movb    %al, gdt + TSS + 4
#ifdef LONG_MODE
        movl    $directory + 7, pointers
        movl    $pointers + 7, root
        movl    $0x000087, directory            /* pages of 2 MiB */
        movl    $0x200087, directory + 8
        movl    $0x600087, directory + 24
        movl    $0x800087, directory + 32
        movl    $0xA00087, directory + 40
        movl    %cr4, %eax
        orl     $0x20, %eax                     /* PAE */
        movl    %eax, %cr4
        movl    $root, %eax
        movl    %eax, %cr3
        movl    $0xC0000080, %ecx
        rdmsr
        orl     $0x100, %eax                    /* LME */
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        ljmp    $KERNEL_CODE, $1f
        .code64
1:
#else
        movl    $0x000087, root                 /* pages of 4 MiB */
        movl    $0x800087, root + 8
        movl    %cr4, %eax
        orl     $0x10, %eax                     /* PSE */
        movl    %eax, %cr4
        movl    $root, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        ljmp    $KERNEL_CODE, $1f
1:
#endif
        movl    $KERNEL_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $kernel_stack, %esp
        movl    $TSS, %eax
        ltr     %ax
        movl    $idt_pointer, %eax
#ifdef LONG_MODE
        lidt    (%rax)
#else
        lidt    (%eax)
#endif
        jmp     provoke

/* The gates of every exception are alike: type, IST and the address's high half are the case's. */
#ifdef LONG_MODE
#define GATE(selector, type, ist, high) GATES_OF(32, selector, type, ist, high)
#define GATES_OF(n, selector, type, ist, high) .rept n; .word 0, selector, type << 8 | ist, high; .long 0, 0; .endr
#define TO_USER mov $user_stack, %eax; mov $user, %ebx; push $USER_DATA; push %rax; push $2; push $USER_CODE; \
                push %rbx; iretq
#define STACK_ABOVE_HOLE 0x600000
#else
#define GATE(selector, type, ist, high) .rept 32; .word 0, selector, type << 8, high; .endr
#define TO_USER push $USER_DATA; push $user_stack; push $2; push $USER_CODE; push $user; iretl
#define STACK_ABOVE_HOLE 0x800000
#endif
        .set    INTERRUPT, 0x8E
        .set    IDT_LIMIT, 32 * 16 - 1
        .set    STACK0, kernel_stack
        .set    SS0, KERNEL_DATA
        .set    STACK0_HIGH, 0
        .set    IST1, kernel_stack

#if defined CASE_no_idt
        .set    IDT_LIMIT, 0
#define GATES GATE(KERNEL_CODE, INTERRUPT, 0, 0x10)
provoke: ud2
#elif defined CASE_bad_gate
#define GATES GATE(KERNEL_CODE, 0x89, 0, 0x10)          /* a TSS's type */
provoke: ud2
#elif defined CASE_absent_gate
#define GATES GATE(KERNEL_CODE, 0x0E, 0, 0x10)
provoke: ud2
#elif defined CASE_absent_segment
#define GATES GATE(ABSENT_CODE, INTERRUPT, 0, 0x10)
provoke: ud2
#elif defined CASE_bad_tss_stack                        /* 64-bit: not canonical; 32-bit: a null SS */
        .set    SS0, 0
        .set    STACK0_HIGH, 0x80000000
        .set    STACK0, 0
#define GATES GATE(KERNEL_CODE, INTERRUPT, 0, 0x10)
provoke: TO_USER
#elif defined CASE_unmapped_tss_stack
        .set    STACK0, UNMAPPED
#define GATES GATE(KERNEL_CODE, INTERRUPT, 0, 0x10)
provoke: TO_USER
#elif defined CASE_unmapped_ist
        .set    IST1, UNMAPPED
#define GATES GATE(KERNEL_CODE, INTERRUPT, 1, 0x10)
provoke: ud2
#elif defined CASE_absent_handler                       /* each fetch of the handler faults, until the stack is full */
#define GATES GATE(KERNEL_CODE, INTERRUPT, 0, UNMAPPED >> 16)
provoke: mov    $(STACK_ABOVE_HOLE + 0x100), %esp
        ud2
#elif defined CASE_stack_overflow
#define GATES GATE(KERNEL_CODE, INTERRUPT, 0, 0x10)
provoke: mov    $(STACK_ABOVE_HOLE + 0x40), %esp
1:      push    $0
        jmp     1b
#elif defined CASE_double_fault                         /* only its own gate has a stack: a handler sees it */
        .set    IST1, UNMAPPED
#define GATES GATES_OF(8, KERNEL_CODE, INTERRUPT, 1, 0x10); GATES_OF(1, KERNEL_CODE, INTERRUPT, 0, 0x10); \
              GATES_OF(23, KERNEL_CODE, INTERRUPT, 1, 0x10)
provoke: mov    $handler, %eax
        mov     $(idt + 8 * 16), %ebx
        movw    %ax, (%rbx)
        ud2
handler: movw   $0x604, %dx                             /* power off */
        movw    $(1 << 13 | 5 << 10), %ax
        outw    %ax, %dx
1:      hlt
        jmp     1b
#else
#error no such case
#endif

user:   hlt

        .balign 8
gdt:    .quad   0
#ifdef LONG_MODE
        .quad   0x00AF9A000000FFFF              /* 08h: ring 0 code */
        .quad   0x00CF92000000FFFF              /* 10h: ring 0 data */
        .quad   0x00AFFA000000FFFF              /* 18h: ring 3 code */
        .quad   0x00CFF2000000FFFF              /* 20h: ring 3 data */
        .quad   0x0000890000000067, 0           /* 28h: TSS */
        .quad   0x00AF1A000000FFFF              /* 38h: code that is not present */
#else
        .quad   0x00CF9A000000FFFF
        .quad   0x00CF92000000FFFF
        .quad   0x00CFFA000000FFFF
        .quad   0x00CFF2000000FFFF
        .quad   0x0000890000000067, 0
        .quad   0x00CF1A000000FFFF
#endif
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .balign 8
#ifdef LONG_MODE
tss:    .long   0
        .long   STACK0, STACK0_HIGH
        .fill   0x24 - 12, 1, 0
        .long   IST1, 0
        .fill   0x68 - 0x2C, 1, 0
#else
tss:    .long   0, STACK0, SS0
        .fill   0x68 - 12, 1, 0
#endif

        .balign 16
idt:    GATES
idt_pointer:
        .word   IDT_LIMIT
        .long   idt, 0

        .bss
        .balign 4096
root:   .skip   4096
pointers: .skip 4096
directory: .skip 4096
        .skip   4096
kernel_stack:
        .skip   4096
user_stack:
        .section .note.GNU-stack, "", @progbits
