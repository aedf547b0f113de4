/* SPDX-License-Identifier: MIT
 * A call by numbers alone, where no printer is linked that knows more.
 */
#include "linux/linux.h"

__attribute__((weak)) void linux_print_call(FILE *out, const struct linux_call *call, const struct linux_style *style)
{
    (void)style;
    fprintf(out, "syscall_%llu(0x%llx, 0x%llx, 0x%llx)", (unsigned long long)call->number,
            (unsigned long long)call->arg[0], (unsigned long long)call->arg[1], (unsigned long long)call->arg[2]);
}

__attribute__((weak)) void linux_print_result(FILE *out, const struct linux_call *call, const struct linux_style *style)
{
    (void)style;
    fprintf(out, "%lld", (long long)call->result);
}

__attribute__((weak)) void linux_visit_memory(const struct linux_call *call, const struct linux_style *style)
{
    (void)call, (void)style;
}
