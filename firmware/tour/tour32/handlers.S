/* SPDX-License-Identifier: MIT
 * Code behind the gates that do not lead to the common entry: inner rings, conforming code, 16-bit gates.
 * Each writes what it sees to `seen` and goes back.
 */
#include "selectors.h"

        .section .text
/* Behind the call gates with two parameters. seen: CS, SS, ESP, six words of the stack, ES before and a count. */
        .globl  gate_target
gate_target:
        movl    %cs, %eax
        movl    %eax, seen
        movl    %ss, %eax
        movl    %eax, seen + 4
        movl    %esp, seen + 8
        movl    0(%esp), %eax
        movl    %eax, seen + 12         /* EIP */
        movl    4(%esp), %eax
        movl    %eax, seen + 16         /* CS */
        movl    8(%esp), %eax
        movl    %eax, seen + 20         /* the parameter pushed last */
        movl    12(%esp), %eax
        movl    %eax, seen + 24
        movl    16(%esp), %eax
        movl    %eax, seen + 28         /* ESP of the caller, if the ring changed */
        movl    20(%esp), %eax
        movl    %eax, seen + 32         /* SS of the caller, if the ring changed */
        movl    %ss, %eax
        movl    %eax, %es               /* a segment that the caller may not use: RETF must take it away */
        incl    seen + 36
        lret    $8

/* INT_RING1: an interrupt handler in ring 1. seen: CS, SS, ESP, five words of the frame. */
        .globl  ring1_handler
ring1_handler:
        movl    %cs, %eax
        movl    %eax, seen
        movl    %ss, %eax
        movl    %eax, seen + 4
        movl    %esp, seen + 8
        movl    0(%esp), %eax
        movl    %eax, seen + 12
        movl    4(%esp), %eax
        movl    %eax, seen + 16
        movl    8(%esp), %eax
        movl    %eax, seen + 20
        movl    12(%esp), %eax
        movl    %eax, seen + 24
        movl    16(%esp), %eax
        movl    %eax, seen + 28
        iret

/* INT_CONFORMING: the handler runs in the ring of the interrupted code, on its stack. */
        .globl  conforming_handler
conforming_handler:
        movl    %cs, %eax
        movl    %eax, seen
        movl    %ss, %eax
        movl    %eax, seen + 4
        movl    %esp, seen + 8
        movl    0(%esp), %eax
        movl    %eax, seen + 12
        movl    4(%esp), %eax
        movl    %eax, seen + 16
        iret

/* Far JMP and far CALL to conforming code lead here. */
        .globl  conforming_target
conforming_target:
        movl    %cs, %eax
        movl    %eax, seen
        movl    %ss, %eax
        movl    %eax, seen + 4
        lret

/* The 16-bit code segments (ring 0 and ring 3) start here: a 16-bit gate holds 16 bits of offset. */
        .balign 16
        .globl  code16_base, gate16_entry, int16_entry, user16, user16_after_call, user16_after_int
code16_base:
        .code16
/* Ring 3: call through a 16-bit gate with one parameter, then a 16-bit interrupt gate. DS is flat. */
user16: pushw   $0x1234
        lcallw  $GATE16, $0
user16_after_call:
        movl    %esp, %eax
        addr32 movl %eax, seen + 60
        int     $INT_16BIT
user16_after_int:
        movl    %esp, %eax
        addr32 movl %eax, seen + 64
        int     $INT_EXIT

/* Ring 0: five words on the stack: IP, CS, parameter, SP, SS. */
gate16_entry:
        movl    %cs, %eax
        addr32 movl %eax, seen
        movl    %ss, %eax
        addr32 movl %eax, seen + 4
        movl    %esp, %eax
        addr32 movl %eax, seen + 8
        addr32 movzwl 0(%esp), %eax
        addr32 movl %eax, seen + 12
        addr32 movzwl 2(%esp), %eax
        addr32 movl %eax, seen + 16
        addr32 movzwl 4(%esp), %eax
        addr32 movl %eax, seen + 20
        addr32 movzwl 6(%esp), %eax
        addr32 movl %eax, seen + 24
        addr32 movzwl 8(%esp), %eax
        addr32 movl %eax, seen + 28
        lretw   $2

/* Ring 0: five words on the stack: IP, CS, FLAGS, SP, SS. */
int16_entry:
        movl    %esp, %eax
        addr32 movl %eax, seen + 32
        addr32 movzwl 0(%esp), %eax
        addr32 movl %eax, seen + 36
        addr32 movzwl 2(%esp), %eax
        addr32 movl %eax, seen + 40
        addr32 movzwl 4(%esp), %eax
        addr32 movl %eax, seen + 44
        addr32 movzwl 6(%esp), %eax
        addr32 movl %eax, seen + 48
        addr32 movzwl 8(%esp), %eax
        addr32 movl %eax, seen + 52
        iretw
        .code32
        .section .note.GNU-stack, "", @progbits
