/* SPDX-License-Identifier: MIT
 * Who called whom, from the kernel's stack.
 */
#include "guest/internal.h"

/* Of the callers nothing is known yet: RIP alone. */
size_t guest_backtrace(const struct guest *g, struct cpu *cpu, u64 *out, size_t max)
{
    (void)g;
    if (max)
        out[0] = cpu->arch.rip;
    return max ? 1 : 0;
}
