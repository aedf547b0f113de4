/* SPDX-License-Identifier: MIT */
        .section .rodata
        .balign 16
        .globl  matrix_cases
matrix_cases: .incbin MATRIX_CASES
        .section .note.GNU-stack, "", @progbits
