/* SPDX-License-Identifier: MIT
 * Parts of an event in words. SDM 3A, "Error Code", "Page-Fault Exceptions", "Control Protection Exception"; SDM 1,
 * "EFLAGS Register".
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

void words_place(FILE *out, const struct names *names, u16 selector, u64 offset, unsigned mode)
{
    char name[NAMES_LONGEST];

    words_address(out, selector, offset, mode);
    if (names && names_format(names, offset, name, sizeof name))
        fprintf(out, " %s", name);
}

void words_task(FILE *out, const char *before, const struct guest_task *task)
{
    if (task && task->known)
        fprintf(out, "%s%s[%u]", before, task->comm, task->pid);
}

static const char *page_fault_access(u32 error)
{
    return error & PF_I ? "fetch from" : error & PF_W ? "write to" : "read of";
}

/* Why, and for whom. Bits 5, 6 and 15 are of features that no model here has: they are named for other recordings. */
static bool page_fault_words(FILE *out, const char *before, u32 error)
{
    const char *who = error & PF_U ? "user code" : "the supervisor";
    const char *access = page_fault_access(error);

    fputs(before, out);
    if (!(error & PF_P))
        fprintf(out, "%s a page that is not present, by %s", access, who);
    else if (error & PF_RSVD)
        fprintf(out, "%s a page with a reserved bit set in a paging entry, by %s", access, who);
    else
        fprintf(out, "%s a page whose rights forbid it, by %s", access, who);
    if (error & 0x20)
        fprintf(out, ", protection key");
    if (error & 0x40)
        fprintf(out, ", shadow-stack access");
    if (error & 0x8000)
        fprintf(out, ", SGX");
    return true;
}

static bool selector_words(FILE *out, const char *before, u32 error)
{
    if (error == 0)
        return false;
    fputs(before, out);
    if (error & 2)
        fprintf(out, "IDT entry %02x", (error >> 3) & 0xFF);
    else if (error & 0xFFFC)
        fprintf(out, "selector %04x in the %s", error & 0xFFF8, error & 4 ? "LDT" : "GDT");
    else
        fprintf(out, "no selector");
    if (error & 1)
        fprintf(out, ", while an interrupt or exception was delivered");
    return true;
}

static bool control_protection_words(FILE *out, const char *before, u32 error)
{
    static const char *const causes[] = {NULL,           "near RET",       "far RET or IRET",
                                         "no ENDBRANCH", "RSTORSSP token", "SETSSBSY token"};
    u32 cause = error & 0x7FFF;

    if (cause >= ARRAY_LEN(causes) || causes[cause] == NULL)
        return false;
    fprintf(out, "%s%s", before, causes[cause]);
    return true;
}

bool words_error_code(FILE *out, const char *before, unsigned vector, u32 error)
{
    switch (vector) {
    case VEC_TS:
    case VEC_NP:
    case VEC_SS:
    case VEC_GP: return selector_words(out, before, error);
    case VEC_PF: return page_fault_words(out, before, error);
    case VEC_CP: return control_protection_words(out, before, error);
    default: return false; /* #DF and #AC push 0 */
    }
}

bool words_error(FILE *out, const char *before, const struct event_record *e)
{
    return (e->present & EVENT_HAS_ERROR) && words_error_code(out, before, e->vector, e->error);
}

/* returns: whether any was printed */
static bool flag_names(FILE *out, u64 rflags)
{
    static const struct {
        u64 bit;
        const char *name;
    } flags[] = {
        {FLAG_CF, "CF"}, {FLAG_PF, "PF"}, {FLAG_AF, "AF"},   {FLAG_ZF, "ZF"},   {FLAG_SF, "SF"}, {FLAG_TF, "TF"},
        {FLAG_IF, "IF"}, {FLAG_DF, "DF"}, {FLAG_OF, "OF"},   {FLAG_NT, "NT"},   {FLAG_RF, "RF"}, {FLAG_VM, "VM"},
        {FLAG_AC, "AC"}, {FLAG_ID, "ID"}, {FLAG_VIF, "VIF"}, {FLAG_VIP, "VIP"},
    };
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (rflags & flags[i].bit) {
            fprintf(out, "%s%s", any ? " " : "", flags[i].name);
            any = true;
        }
    return any;
}

