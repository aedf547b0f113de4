/* SPDX-License-Identifier: MIT
 * Filter expressions, shared by every command that picks events.
 */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "trace/calls.h"
#include "trace/trace.h"

#define X32_BIT BIT(30) /* set in the numbers of this ABI */

_Static_assert((int)TRACE_FILTER_ABIS == (int)LINUX_ABIS, "a set of system calls for each ABI");
_Static_assert(MECHANISMS <= 64 && RULES <= 512 && EVENT_KINDS <= 32, "widths of the filter's bit sets");

static bool number(const char *text, u64 *value)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    *value = strtoull(text, &end, 0);
    return *end == '\0';
}

static bool add_mechanism(struct trace_filter *f, const char *word, struct error *err)
{
    u64 set = 0;

    for (unsigned m = 0; m < MECHANISMS; m++) {
        const char *name = event_mechanism_name(m);
        size_t length = strlen(word);

        /* "iret" and "mode" stand for iret_same, iret_outer... */
        if (!strcmp(name, word) ||
            (!strncmp(name, word, length) && name[length] == '_' && (!strcmp(word, "iret") || !strcmp(word, "mode"))))
            set |= BIT(m);
    }
    if (!set)
        return error_set(err, EXIT_USAGE,
                         "filter: no mechanism is called \"%s\" (syscall, sysret, int_n, irq, fault, "
                         "iret, call_gate, task_switch...)",
                         word);
    f->mechanisms |= set;
    return true;
}

static bool add_vector(struct trace_filter *f, const char *word, struct error *err)
{
    u64 value = 256;

    for (unsigned v = 0; v < 32; v++) {
        const char *name = event_vector_name(v);

        if (name && !strcasecmp(word, name + (*name == '#')))
            value = v;
    }
    if (value == 256 && (!number(word, &value) || value > 255))
        return error_set(err, EXIT_USAGE, "filter: \"%s\" is no vector (0 to 255, 0x80, or a name such as gp, pf, nmi)",
                         word);
    f->by_vector = true;
    f->vectors[value / 64] |= BIT(value % 64);
    return true;
}

static bool add_kind(struct trace_filter *f, const char *word, struct error *err)
{
    for (unsigned k = 0; k < EVENT_KINDS; k++)
        if (!strcmp(word, event_kind_name(k))) {
            f->kinds |= 1u << k;
            return true;
        }
    return error_set(err, EXIT_USAGE,
                     "filter: no kind of event is called \"%s\" (transition, swapgs, cr3, wrmsr, cr0, cr4, input)",
                     word);
}

static bool add_direction(struct trace_filter *f, const char *word, struct error *err)
{
    static const char *const names[] = {"in", "out", "same"};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(word, names[i])) {
            f->directions |= (u8)(1u << i);
            return true;
        }
    return error_set(err, EXIT_USAGE, "filter: \"%s\" is no direction (in, out, same)", word);
}

static bool add_rule(struct trace_filter *f, const char *word, struct error *err)
{
    for (unsigned rule = 1; rule < RULES; rule++)
        if (!strcasecmp(word, rule_name((enum rule)rule))) {
            f->by_rule = true;
            f->rules[rule / 64] |= BIT(rule % 64);
            return true;
        }
    return error_set(err, EXIT_USAGE, "filter: no rule is called \"%s\" (for example SC-01, IR-08)", word);
}

static bool add_cr3(struct trace_filter *f, const char *word, struct error *err)
{
    char *end;

    f->cr3 = strtoull(word, &end, 16);
    if (*end || end == word)
        return error_set(err, EXIT_USAGE, "filter: \"%s\" is no CR3 value (hexadecimal)", word);
    f->by_cr3 = true;
    return true;
}

/* The set of all numbers whose row has this name, or is in this group. returns: false when there is none */
static bool calls_named(u64 set[TRACE_FILTER_ABIS][TRACE_FILTER_CALLS / 64], const char *word)
{
    u32 group = *word == '%' ? linux_group(word + 1) : 0;
    bool all = !strcmp(word, "all"), any = false;

    for (unsigned abi = 0; abi < LINUX_ABIS; abi++)
        for (unsigned n = 0; n < TRACE_FILTER_CALLS; n++) {
            const struct linux_syscall *s = linux_syscall((enum linux_abi)abi, abi == LINUX_X32 ? n | X32_BIT : n);

            if (!all && !(s && (group ? (linux_syscall_groups(s) & group) != 0 : !strcmp(linux_syscall_name(s), word))))
                continue;
            set[abi][n / 64] |= BIT(n % 64);
            any = true;
        }
    return any;
}

