/* SPDX-License-Identifier: MIT
 * hello32: the smallest program, and the width it runs with.
 */
#include "guest.h"

int program(const struct start *start)
{
    struct text t = {.size = 0};

    text_add(&t, "hello from ");
    text_add_decimal(&t, 8 * sizeof(word));
    text_add(&t, "-bit code, ");
    text_add_decimal(&t, start->argc);
    text_add(&t, " arguments\n");
    text_print(&t);
    return 7;
}
