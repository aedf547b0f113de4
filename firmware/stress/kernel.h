/* SPDX-License-Identifier: MIT
 * What the stress guest's frame and its kernel share.
 */
#ifndef STRESS_KERNEL_H
#define STRESS_KERNEL_H

#include "stress.h"

void kernel_open(void);
/* Both address spaces as they were at the start, the arena zero. */
void spaces_reset(void);
void stress_fatal(word vector, word error, word ip) __attribute__((noreturn));

#endif