static bool add_call(struct trace_filter *f, const char *word, struct error *err)
{
    u64 set[TRACE_FILTER_ABIS][TRACE_FILTER_CALLS / 64] = {{0}};
    bool exclude = *word == '!';

    if (!calls_named(set, word + exclude))
        return error_set(
            err, EXIT_USAGE,
            "filter: no system call or group is called \"%s\" (openat, %%network, %%file, %%desc, %%process, "
            "%%memory, %%signal, %%ipc, %%creds, %%clock, all)",
            word);
    f->by_call = true;
    for (unsigned abi = 0; abi < TRACE_FILTER_ABIS; abi++)
        for (unsigned i = 0; i < TRACE_FILTER_CALLS / 64; i++)
            if (exclude)
                f->calls[abi][i] &= ~set[abi][i];
            else
                f->calls[abi][i] |= set[abi][i];
    return true;
}

static bool add_error(struct trace_filter *f, const char *word, struct error *err)
{
    bool any = !strcmp(word, "any"), found = any;

    for (unsigned n = 1; n < TRACE_FILTER_ERRORS; n++) {
        const char *name = linux_error_name(n);

        if (any || (name && !strcasecmp(name, word))) {
            f->errors[n / 64] |= BIT(n % 64);
            found = true;
        }
    }
    f->by_error = true;
    return found || error_set(err, EXIT_USAGE, "filter: no error is called \"%s\" (ENOENT, EAGAIN..., or any)", word);
}

bool trace_filter_cpl(struct trace_filter *f, const char *text, struct error *err)
{
    if (strlen(text) != 3 || text[1] != ':' || !strchr("0123*", text[0]) || !strchr("0123*", text[2]))
        return error_set(err, EXIT_USAGE, "filter: \"%s\" is no pair of rings (FROM:TO, each 0 to 3 or *)", text);
    for (unsigned from = 0; from < 4; from++)
        for (unsigned to = 0; to < 4; to++)
            if ((text[0] == '*' || text[0] == (char)('0' + from)) && (text[2] == '*' || text[2] == (char)('0' + to)))
                f->rings |= (u16)(1u << (from * 4 + to));
    return true;
}

static void invert(u64 *set, size_t words)
{
    for (size_t i = 0; i < words; i++)
        set[i] = ~set[i];
}

/* in: again  the set had a value before */
static void narrow(u64 *set, const u64 *by, size_t words, bool again)
{
    for (size_t i = 0; i < words; i++)
        set[i] = again ? set[i] & by[i] : by[i];
}

typedef bool term_fn(struct trace_filter *f, const char *word, struct error *err);

bool trace_filter_add(struct trace_filter *f, const char *expression, struct error *err)
{
    static const struct {
        const char *key;
        term_fn *add;
        bool negatable;
    } terms[] = {
        {"mech", add_mechanism, true}, {"vec", add_vector, true},        {"kind", add_kind, true},
        {"dir", add_direction, false}, {"cpl", trace_filter_cpl, false}, {"rule", add_rule, false},
        {"cr3", add_cr3, false},       {"trace", add_call, true},        {"errno", add_error, true},
    };
    const char *equals = strchr(expression, '=');
    struct trace_filter term = {0};
    size_t which = 0;
    bool negate, ok = true;

    if (equals) {
        size_t length = (size_t)(equals - expression);

        while (which < ARRAY_LEN(terms) &&
               (strlen(terms[which].key) != length || strncmp(terms[which].key, expression, length) != 0))
            which++;
        if (which == ARRAY_LEN(terms))
            return error_set(err, EXIT_USAGE,
                             "filter: \"%.*s\" is not known (mech, vec, kind, cpl, dir, rule, cr3, trace, errno)",
                             (int)length, expression);
    }
    char *list = strdup(equals ? equals + 1 : expression), *words = list, *word;
    if (!list)
        abort();
    negate = *words == '!';
    if (negate) {
        words++;
        if (!terms[which].negatable)
            ok = error_set(err, EXIT_USAGE, "filter: %s= cannot be negated", terms[which].key);
    }
    if (ok && !*words)
        ok = error_set(err, EXIT_USAGE, "filter: \"%s\" has no value", expression);
    while (ok && (word = strsep(&words, ",")) != NULL)
        ok = terms[which].add(&term, word, err);
    free(list);
    if (!ok)
        return false;
    if (negate) {
        if (term.mechanisms)
            term.mechanisms = ~term.mechanisms & (BIT(MECHANISMS) - 1);
        if (term.kinds)
            term.kinds = ~term.kinds & ((1u << EVENT_KINDS) - 1);
        for (unsigned i = 0; term.by_vector && i < 4; i++)
            term.vectors[i] = ~term.vectors[i];
        if (term.by_call)
            invert(&term.calls[0][0], TRACE_FILTER_ABIS * TRACE_FILTER_CALLS / 64);
        if (term.by_error)
            invert(term.errors, TRACE_FILTER_ERRORS / 64);
    }
    /* A second term with the same key narrows the first. */
    if (term.mechanisms)
        f->mechanisms = f->mechanisms ? f->mechanisms & term.mechanisms : term.mechanisms;
    if (term.kinds)
        f->kinds = f->kinds ? f->kinds & term.kinds : term.kinds;
    if (term.rings)
        f->rings = f->rings ? f->rings & term.rings : term.rings;
    if (term.directions)
        f->directions = f->directions ? f->directions & term.directions : term.directions;
    if ((term.mechanisms && !f->mechanisms) || (term.kinds && !f->kinds) || (term.rings && !f->rings) ||
        (term.directions && !f->directions))
        return error_set(err, EXIT_USAGE, "filter: \"%s\" leaves nothing of the filters before it", expression);
    for (unsigned i = 0; term.by_vector && i < 4; i++)
        f->vectors[i] = f->by_vector ? f->vectors[i] & term.vectors[i] : term.vectors[i];
    for (unsigned i = 0; term.by_rule && i < 8; i++)
        f->rules[i] = f->by_rule ? f->rules[i] & term.rules[i] : term.rules[i];
    if (term.by_call)
        narrow(&f->calls[0][0], &term.calls[0][0], TRACE_FILTER_ABIS * TRACE_FILTER_CALLS / 64, f->by_call);
    if (term.by_error)
        narrow(f->errors, term.errors, TRACE_FILTER_ERRORS / 64, f->by_error);
    f->by_vector |= term.by_vector;
    f->by_rule |= term.by_rule;
    f->by_call |= term.by_call;
    f->by_error |= term.by_error;
    if (term.by_cr3) {
        f->by_cr3 = true;
        f->cr3 = term.cr3;
    }
    return true;
}

