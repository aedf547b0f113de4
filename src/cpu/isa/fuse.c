/* SPDX-License-Identifier: MIT
 * Which pairs of instructions have a function of their own.
 */
#include "cpu/isa/fuse.h"

/* The form whose function an instruction has. */
static enum form form_in_use(const struct insn *insn)
{
    const struct body *body = insn_rows[insn->row].body;
    enum form f = FORM_RR;

    while (f < FORMS && body->fn[f][insn->width] != insn->exec)
        f++;
    return f;
}

static exec_fn *find(const struct fusion *list, unsigned count, const struct insn *first, const struct insn *second)
{
    const struct body *body = insn_rows[first->row].body, *next = insn_rows[second->row].body;

    for (unsigned i = 0; i < count; i++) {
        const struct fusion *fusion = &list[i];

        if (fusion->first == body && fusion->second == next &&
            second->exec == next->fn[fusion->second_form][second->width]) {
            enum form f = form_in_use(first);

            return f < FORMS ? fusion->fn[f][first->width] : NULL;
        }
    }
    return NULL;
}

bool insn_fuse(struct insn *first, const struct insn *second)
{
    exec_fn *exec = find(alu_fusions, alu_fusion_count, first, second);

    if (exec == NULL && first->width == second->width)
        exec = find(stack_fusions, stack_fusion_count, first, second);
    if (exec != NULL)
        first->exec = exec;
    return exec != NULL;
}
