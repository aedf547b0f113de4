/* SPDX-License-Identifier: MIT
 * A walk as JSON: the nodes, nested as calls are.
 */
#include "trace/trace.h"
#include "trace/walk/disasm.h"
#include "trace/walk/walk.h"
#include "trace/words.h"

typedef unsigned long long ull;

#define TEXT 160

struct json {
    FILE *out;
    const struct walk_tree *tree;
    struct disasm *disasm;
};

static const char *const kinds[] = {
    [WALK_ROOT] = "walk",
    [WALK_USER] = "user",
    [WALK_ENTRY] = "entry",
    [WALK_FUNCTION] = "function",
    [WALK_INTERRUPT] = "interrupt",
    [WALK_OTHERS] = "others",
    [WALK_LOST] = "lost",
    [WALK_EXIT] = "exit",
    [WALK_INSN] = "insn",
    [WALK_SLOT] = "slot",
    [WALK_STACK] = "stack",
    [WALK_SWAPGS] = "swapgs",
    [WALK_CR3] = "cr3",
    [WALK_CR0] = "cr0",
    [WALK_CR4] = "cr4",
    [WALK_MSR] = "wrmsr",
    [WALK_FAULTS] = "undelivered",
};

static void code(struct json *j, const struct walk_node *n)
{
    char text[TEXT];

    if (n->length == 0)
        return;
    disasm_text(j->disasm, n->mode, n->address, n->insn, n->length, text, sizeof text);
    fputs(",\"insn\":", j->out);
    words_json(j->out, text);
}

static void changes(struct json *j, const struct walk_node *n)
{
    if (n->changes == 0)
        return;
    fputs(",\"changes\":{", j->out);
    for (unsigned i = 0; i < n->changes; i++) {
        const struct walk_change *c = &j->tree->change[n->change + i];

        fprintf(j->out, "%s\"%u\":\"0x%llx\"", i ? "," : "", c->reg, (ull)c->value);
    }
    fputc('}', j->out);
}

static void symbol(struct json *j, const struct walk_node *n)
{
    fprintf(j->out, ",\"address\":\"0x%llx\"", (ull)n->address);
    if (n->symbol.name == NULL)
        return;
    fputs(",\"name\":", j->out);
    words_json(j->out, n->symbol.name);
    if (n->address != n->symbol.start)
        fprintf(j->out, ",\"offset\":%llu", (ull)(n->address - n->symbol.start));
    if (n->symbol.module != NULL) {
        fputs(",\"module\":", j->out);
        words_json(j->out, n->symbol.module);
    }
}

static void members(struct json *j, const struct walk_node *n)
{
    switch ((enum walk_kind)n->kind) {
    case WALK_ENTRY:
    case WALK_EXIT: fprintf(j->out, ",\"mech\":\"%s\"", event_mechanism_name((unsigned)n->a)); break;
    case WALK_FUNCTION:
        symbol(j, n);
        if (n->tail)
            fputs(",\"tail\":true", j->out);
        break;
    case WALK_INTERRUPT:
        fprintf(j->out, ",\"mech\":\"%s\",\"vector\":%llu", event_mechanism_name((unsigned)n->a), (ull)n->b);
        symbol(j, n);
        break;
    case WALK_SLOT:
        fprintf(j->out, ",\"slot\":\"%s\"", walk_slot_name(j->tree->is64, (unsigned)n->a));
        if (n->known)
            fprintf(j->out, ",\"value\":\"0x%llx\"", (ull)n->b);
        code(j, n);
        break;
    case WALK_USER:
    case WALK_INSN:
        symbol(j, n);
        code(j, n);
        changes(j, n);
        break;
    case WALK_MSR: fprintf(j->out, ",\"msr\":\"0x%x\"", n->number); /* fall through */
    case WALK_STACK:
    case WALK_SWAPGS:
    case WALK_CR3:
    case WALK_CR0:
    case WALK_CR4:
        fprintf(j->out, ",\"old\":\"0x%llx\",\"new\":\"0x%llx\"", (ull)n->a, (ull)n->b);
        code(j, n);
        break;
    default: break;
    }
}

/* in: n  its parent's child  returns: the sum of the counts printed */
static u64 node(struct json *j, const struct walk_node *n)
{
    u64 sum = n->self;
    bool first = true;

    fprintf(j->out, "{\"kind\":\"%s\"", kinds[n->kind]);
    members(j, n);
    if (n->total != 0)
        fprintf(j->out, ",\"self\":%llu,\"total\":%llu", (ull)n->self, (ull)n->total);
    for (u32 i = n->first; i != WALK_NONE; i = j->tree->node[i].next) {
        if (j->tree->node[i].hidden)
            continue;
        fputs(first ? ",\"children\":[" : ",", j->out);
        first = false;
        sum += node(j, &j->tree->node[i]);
    }
    fputs(first ? "}" : "]}", j->out);
    return sum;
}

bool walk_print_json(FILE *out, const struct walk_tree *tree)
{
    struct json j = {.out = out, .tree = tree, .disasm = disasm_new()};
    static const char *const ends[] = {[WALK_OPEN] = "open", [WALK_RETURNED] = "returned", [WALK_GONE] = "gone"};
    u64 sum;

    fprintf(out,
            "{\"entry\":%llu,\"exit\":%llu,\"end\":\"%s\",\"insns\":%llu,\"others\":%llu,\"switched\":%llu,\"tree\":",
            (ull)tree->entry_id, (ull)tree->exit_id, ends[tree->end], (ull)tree->insns, (ull)tree->others,
            (ull)tree->switched);
    sum = node(&j, &tree->node[0]);
    fprintf(out, ",\"sum\":%llu}", (ull)sum);
    disasm_free(j.disasm);
    return sum == tree->insns;
}
