/* SPDX-License-Identifier: MIT
 * The monitor's line of input, and the table of its commands.
 */
#include "monitor/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CTRL_C = 0x03, BACKSPACE = 0x08, CTRL_U = 0x15, ESCAPE = 0x1B, DELETE = 0x7F };

static void command_help(struct monitor *m, const char *arguments);
static void command_info(struct monitor *m, const char *arguments);

static const struct command commands[] = {
    {"gva2gpa", "ADDR", "walk the page tables to a linear address", command_gva2gpa},
    {"help", "[COMMAND]", "the commands", command_help},
    {"info", "[WHAT]", "show a part of the machine", command_info},
    {"nmi", "", "press the NMI button", command_nmi},
    {"quit", "", "end the run, exit code 0", command_quit},
    {"screendump", "FILE", "write the screen as a PNG file", command_screendump},
    {"sendkey", "KEYS", "press keys, such as ctrl-alt-delete, and release them", command_sendkey},
    {"system_powerdown", "", "press the power button", command_system_powerdown},
    {"system_reset", "", "press the reset button", command_system_reset},
    {"trace", "on [FILTER]|off", "the live trace, as --trace shows it", command_trace},
    {"x", "/FMT ADDR", "memory at a linear address; FMT: count, x d u o c i, size b h w g", command_x},
    {"xp", "/FMT ADDR", "memory at a physical address", command_xp},
};

static const struct command infos[] = {
    {"irq", "", "the ISA interrupt lines", info_irq},
    {"lapic", "", "the local APIC, and the I/O APIC's redirections", info_lapic},
    {"mem", "[ADDR]", "what is mapped, from a linear address on", info_mem},
    {"mtree", "", "who answers at which physical address and I/O port", info_mtree},
    {"pic", "", "the pair of 8259s", info_pic},
    {"registers", "", "the processor's registers", info_registers},
    {"tlb", "", "the translations that the processor holds now", info_tlb},
};

/* ---- words */

void command_error(struct monitor *m, const char *fmt, ...)
{
    va_list arguments;

    fputs("error: ", m->out);
    va_start(arguments, fmt);
    vfprintf(m->out, fmt, arguments);
    va_end(arguments);
    fputc('\n', m->out);
}

bool command_word(const char **text, char *word, size_t size)
{
    size_t length;

    *text += strspn(*text, " \t");
    length = strcspn(*text, " \t");
    if (length == 0 || length >= size)
        return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length;
    *text += strspn(*text, " \t");
    return true;
}

static const struct command *find(const struct command *table, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}

/* ---- help, info */

static void print_table(FILE *out, const char *prefix, const struct command *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int used =
            fprintf(out, "%s%s%s%s", prefix, table[i].name, *table[i].arguments == '/' ? "" : " ", table[i].arguments);

        fprintf(out, "%*s  %s\n", used < 26 ? 26 - used : 0, "", table[i].help);
    }
}

static void command_help(struct monitor *m, const char *arguments)
{
    const struct command *command = find(commands, ARRAY_LEN(commands), arguments, strlen(arguments));

    if (strcmp(arguments, "info") == 0)
        print_table(m->out, "info ", infos, ARRAY_LEN(infos));
    else if (command != NULL)
        print_table(m->out, "", command, 1);
    else if (*arguments != '\0')
        command_error(m, "there is no command '%s'; 'help' lists them", arguments);
    else
        print_table(m->out, "", commands, ARRAY_LEN(commands));
}

static void command_info(struct monitor *m, const char *arguments)
{
    size_t length = strcspn(arguments, " \t");
    const struct command *command = find(infos, ARRAY_LEN(infos), arguments, length);

    if (length == 0) {
        print_table(m->out, "info ", infos, ARRAY_LEN(infos));
        return;
    }
    if (command == NULL) {
        command_error(m, "info knows no '%.*s'; 'help info' lists what it shows", (int)length, arguments);
        return;
    }
    arguments += length;
    command->execute(m, arguments + strspn(arguments, " \t"));
}

/* ---- execution */

