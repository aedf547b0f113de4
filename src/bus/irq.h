/* SPDX-License-Identifier: MIT
 * An interrupt line: a wire with a level and one listener.
 */
#ifndef RINGSIDE_BUS_IRQ_H
#define RINGSIDE_BUS_IRQ_H

#include "base/types.h"

struct irq_line {
    void (*changed)(void *context, unsigned number, bool level);
    void *context;
    unsigned number;
    bool level;
};

/* Drive the line; the listener hears of changes only. A line with no listener keeps its level. */
static inline void irq_set(struct irq_line *line, bool level)
{
    if (line->level == level)
        return;
    line->level = level;
    if (line->changed)
        line->changed(line->context, line->number, level);
}

#endif
