/* SPDX-License-Identifier: MIT
 * info registers: the processor between two instructions.
 */
#include <string.h>

#include "cpu/flags.h"
#include "monitor/command.h"
#include "trace/disassemble.h"

static const char *activity_name(const struct cpu *cpu)
{
    static const char *const names[] = {"active", "halted", "shutdown", "waits for SIPI", "in MWAIT"};

    return cpu->arch.activity < ARRAY_LEN(names) ? names[cpu->arch.activity] : "?";
}

static void print_general(FILE *out, const struct cpu_arch *a)
{
    static const char *const names[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                        "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
    static const u8 order[] = {0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15}; /* as people list them */

    for (unsigned i = 0; i < 16; i++)
        fprintf(out, "%s=%016llx%c", names[order[i]], (unsigned long long)a->gpr[order[i]], i % 4 == 3 ? '\n' : ' ');
}

static void print_flags(FILE *out, u64 flags)
{
    static const struct {
        u8 bit;
        const char *name;
    } names[] = {{0, "CF"},  {2, "PF"},  {4, "AF"},  {6, "ZF"},  {7, "SF"},  {8, "TF"},   {9, "IF"},   {10, "DF"},
                 {11, "OF"}, {14, "NT"}, {16, "RF"}, {17, "VM"}, {18, "AC"}, {19, "VIF"}, {20, "VIP"}, {21, "ID"}};
    bool any = false;

    fprintf(out, "RFLAGS=%08llx [", (unsigned long long)flags);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (flags >> names[i].bit & 1) {
            fprintf(out, "%s%s", any ? " " : "", names[i].name);
            any = true;
        }
    fprintf(out, "] IOPL=%llu\n", (unsigned long long)(flags >> 12 & 3));
}

static void print_segment(FILE *out, const char *name, const struct segment *s)
{
    fprintf(out, "%-4s=%04x base=%016llx limit=%08x attr=%04x dpl=%u%s\n", name, s->selector,
            (unsigned long long)s->base, s->limit, s->attr, s->attr >> 5 & 3u, s->attr >> 7 & 1 ? "" : " not usable");
}

static void print_code(FILE *out, const struct cpu *cpu)
{
    laddr_t at = (cpu->arch.rip + cpu->d.seg_base[CS]) & cpu->d.laddr_mask;
    u8 bytes[15];
    unsigned size = 0;
    char text[128];

    while (size < sizeof bytes && mmu_peek(&cpu->mmu, (at + size) & cpu->d.laddr_mask, &bytes[size], 1))
        size++;
    if (size != 0 && disassemble(text, sizeof text, bytes, size, at, cpu->d.mode) != 0)
        fprintf(out, "next: %s\n", text);
}

void info_registers(struct monitor *m, const char *arguments)
{
    static const char *const names[] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    const struct cpu *cpu = machine_cpu(m->machine);
    const struct cpu_arch *a = &cpu->arch;
    const struct clock *time = machine_time(m->machine);

    (void)arguments;
    fprintf(m->out, "mode=%s cpl=%u %s  ticks=%llu instructions=%llu\n", cpu_mode_name(cpu->d.mode), a->cpl,
            activity_name(cpu), (unsigned long long)time->ticks, (unsigned long long)clock_retired(time));
    print_general(m->out, a);
    fprintf(m->out, "RIP=%016llx ", (unsigned long long)a->rip);
    print_flags(m->out, flags_get(cpu));
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        print_segment(m->out, names[i], &a->seg[i]);
    print_segment(m->out, "LDTR", &a->ldtr);
    print_segment(m->out, "TR", &a->tr);
    fprintf(m->out, "GDTR=%016llx:%04x IDTR=%016llx:%04x\n", (unsigned long long)a->gdtr.base, a->gdtr.limit,
            (unsigned long long)a->idtr.base, a->idtr.limit);
    fprintf(m->out, "CR0=%08llx CR2=%016llx CR3=%016llx CR4=%08llx EFER=%llx XCR0=%llx\n", (unsigned long long)a->cr0,
            (unsigned long long)a->cr2, (unsigned long long)a->cr3, (unsigned long long)a->cr4,
            (unsigned long long)a->msr.efer, (unsigned long long)a->xcr0);
    fprintf(m->out, "DR0=%llx DR1=%llx DR2=%llx DR3=%llx DR6=%llx DR7=%llx\n", (unsigned long long)a->dr[0],
            (unsigned long long)a->dr[1], (unsigned long long)a->dr[2], (unsigned long long)a->dr[3],
            (unsigned long long)a->dr[6], (unsigned long long)a->dr[7]);
    print_code(m->out, cpu);
}
