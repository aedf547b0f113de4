/* SPDX-License-Identifier: MIT
 * The board: memory, ports, devices and the wires between them.
 */
#ifndef RINGSIDE_MACHINE_BOARD_H
#define RINGSIDE_MACHINE_BOARD_H

#include "machine/machine.h"

struct board;

/* What a board asks of the machine around it. */
struct board_callbacks {
    void *context;
    void (*power_off)(void *context);
    void (*reset)(void *context);
    void (*debug_exit)(void *context, u32 code);
    void (*output)(void *context, unsigned port, const u8 *bytes, size_t size);
    net_send *network_send;
};

/* Make memory and devices, load the image and its boot ROM. returns: NULL with err set. */
struct board *board_new(const struct machine_options *options, struct clock *clock, struct input_port *input,
                        const struct board_callbacks *callbacks, struct error *err);
void board_free(struct board *board);
struct cpu *board_make_cpu(struct board *board, const struct cpu_model *model);
/* Wire a processor to the interrupt controllers and to this board's memory and ports. */
void board_connect_cpu(struct board *board, struct cpu *cpu);

/* returns: NULL when the board has no display adapter */
const struct vga *board_vga(const struct board *board);
struct machine_devices board_devices(const struct board *board);

#endif
