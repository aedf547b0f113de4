/* SPDX-License-Identifier: MIT
 * Entry of a program without a C library. System V ABI, "Process Initialization": the stack is aligned for calls.
 */
    .section .note.GNU-stack, "", @progbits
    .text
    .globl _start
_start:
#ifdef __x86_64__
    xor %ebp, %ebp
    and $-16, %rsp
    call start_c
    ud2
#else
    xor %ebp, %ebp
    and $-16, %esp
    call start_c
    ud2
#endif
