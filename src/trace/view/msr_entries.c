/* SPDX-License-Identifier: MIT
 * Which entry each register serves on a processor: by vendor and mode, and by what a recording shows.
 * SDM 2B, "SYSCALL-Fast System Call", "SYSENTER-Fast System Call"; APM 3, "SYSCALL", "SYSENTER". Rules SC-01, SC-02,
 * SE-02, SE-07.
 */
#include "trace/view/msr_entries.h"
#include "msr/msr.h"
#include "trace/words.h"

typedef unsigned long long ull;

static enum entry_code code_of(unsigned mode)
{
    return mode == MODE_LONG ? CODE_64BIT : mode == MODE_COMPAT32 || mode == MODE_COMPAT16 ? CODE_COMPAT : CODE_LEGACY;
}

void entry_use_event(struct entry_use *u, const struct event_record *e)
{
    enum entry_code code = code_of(e->from_mode);

    if (e->to_mode == MODE_LONG)
        u->long_mode = true;
    if (e->kind == EVENT_KIND_WRMSR) {
        enum entry_msr m = entry_msr_of(e->number);

        if (m != ENTRY_MSRS) {
            u->writes[m]++;
            u->value[m] = e->new_value;
        }
    } else if (event_is_transition(e)) {
        if (e->mechanism == MECH_SYSCALL)
            u->syscall[code]++;
        else if (e->mechanism == MECH_SYSENTER)
            u->sysenter[code]++;
        else if (e->rule == RULE_SC_01 || e->rule == RULE_SC_02)
            u->syscall_ud[code]++;
        else if (e->rule == RULE_SE_07 || e->rule == RULE_SE_02)
            u->sysenter_ud[code]++;
    }
}

/* One instruction from one kind of code: what decides, and whether it is let in. */
struct verdict {
    enum entry_msr target; /* ENTRY_MSRS: refused */
    const char *why;       /* refused: "#UD (SC-02)" */
};

static struct verdict syscall_verdict(const struct entry_use *u, enum entry_code code, bool amd)
{
    /* The rule about the vendor stands first in the table: with EFER.SCE set or clear it is refused. */
    if (code != CODE_64BIT && !amd)
        return (struct verdict){ENTRY_MSRS, "#UD: Intel has SYSCALL in 64-bit mode only (SC-02)"};
    if (!(u->value[ENTRY_EFER] & EFER_SCE))
        return (struct verdict){ENTRY_MSRS, "#UD: EFER.SCE is clear (SC-01)"};
    return (struct verdict){code == CODE_64BIT ? ENTRY_LSTAR : code == CODE_COMPAT ? ENTRY_CSTAR : ENTRY_STAR, NULL};
}

static struct verdict sysenter_verdict(const struct entry_use *u, enum entry_code code, bool amd)
{
    if (code != CODE_LEGACY && amd)
        return (struct verdict){ENTRY_MSRS, "#UD: AMD has no SYSENTER in long mode (SE-07)"};
    if (!(u->value[ENTRY_SYSENTER_CS] & 0xFFFC))
        return (struct verdict){ENTRY_MSRS, "#GP(0): SYSENTER_CS is null (SE-02)"};
    return (struct verdict){ENTRY_SYSENTER_EIP, NULL};
}

struct line {
    const char *instruction, *code;
    struct verdict verdict;
    u64 used, refused;
};

/* The lines of the mode that the recording reached: long mode, or legacy protected mode. returns: how many */
static unsigned lines_of(const struct entry_use *u, bool amd, struct line out[4])
{
    static const char *const names[CODE_KINDS] = {"64-bit", "compatibility", "protected mode"};
    enum entry_code first = u->long_mode ? CODE_64BIT : CODE_LEGACY, last = u->long_mode ? CODE_COMPAT : CODE_LEGACY;
    unsigned n = 0;

    for (unsigned c = first; c <= (unsigned)last; c++)
        out[n++] = (struct line){"SYSCALL", names[c], syscall_verdict(u, (enum entry_code)c, amd), u->syscall[c],
                                 u->syscall_ud[c]};
    for (unsigned c = first; c <= (unsigned)last; c++)
        out[n++] = (struct line){"SYSENTER", names[c], sysenter_verdict(u, (enum entry_code)c, amd), u->sysenter[c],
                                 u->sysenter_ud[c]};
    return n;
}

/* Where a register leads. In legacy mode SYSCALL takes the low half of STAR. */
static u64 target_of(const struct entry_use *u, enum entry_msr m)
{
    return m == ENTRY_STAR ? (u32)u->value[m] : u->value[m];
}

