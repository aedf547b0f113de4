/* SPDX-License-Identifier: MIT
 * Parts of an event in words. SDM 3A, "Error Code", "Page-Fault Exceptions"; SDM 1, "EFLAGS Register".
 */
#include "trace/words.h"

#include "cpu/registers.h"
#include "mmu/paging.h"
#include "msr/msr.h"

void words_address(FILE *out, u16 selector, u64 offset, unsigned mode)
{
    int digits = mode == MODE_LONG ? 16 : mode == MODE_REAL || mode == MODE_VM86 || mode == MODE_PM16 ? 4 : 8;

    fprintf(out, "%04x:%0*llx", selector, digits, (unsigned long long)offset);
}

void words_error(FILE *out, const struct event_record *e)
{
    if (e->vector == VEC_PF) {
        fprintf(out, "%s %s by %s", e->error & PF_P ? "protection violation" : "page not present",
                e->error & PF_I   ? "on an instruction fetch"
                : e->error & PF_W ? "on a write"
                                  : "on a read",
                e->error & PF_U ? "user code" : "the supervisor");
        if (e->error & PF_RSVD)
            fprintf(out, ", reserved bit set in a paging entry");
        return;
    }
    if (e->error == 0) {
        fprintf(out, "no selector");
        return;
    }
    if (e->error & 2)
        fprintf(out, "IDT entry 0x%02x", (e->error >> 3) & 0xFF);
    else
        fprintf(out, "selector 0x%04x in the %s", e->error & 0xFFF8, e->error & 4 ? "LDT" : "GDT");
    if (e->error & 1)
        fprintf(out, ", while delivering an event from outside the program");
}

void words_flags(FILE *out, u64 rflags)
{
    static const struct {
        u64 bit;
        const char *name;
    } flags[] = {
        {FLAG_CF, "CF"}, {FLAG_PF, "PF"}, {FLAG_AF, "AF"},   {FLAG_ZF, "ZF"},   {FLAG_SF, "SF"}, {FLAG_TF, "TF"},
        {FLAG_IF, "IF"}, {FLAG_DF, "DF"}, {FLAG_OF, "OF"},   {FLAG_NT, "NT"},   {FLAG_RF, "RF"}, {FLAG_VM, "VM"},
        {FLAG_AC, "AC"}, {FLAG_ID, "ID"}, {FLAG_VIF, "VIF"}, {FLAG_VIP, "VIP"},
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (rflags & flags[i].bit)
            fprintf(out, "%s ", flags[i].name);
    fprintf(out, "IOPL=%u", (unsigned)((rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT));
}

const char *words_msr(const struct event_record *e, unsigned i)
{
    static const char *const fast[3][3] = {{"STAR", "LSTAR", "FMASK"},
                                           {"STAR", "CSTAR", "FMASK"}, /* SYSCALL from compatibility mode (AMD) */
                                           {"SYSENTER_CS", "SYSENTER_ESP", "SYSENTER_EIP"}};
    bool sysenter = e->mechanism == MECH_SYSENTER || e->mechanism == MECH_SYSEXIT;

    return i < 3 ? fast[sysenter ? 2 : e->from_mode != MODE_LONG][i] : "?";
}

const char *words_ring(unsigned cpl)
{
    static const char *const names[] = {"ring 0 (kernel)", "ring 1", "ring 2", "ring 3 (user)"};

    return cpl < 4 ? names[cpl] : "ring ?";
}

const char *words_color(const struct event_record *e)
{
    if (e->kind != EVENT_KIND_TRANSITION)
        return COLOR_DIM;
    if (e->mechanism == MECH_FAULT || e->mechanism == MECH_ABORT || e->mechanism == MECH_SHUTDOWN)
        return COLOR_FAULT;
    return event_is_exit(e) ? COLOR_OUT : event_is_entry(e) ? COLOR_IN : COLOR_DIM;
}
