/* SPDX-License-Identifier: MIT
 * The 512-byte image that FXSAVE and XSAVE share: x87 registers, MXCSR, XMM registers.
 * SDM 1, "FXSAVE Area" and "Legacy Region of an XSAVE Area".
 */
#ifndef RINGSIDE_CPU_ISA_FPU_IMAGE_H
#define RINGSIDE_CPU_ISA_FPU_IMAGE_H

#include "cpu/isa/body.h"

#define IMAGE_SIZE 512u
#define IMAGE_X87_HEAD 24u /* FCW FSW FTW FOP FIP FDP */
#define IMAGE_MXCSR 24u    /* and MXCSR_MASK */
#define IMAGE_ST 32u
#define IMAGE_XMM 160u

/* XMM registers that the current mode saves and restores. */
ALWAYS_INLINE unsigned image_xmm_count(const struct cpu *cpu) { return cpu_64bit(cpu) ? 16 : 8; }

/* Store one component at seg:offset of the instruction's area, which the caller has probed for writing.
 * wide: 64-bit FIP and FDP (REX.W) */
void image_save_x87(struct cpu *cpu, enum seg seg, u64 offset, bool wide);
void image_save_mxcsr(struct cpu *cpu, enum seg seg, u64 offset);
void image_save_xmm(struct cpu *cpu, enum seg seg, u64 offset);

/* Load one component from a copy of the area. image_check_mxcsr() raises #GP(0) on reserved bits: it comes first. */
void image_check_mxcsr(struct cpu *cpu, const u8 *image);
void image_load_mxcsr(struct cpu *cpu, const u8 *image);
void image_load_x87(struct cpu *cpu, const u8 *image, bool wide);
void image_load_xmm(struct cpu *cpu, const u8 *image);

#endif
