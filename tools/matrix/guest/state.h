/* SPDX-License-Identifier: MIT
 * Offsets in struct matrix_state, for assembly; main.c checks them.
 */
#define S_GPR(n) (8 * (n))
#define S_RIP 128
#define S_RFLAGS 136
#define S_CR0 144
#define S_CR2 152
#define S_CR3 160
#define S_CR4 168
#define S_FS_BASE 240
#define S_GS_BASE 248
#define S_KERNEL_GS_BASE 256
#define S_DR6 280
#define S_DR7 288
#define S_GDT_BASE 296
#define S_IDT_BASE 304
#define S_GDT_LIMIT 312
#define S_IDT_LIMIT 314
#define S_ES 316
#define S_CS 318
#define S_SS 320
#define S_DS 322
#define S_FS 324
#define S_GS 326
#define S_LDTR 328
#define S_TR 330
#define S_SIZE 336
