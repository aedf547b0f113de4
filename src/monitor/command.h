/* SPDX-License-Identifier: MIT
 * The monitor's commands, to each other. Used within this module only.
 */
#ifndef RINGSIDE_MONITOR_COMMAND_H
#define RINGSIDE_MONITOR_COMMAND_H

#include <stdio.h>

#include "monitor/monitor.h"

#define LINE_MAX_BYTES 256u

struct monitor {
    struct machine *machine;
    struct monitor_host host;
    bool echo;
    enum { TYPED_PLAIN, TYPED_ESCAPE, TYPED_SEQUENCE } typed; /* within a cursor key's sequence */
    char line[LINE_MAX_BYTES];
    size_t length;
    bool too_long;
    bool quit;     /* no more commands are asked for */
    char last_end; /* a line feed behind a carriage return ends no second line */
    FILE *out;     /* of the command that is executed */
};

/* A command, or what follows `info`. */
struct command {
    const char *name;
    const char *arguments; /* for the help; "" none */
    const char *help;
    /* arguments: behind the name and its blanks. Prints to m->out. */
    void (*execute)(struct monitor *m, const char *arguments);
};

/* Print "error: TEXT". */
void command_error(struct monitor *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The next word of *text into word, and *text moves behind it and its blanks.
 * returns: false when there is none, or it is longer than size - 1 */
bool command_word(const char **text, char *word, size_t size);
/* An address: numbers (0x for hexadecimal) and registers ($rip, $rsp, $pc for the linear address of the next
 * instruction) with + and - between, up to the end of the text.
 * returns: false after an error was printed */
bool command_address(struct monitor *m, const char *text, u64 *address);

/* An address that the paging in force can translate: canonical, or of 32 bits. */
bool paging_has_address(const struct cpu *cpu, laddr_t laddr);
/* Hexadecimal digits of such an address: 8 or 16. */
int paging_address_digits(const struct cpu *cpu);

/* ---- the commands, by theme */

/* show_processor.c */
void info_registers(struct monitor *m, const char *arguments);
/* show_paging.c */
void info_mem(struct monitor *m, const char *arguments);
void info_tlb(struct monitor *m, const char *arguments);
void command_gva2gpa(struct monitor *m, const char *arguments);
/* show_devices.c */
void info_pic(struct monitor *m, const char *arguments);
void info_lapic(struct monitor *m, const char *arguments);
void info_irq(struct monitor *m, const char *arguments);
void info_mtree(struct monitor *m, const char *arguments);
/* dump.c: arguments begin with the format when there is one */
void command_x(struct monitor *m, const char *arguments);
void command_xp(struct monitor *m, const char *arguments);
/* steer.c */
void command_quit(struct monitor *m, const char *arguments);
void command_system_reset(struct monitor *m, const char *arguments);
void command_system_powerdown(struct monitor *m, const char *arguments);
void command_nmi(struct monitor *m, const char *arguments);
void command_sendkey(struct monitor *m, const char *arguments);
void command_trace(struct monitor *m, const char *arguments);
void command_screendump(struct monitor *m, const char *arguments);

/* keys.c: the usage (display/keys.h) of a key, by the name that QEMU's sendkey has for it; 0: there is no such key. */
unsigned key_usage(const char *name, size_t length);

#endif