bool trace_filter_range(struct trace_filter *f, const char *from, const char *to, struct error *err)
{
    if (from && (!number(from, &f->from) || f->from == 0))
        return error_set(err, EXIT_USAGE, "--from %s: not an event number (1 and up)", from);
    if (to && (!number(to, &f->to) || f->to == 0))
        return error_set(err, EXIT_USAGE, "--to %s: not an event number (1 and up)", to);
    if (f->from && f->to && f->from > f->to)
        return error_set(err, EXIT_USAGE, "--from %llu is past --to %llu", (unsigned long long)f->from,
                         (unsigned long long)f->to);
    return true;
}

typedef bool word_fn(struct trace_filter *f, const char *word, struct error *err);

/* Each word between commas. On failure f may hold those before it. */
static bool add_words(struct trace_filter *f, const char *option, const char *text, word_fn *add, struct error *err)
{
    char *list = strdup(text), *words = list, *word;
    bool ok = true;

    if (!list)
        abort();
    while (ok && (word = strsep(&words, ",")) != NULL)
        ok = *word ? add(f, word, err) : error_set(err, EXIT_USAGE, "%s \"%s\": a value is missing", option, text);
    free(list);
    return ok;
}

static bool add_pid(struct trace_filter *f, const char *word, struct error *err)
{
    u64 value;
    char *end;

    value = strtoull(word, &end, 10);
    if (!isdigit((unsigned char)*word) || *end || value > UINT32_MAX)
        return error_set(err, EXIT_USAGE, "-p %s: not a process or thread number", word);
    if (f->pids == TRACE_FILTER_PIDS)
        return error_set(err, EXIT_USAGE, "-p %s: %u numbers are as many as a filter takes", word, TRACE_FILTER_PIDS);
    f->pid[f->pids++] = (u32)value;
    return true;
}

static bool add_comm(struct trace_filter *f, const char *word, struct error *err)
{
    if (strlen(word) >= TRACE_FILTER_PATTERN)
        return error_set(err, EXIT_USAGE, "--comm %s: longer than any task's name (%u characters)", word,
                         GUEST_COMM - 1);
    if (f->comms == TRACE_FILTER_COMMS)
        return error_set(err, EXIT_USAGE, "--comm %s: %u names are as many as a filter takes", word,
                         TRACE_FILTER_COMMS);
    snprintf(f->comm[f->comms++], TRACE_FILTER_PATTERN, "%s", word);
    return true;
}

bool trace_filter_pid(struct trace_filter *f, const char *text, struct error *err)
{
    return add_words(f, "-p", text, add_pid, err);
}

bool trace_filter_comm(struct trace_filter *f, const char *text, struct error *err)
{
    return add_words(f, "--comm", text, add_comm, err);
}

void trace_filter_transitions(struct trace_filter *f)
{
    f->kinds = 1u << EVENT_KIND_TRANSITION | 1u << EVENT_KIND_UNDELIVERED;
}
