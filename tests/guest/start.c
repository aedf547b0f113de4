/* SPDX-License-Identifier: MIT
 * From the initial stack to the program, and its exit. System V ABI, "Process Initialization".
 */
#include "guest.h"

void start_c(word *stack)
{
    struct start start = {.argc = stack[0], .argv = (char **)(stack + 1)};
    const word *p = stack + 1 + start.argc + 1;

    while (*p != 0)
        p++;
    start.auxv = p + 1;
    for (;;)
        system_call3(SYS_EXIT_GROUP, (word)program(&start), 0, 0);
}
