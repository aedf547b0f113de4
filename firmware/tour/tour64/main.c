/* SPDX-License-Identifier: MIT
 * The 64-bit tour.
 */
#include "stops.h"

void tour_main(void);

void tour_main(void)
{
    static const struct stop *const tables[] = {stops_mode, stops_interrupt, stops_fault,   stops_page,
                                                stops_irq,  stops_gate,      stops_syscall, stops_debug};
    const unsigned sizes[] = {stops_mode_count, stops_interrupt_count, stops_fault_count,   stops_page_count,
                              stops_irq_count,  stops_gate_count,      stops_syscall_count, stops_debug_count};

    console_open();
    processor_identify();
    tables_open();
    interrupts_open();
    tour_run("64-bit", tables, sizes, ARRAY_LEN(tables));
}