static void dispatch(struct monitor *m, const char *line)
{
    size_t length;
    const struct command *command;

    line += strspn(line, " \t");
    length = strcspn(line, " \t/"); /* a format follows its command at once: x/4xw */
    if (*line == '\0')
        return;
    command = find(commands, ARRAY_LEN(commands), line, length);
    if (length == 1 && *line == 'q')
        command = find(commands, ARRAY_LEN(commands), "quit", 4);
    if (command == NULL) {
        command_error(m, "there is no command '%.*s'; 'help' lists them", (int)length, line);
        return;
    }
    line += length;
    line += strspn(line, " \t");
    command->execute(m, line);
}

void monitor_execute(struct monitor *m, const char *line)
{
    char copy[LINE_MAX_BYTES], *text = NULL;
    size_t size = 0, length = strlen(line);

    while (length != 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    m->out = open_memstream(&text, &size);
    if (m->out == NULL)
        abort();
    if (length >= sizeof copy) {
        command_error(m, "the line is too long: at most %u bytes", LINE_MAX_BYTES - 1);
    } else {
        memcpy(copy, line, length);
        copy[length] = '\0';
        dispatch(m, copy);
    }
    fclose(m->out);
    m->out = NULL;
    if (size != 0)
        m->host.write(m->host.context, text, size);
    free(text);
}

/* ---- what is typed */

static void say(const struct monitor *m, const char *text) { m->host.write(m->host.context, text, strlen(text)); }

void monitor_prompt(struct monitor *m) { say(m, MONITOR_PROMPT); }

static void end_line(struct monitor *m)
{
    m->line[m->length] = '\0';
    if (m->echo)
        say(m, "\n");
    if (m->too_long)
        say(m, "error: the line is too long\n");
    else
        monitor_execute(m, m->line);
    m->length = 0;
    m->too_long = false;
    if (!m->quit)
        monitor_prompt(m);
}

static void erase(struct monitor *m, size_t count)
{
    for (; count != 0 && m->length != 0; count--) {
        m->length--;
        if (m->echo)
            say(m, "\b \b");
    }
}

/* returns: the byte belongs to a cursor key's sequence, ECMA-48: ESC O x, ESC [ ... x */
static bool in_sequence(struct monitor *m, u8 byte)
{
    switch (m->typed) {
    case TYPED_PLAIN:
        if (byte != ESCAPE)
            return false;
        m->typed = TYPED_ESCAPE;
        return true;
    case TYPED_ESCAPE: m->typed = byte == '[' || byte == 'O' ? TYPED_SEQUENCE : TYPED_PLAIN; return true;
    case TYPED_SEQUENCE:
        if (byte >= 0x40 && byte <= 0x7E)
            m->typed = TYPED_PLAIN;
        return true;
    }
    return false;
}

static void type(struct monitor *m, u8 byte)
{
    char text[2] = {(char)byte, '\0'};

    if (in_sequence(m, byte))
        return;
    switch (byte) {
    case '\n':
    case '\r':
        if (byte != '\n' || m->last_end != '\r')
            end_line(m);
        m->last_end = (char)byte;
        return;
    case BACKSPACE:
    case DELETE: erase(m, 1); break;
    case CTRL_C:
    case CTRL_U: erase(m, m->length); break;
    default:
        if (byte < ' ' && byte != '\t')
            break;
        if (m->length == LINE_MAX_BYTES - 1) {
            m->too_long = true;
            break;
        }
        m->line[m->length++] = (char)byte;
        if (m->echo)
            say(m, text);
        break;
    }
    m->last_end = 0;
}

void monitor_type(struct monitor *m, const u8 *bytes, size_t size)
{
    for (size_t i = 0; i < size && !m->quit; i++)
        type(m, bytes[i]);
}

struct monitor *monitor_new(struct machine *machine, const struct monitor_host *host, bool echo)
{
    struct monitor *m = calloc(1, sizeof *m);

    if (m == NULL)
        abort();
    m->machine = machine;
    m->host = *host;
    m->echo = echo;
    return m;
}

void monitor_free(struct monitor *m) { free(m); }
