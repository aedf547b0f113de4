/* SPDX-License-Identifier: MIT
 * Addresses as they are typed: numbers and registers, added and subtracted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/flags.h"
#include "monitor/command.h"

static const char *const general[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const segments[] = {"es", "cs", "ss", "ds", "fs", "gs"};

static bool is(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && strncmp(name, text, length) == 0;
}

/* "eax" is the low half of "rax". */
static bool general_register(const struct cpu *cpu, const char *text, size_t length, u64 *value)
{
    for (unsigned i = 0; i < ARRAY_LEN(general); i++) {
        if (is(general[i], text, length)) {
            *value = cpu->arch.gpr[i];
            return true;
        }
        if (i < 8 && length == 3 && text[0] == 'e' && strncmp(general[i] + 1, text + 1, 2) == 0) {
            *value = (u32)cpu->arch.gpr[i];
            return true;
        }
    }
    return false;
}

static bool other_register(const struct cpu *cpu, const char *text, size_t length, u64 *value)
{
    const struct cpu_arch *a = &cpu->arch;
    const struct {
        const char *name;
        u64 value;
    } others[] = {
        {"pc", (a->rip + cpu->d.seg_base[CS]) & cpu->d.laddr_mask},
        {"rip", a->rip},
        {"eip", (u32)a->rip},
        {"rflags", flags_get(cpu)},
        {"eflags", (u32)flags_get(cpu)},
        {"cr0", a->cr0},
        {"cr2", a->cr2},
        {"cr3", a->cr3},
        {"cr4", a->cr4},
        {"gdt", a->gdtr.base},
        {"idt", a->idtr.base},
        {"tr", a->tr.base},
        {"ldt", a->ldtr.base},
    };

    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        if (is(others[i].name, text, length)) {
            *value = others[i].value;
            return true;
        }
    for (unsigned i = 0; i < ARRAY_LEN(segments); i++)
        if (is(segments[i], text, length)) { /* where it begins: what an address is made with */
            *value = a->seg[i].base;
            return true;
        }
    return false;
}

/* One number or register; *text moves behind it. */
static bool term(struct monitor *m, const char **text, u64 *value)
{
    const struct cpu *cpu = machine_cpu(m->machine);
    size_t length;
    char *end;

    if (**text == '$') {
        length = strcspn(*text + 1, "+- \t");
        if (!general_register(cpu, *text + 1, length, value) && !other_register(cpu, *text + 1, length, value)) {
            command_error(m, "there is no register '%.*s'", (int)length + 1, *text);
            return false;
        }
        *text += 1 + length;
        return true;
    }
    errno = 0;
    *value = **text >= '0' && **text <= '9' ? strtoull(*text, &end, 0) : 0;
    if (**text < '0' || **text > '9' || errno != 0 || strchr("+- \t", *end) == NULL) {
        command_error(m, "'%s' is no address: a number such as 0x7c00, or a register such as $rip", *text);
        return false;
    }
    *text = end;
    return true;
}

bool command_address(struct monitor *m, const char *text, u64 *address)
{
    bool minus = false;

    *address = 0;
    for (;;) {
        u64 value;

        text += strspn(text, " \t");
        if (!term(m, &text, &value))
            return false;
        *address += minus ? -value : value;
        text += strspn(text, " \t");
        if (*text == '\0')
            return true;
        if (*text != '+' && *text != '-') {
            command_error(m, "'%s' is one word too many", text);
            return false;
        }
        minus = *text++ == '-';
    }
}
