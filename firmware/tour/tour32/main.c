/* SPDX-License-Identifier: MIT
 * The 32-bit tour.
 */
#include "stops.h"

void tour_main(void);

void tour_main(void)
{
    static const struct stop *const tables[] = {stops_mode, stops_interrupt, stops_fault, stops_irq,  stops_gate,
                                                stops_fast, stops_vm86,      stops_task,  stops_debug};
    const unsigned sizes[] = {stops_mode_count, stops_interrupt_count, stops_fault_count,
                              stops_irq_count,  stops_gate_count,      stops_fast_count,
                              stops_vm86_count, stops_task_count,      stops_debug_count};

    console_open();
    processor_identify();
    tables_open();
    interrupts_open();
    tour_run("32-bit", tables, sizes, ARRAY_LEN(tables));
}
