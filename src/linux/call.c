/* SPDX-License-Identifier: MIT
 * A call printed: its name and its arguments, each by the printer of its kind.
 */
#include "linux/args.h"

struct kind_row {
    arg_fn *print;
    const struct linux_names *names;
    u8 memory, args;
};

static const struct kind_row kinds[KINDS] = {
#define KIND(name, memory, arguments, printer, table)                                                                  \
    [KIND_##name] = {arg_##printer, &names_##table, memory, arguments},
#include "linux/kinds.def"
#undef KIND
};

/* All that one call may read: what its arguments describe is hostile and may be nested. */
#define READ_BUDGET (1u << 20)

static void print_begin(struct print *p, FILE *out, const struct linux_call *call, const struct linux_style *style)
{
    p->call = call;
    p->row = linux_syscall(call->abi, call->number);
    p->narrow = call->abi == LINUX_I386;
    p->word = call->abi == LINUX_AMD64 ? 8 : 4;
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        p->arg[i] = p->narrow ? (u32)call->arg[i] : call->arg[i];
    p->ok = call->returned && (call->result >= 0 || call->result < -4095);
    p->limit = style->string_limit == 0 ? 32 : style->string_limit < STRING_LIMIT ? style->string_limit : STRING_LIMIT;
    p->budget = READ_BUDGET;
    p->memory = NULL;
    p->names = &names_none;
    p->depth = 0;
    p->out = out;
    p->begun = p->comma = false;
    p->used = 0;
}

static void print_args(struct print *p)
{
    const struct linux_syscall *row = p->row; /* a multiplexer puts the call inside in its place */
    unsigned i = 0;
    for (unsigned column = 0; column < LINUX_ARGS && row->kind[column] != KIND____; column++) {
        const struct kind_row *kind = &kinds[row->kind[column]];
        put_next(p);
        p->names = kind->names;
        p->memory = kind->memory & IN ? p->call->in : p->call->out;
        if (kind->memory == OUT && !p->ok && kind->args == 1)
            put_address(p, p->arg[i]);
        else if (p->out != NULL || kind->memory != 0)
            kind->print(p, i);
        i += kind->args;
    }
}

void put_inner_call(struct print *p, const struct linux_syscall *row, const u64 *args)
{
    if (++p->depth > 1)
        return;
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        p->arg[i] = p->narrow ? (u32)args[i] : args[i];
    p->row = row;
    print_args(p);
}

static void print_raw_args(struct print *p, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put_next(p);
        put_hex(p, p->arg[i]);
    }
}

void linux_print_call(FILE *out, const struct linux_call *call, const struct linux_style *style)
{
    struct print p;
    print_begin(&p, out, call, style);
    const struct linux_syscall *row = p.row;
    if (row == NULL) {
        put_format(&p, "syscall_%#llx(", (unsigned long long)call->number);
        p.begun = false;
        print_raw_args(&p, LINUX_ARGS);
    } else if (style->raw) {
        put_format(&p, "%s(", row->name);
        p.begun = false;
        print_raw_args(&p, row->args);
    } else {
        const struct linux_syscall *inner = multiplexed_row(&p);
        put_format(&p, "%s(", (inner != NULL ? inner : row)->name);
        p.begun = false;
        print_args(&p);
    }
    p.comma = false;
    put_char(&p, ')');
    put_flush(&p);
}

void linux_print_result(FILE *out, const struct linux_call *call, const struct linux_style *style)
{
    struct print p;
    print_begin(&p, out, call, style);
    put_result(&p, style->raw);
    put_flush(&p);
}

void linux_visit_memory(const struct linux_call *call, const struct linux_style *style)
{
    struct print p;
    print_begin(&p, NULL, call, style);
    if (p.row == NULL || p.row->memory == 0 || style->raw)
        return;
    print_args(&p);
    put_result(&p, false);
}

u64 arg_pair(const struct print *p, unsigned i)
{
    return i + 1 < LINUX_ARGS ? (p->arg[i] & 0xFFFFFFFF) | p->arg[i + 1] << 32 : p->arg[LINUX_ARGS - 1];
}

i64 arg_signed(const struct print *p, unsigned i) { return p->narrow ? (i32)p->arg[i] : (i64)p->arg[i]; }

i64 printed_result(const struct print *p) { return p->call->result; }
