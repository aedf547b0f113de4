/* SPDX-License-Identifier: MIT
 * Text that comes from a guest or a file, made fit for a terminal. ECMA-48, "Control functions".
 */
#ifndef RINGSIDE_BASE_TEXT_H
#define RINGSIDE_BASE_TEXT_H

#include <stdio.h>

#include "base/types.h"

/* Put '?' for each byte of a control character: C0, DEL, and C1 as UTF-8 writes it (C2 80 to C2 9F). A terminal obeys
 * these; other bytes stay. */
void text_make_plain(char *text);
/* Print it so. */
void text_print_plain(FILE *out, const char *text);

#endif