static unsigned iopl_of(u64 rflags) { return (unsigned)((rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT); }

void words_flag_names(FILE *out, u64 rflags)
{
    bool any = flag_names(out, rflags);

    if (iopl_of(rflags))
        fprintf(out, "%sIOPL=%u", any ? " " : "", iopl_of(rflags));
}

void words_flags(FILE *out, u64 rflags)
{
    fprintf(out, "%sIOPL=%u", flag_names(out, rflags) ? " " : "", iopl_of(rflags));
}

/* Which of the two sets it was, and from which code (AMD has SYSCALL from compatibility mode). */
static unsigned msr_set(const struct event_record *e)
{
    return e->mechanism == MECH_SYSENTER || e->mechanism == MECH_SYSEXIT ? 2 : e->from_mode != MODE_LONG;
}

const char *words_msr(const struct event_record *e, unsigned i)
{
    static const char *const names[3][3] = {
        {"STAR", "LSTAR", "FMASK"}, {"STAR", "CSTAR", "FMASK"}, {"SYSENTER_CS", "SYSENTER_ESP", "SYSENTER_EIP"}};

    return i < 3 ? names[msr_set(e)][i] : "?";
}

u32 words_msr_number(const struct event_record *e, unsigned i)
{
    static const u32 numbers[3][3] = {
        {0xC0000081, 0xC0000082, 0xC0000084}, {0xC0000081, 0xC0000083, 0xC0000084}, {0x174, 0x175, 0x176}};

    return i < 3 ? numbers[msr_set(e)][i] : 0;
}

const char *words_ring(unsigned cpl)
{
    static const char *const names[] = {"ring 0 (kernel)", "ring 1", "ring 2", "ring 3 (user)"};

    return cpl < 4 ? names[cpl] : "ring ?";
}

const char *words_abi(enum linux_abi abi)
{
    static const char *const names[LINUX_ABIS] = {[LINUX_AMD64] = "amd64", [LINUX_I386] = "i386", [LINUX_X32] = "x32"};

    return (unsigned)abi < LINUX_ABIS ? names[abi] : "?";
}

const char *words_color(const struct event_record *e)
{
    if (e->kind != EVENT_KIND_TRANSITION)
        return COLOR_DIM;
    if (e->mechanism == MECH_FAULT || e->mechanism == MECH_ABORT || e->mechanism == MECH_SHUTDOWN)
        return COLOR_FAULT;
    return event_is_exit(e) ? COLOR_OUT : event_is_entry(e) ? COLOR_IN : COLOR_DIM;
}

void words_cause(FILE *out, const struct event_record *e)
{
    if (e->present & EVENT_HAS_VECTOR) {
        /* A fault beside transitions has no mechanism. */
        const char *name =
            event_is_transition(e) ? event_exception_name(e->mechanism, e->vector) : event_vector_name(e->vector);

        if (name)
            fprintf(out, " %s", name);
        else
            fprintf(out, " 0x%02x", e->vector);
    }
    if (e->present & EVENT_HAS_ERROR) {
        fprintf(out, "(%x)", e->error);
        words_error(out, " ", e);
    }
}

/* The broken rule and its subject. Of a page fault the error code has said as much in words. */
void words_rule(FILE *out, const struct event_record *e)
{
    if (e->rule == RULE_NONE)
        return;
    if (e->rule >= RULES)
        fprintf(out, "  [?]");
    else if (e->vector == VEC_PF)
        fprintf(out, "  [%s]", rule_name((enum rule)e->rule));
    else
        fprintf(out, "  [%s: %s]", rule_name((enum rule)e->rule), rule_subject((enum rule)e->rule));
}

/* Length of the well-formed UTF-8 sequence at p, 0 when there is none. RFC 3629. */
static unsigned utf8_length(const unsigned char *p)
{
    unsigned n = p[0] < 0x80                   ? 1
                 : p[0] >= 0xC2 && p[0] < 0xE0 ? 2
                 : (p[0] & 0xF0) == 0xE0       ? 3
                 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
                                               : 0;

    for (unsigned i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] >= 0xA0) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] >= 0x90))
        return 0;
    return n;
}

void words_json(FILE *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    fputc('"', out);
    while (*p) {
        unsigned n = utf8_length(p);

        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < ' ' || *p == 0x7F)
            fprintf(out, "\\u%04x", *p);
        else if (n)
            fwrite(p, 1, n, out);
        else
            fprintf(out, "\\ufffd");
        p += n ? n : 1;
    }
    fputc('"', out);
}