static void print_value(FILE *out, const struct entry_use *u, const struct names *names, enum entry_msr m, bool amd)
{
    if (!u->writes[m]) {
        fprintf(out, "0, never written");
        return;
    }
    fprintf(out, "%llx", (ull)u->value[m]);
    if (m != ENTRY_STAR)
        msr_print_meaning(out, names, entry_msr_number(m), u->value[m], 0);
    if (m == ENTRY_SYSENTER_EIP && amd && u->long_mode)
        fprintf(out, ": AMD keeps 32 bits of it (SE-08)");
}

/* Which of the two is ever looked at follows from vendor and mode alone. */
static void print_comparison(FILE *out, const struct entry_use *u, const struct names *names, bool amd)
{
    bool same = u->value[ENTRY_CSTAR] == u->value[ENTRY_SYSENTER_EIP];

    fprintf(out, "\nCSTAR and SYSENTER_EIP hold %s value", same ? "the same" : "different");
    fprintf(out, same ? ":\n" : "s:\n");
    fprintf(out, "  CSTAR         ");
    print_value(out, u, names, ENTRY_CSTAR, amd);
    fprintf(out, "\n  SYSENTER_EIP  ");
    print_value(out, u, names, ENTRY_SYSENTER_EIP, amd);
    fprintf(out, "\n");
    if (!u->long_mode)
        fprintf(out, "Outside long mode CSTAR is used by nothing; SYSENTER_EIP serves SYSENTER on both vendors.\n");
    else if (amd)
        fprintf(out, "In long mode on AMD, CSTAR serves SYSCALL from compatibility code, and SYSENTER_EIP is used by "
                     "nothing:\nSYSENTER is #UD (SC-02, SE-07). On Intel it is the other way round.\n");
    else
        fprintf(out, "In long mode on Intel, SYSENTER_EIP serves SYSENTER, and CSTAR is used by nothing: SYSCALL from "
                     "compatibility\ncode is #UD (SC-02). On AMD it is the other way round (SE-07).\n");
}

void entry_use_print(FILE *out, const struct entry_use *u, const struct names *names, bool amd)
{
    struct line line[4];
    unsigned n = lines_of(u, amd, line);

    fprintf(out, "\nwhich register serves which entry on this processor (%s, %s), in the whole recording\n", amd ? "AMD" : "Intel",
            u->long_mode ? "long mode" : "no long mode");
    fprintf(out, "  %-9s %-15s %10s %8s  %s\n", "", "from code", "used", "refused", "goes to");
    for (unsigned i = 0; i < n; i++) {
        fprintf(out, "  %-9s %-15s %10llu %8llu  ", line[i].instruction, line[i].code, (ull)line[i].used,
                (ull)line[i].refused);
        if (line[i].verdict.target == ENTRY_MSRS) {
            fprintf(out, "%s\n", line[i].verdict.why);
            continue;
        }
        char name[32];
        msr_label(entry_msr_number(line[i].verdict.target), name, sizeof name);
        fprintf(out, "%s = ", name);
        print_value(out, u, names, line[i].verdict.target, amd);
        fputc('\n', out);
    }
    print_comparison(out, u, names, amd);
}

void entry_use_print_json(FILE *out, const struct entry_use *u, const struct names *names, bool amd)
{
    struct line line[4];
    unsigned n = lines_of(u, amd, line);

    fprintf(out, ",\"vendor\":\"%s\",\"long_mode\":%s,\"entries\":[", amd ? "amd" : "intel",
            u->long_mode ? "true" : "false");
    for (unsigned i = 0; i < n; i++) {
        enum entry_msr m = line[i].verdict.target;

        fprintf(out, "%s{\"instruction\":\"%s\",\"code\":\"%s\",\"used\":%llu,\"refused\":%llu", i ? "," : "",
                line[i].instruction, line[i].code, (ull)line[i].used, (ull)line[i].refused);
        if (m == ENTRY_MSRS) {
            fprintf(out, ",\"why_not\":\"%s\"}", line[i].verdict.why);
        } else {
            char name[32], symbol[NAMES_LONGEST];

            msr_label(entry_msr_number(m), name, sizeof name);
            fprintf(out, ",\"register\":\"%s\",\"written\":%llu,\"target\":\"0x%llx\"", name, (ull)u->writes[m],
                    (ull)target_of(u, m));
            if (names_format(names, target_of(u, m), symbol, sizeof symbol)) {
                fprintf(out, ",\"symbol\":");
                words_json(out, symbol);
            }
            fprintf(out, "}");
        }
    }
    fprintf(out, "],\"cstar_equals_sysenter_eip\":%s",
            u->value[ENTRY_CSTAR] == u->value[ENTRY_SYSENTER_EIP] ? "true" : "false");
}
