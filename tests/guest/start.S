/* SPDX-License-Identifier: MIT
 * Entry of a guest program without a C library, and the loops whose kernel entries the tests count.
 *
 * System V ABI, "Process Initialization": the stack pointer addresses argc, argv, the environment and the auxiliary
 * vector. Each loop stands between two labels, makes one call of getpid a turn, and holds MARKER in (E/R)DI, which the
 * kernel leaves alone, so that a recorded entry can be known by its address, its number and its marker.
 *
 *     unsigned long loop_MECHANISM(unsigned long count, long expected, entry)
 *     returns: how many of the calls did not return `expected`
 */
#include "marker.h"

    .section .note.GNU-stack, "", @progbits
    .text
    .globl _start

#ifdef __x86_64__
#define GETPID 39
#define GETPID_COMPAT 20

_start:
    xor %ebp, %ebp
    mov %rsp, %rdi
    and $-16, %rsp
    call start_c
    ud2

    .globl loop_syscall, loop_syscall_end
loop_syscall:
    push %rbx
    push %rbp
    push %r12
    mov %rdi, %rbx
    mov %rsi, %rbp
    xor %r12d, %r12d
    mov $MARKER, %edi
1:  mov $GETPID, %eax
    syscall
    cmp %rbp, %rax
    je 2f
    inc %r12
2:  dec %rbx
    jnz 1b
    mov %r12, %rax
    pop %r12
    pop %rbp
    pop %rbx
    ret
loop_syscall_end:

    /* A 64-bit process may use the 32-bit gate: the 32-bit table of numbers then holds. */
    .globl loop_int80, loop_int80_end
loop_int80:
    push %rbx
    push %rbp
    push %r12
    mov %rdi, %rbx
    mov %rsi, %rbp
    xor %r12d, %r12d
    mov $MARKER, %edi
1:  mov $GETPID_COMPAT, %eax
    int $0x80
    cmp %rbp, %rax
    je 2f
    inc %r12
2:  dec %rbx
    jnz 1b
    mov %r12, %rax
    pop %r12
    pop %rbp
    pop %rbx
    ret
loop_int80_end:

#else
#define GETPID 20

_start:
    xor %ebp, %ebp
    mov %esp, %eax
    and $-16, %esp
    sub $12, %esp
    push %eax
    call start_c
    ud2

    .globl loop_int80, loop_int80_end
loop_int80:
    push %ebp
    push %ebx
    push %esi
    push %edi
    mov 20(%esp), %ebx
    mov 24(%esp), %ebp
    xor %esi, %esi
    mov $MARKER, %edi
1:  mov $GETPID, %eax
    int $0x80
    cmp %ebp, %eax
    je 2f
    inc %esi
2:  dec %ebx
    jnz 1b
    mov %esi, %eax
    pop %edi
    pop %esi
    pop %ebx
    pop %ebp
    ret
loop_int80_end:

    /* Through __kernel_vsyscall, whose address the kernel gives (AT_SYSINFO): it uses what the processor has. */
    .globl loop_vdso, loop_vdso_end
loop_vdso:
    push %ebp
    push %ebx
    push %esi
    push %edi
    mov 20(%esp), %ebx
    mov 24(%esp), %ebp
    xor %esi, %esi
    mov $MARKER, %edi
1:  mov $GETPID, %eax
    call *28(%esp)
    cmp %ebp, %eax
    je 2f
    inc %esi
2:  dec %ebx
    jnz 1b
    mov %esi, %eax
    pop %edi
    pop %esi
    pop %ebx
    pop %ebp
    ret
loop_vdso_end:
#endif
