/* SPDX-License-Identifier: MIT
 * Loaded modules: the kernel's list of them, and the symbols that it keeps for each. Needs the symbol `modules` and the
 * layout of struct module.
 */
#include "guest/internal.h"

#include <stdlib.h>

#include "base/text.h"

#define WALK_MAX 1024u
#define SYMBOLS_MAX 65536u  /* per module */
#define SYMBOLS_ALL 262144u /* of all modules together: Debian's 100 usual ones have some 30,000 */
#define UNFORMED_EAGER 64u
#define PATIENCE_UNFORMED 4096u
#define NAME_MAX_BYTES 128u
#define MODULE_SIZE_MAX (256u << 20)
#define STATE_UNFORMED 3u /* the first member's values: live, coming, going, unformed */

#define ELF64_SYM_SIZE 24u /* name u32, info u8, other u8, section u16, value u64, size u64 */
#define ELF32_SYM_SIZE 16u /* name u32, value u32, size u32, info u8, other u8, section u16 */

void modules_forget(struct guest *g)
{
    g->view.modules[0] = g->view.modules[1] = g->nothing;
    g->view.modules_value[0] = g->view.modules_value[1] = 0;
    g->unformed = false;
}

void modules_free(struct guest *g)
{
    for (size_t i = 0; i < g->modules; i++) {
        symbols_free(g->module[i]->symbols);
        free(g->module[i]);
    }
    free(g->module);
}

/* Type letter of a symbol. The kernel before 5.2 kept the letter itself in st_info. */
static char symbol_type(u8 info)
{
    bool global = (info >> 4) != 0;

    if (info >= 'A')
        return (char)info;
    switch (info & 0xF) {
    case 1: return global ? 'D' : 'd'; /* object */
    case 2: return global ? 'T' : 't'; /* function */
    default: return global ? 'N' : 'n';
    }
}

/* Symbols inside the module's core: those of its init code go when it has run, and would then name what comes there. */
static void symbols_read(struct guest *g, const struct cpu *cpu, u64 module, struct guest_module *m)
{
    const struct kernel_layout *l = &g->layout;
    bool is64 = g->kernel->is64;
    u64 kallsyms, symtab, strtab, size = is64 ? ELF64_SYM_SIZE : ELF32_SYM_SIZE;
    u32 count;

    if (!guest_read_pointer(cpu, is64, module + l->module_kallsyms, &kallsyms) ||
        !guest_read_pointer(cpu, is64, kallsyms + l->kallsyms_symtab, &symtab) ||
        !guest_read_pointer(cpu, is64, kallsyms + l->kallsyms_strtab, &strtab) ||
        !guest_read(cpu, kallsyms + l->kallsyms_count, &count, sizeof count))
        return;
    for (u32 i = 0; i < count && i < SYMBOLS_MAX && g->module_symbols < SYMBOLS_ALL; i++, g->module_symbols++) {
        u8 raw[ELF64_SYM_SIZE], info;
        char name[NAME_MAX_BYTES];
        u64 value;

        if (!guest_read(cpu, symtab + i * size, raw, size))
            return;
        info = is64 ? raw[4] : raw[12];
        value = is64 ? load_le64(raw + 8) : load_le32(raw + 4);
        if (value - m->base >= m->size || (info < 'A' && (info & 0xF) > 2)) /* no sections, no file names */
            continue;
        if (guest_read_string(cpu, strtab + load_le32(raw), name, sizeof name) && name[0])
            symbols_add(m->symbols, value, symbol_type(info), name, strlen(name));
    }
}

static bool module_is_known(const struct guest *g, const struct guest_module *m)
{
    for (size_t i = 0; i < g->modules; i++)
        if (g->module[i]->base == m->base && g->module[i]->size == m->size && strcmp(g->module[i]->name, m->name) == 0)
            return true;
    return false;
}

static void module_keep(struct guest *g, const struct cpu *cpu, u64 at, const struct guest_module *found)
{
    struct guest_module *m = malloc(sizeof *m), **grown = realloc(g->module, (g->modules + 1) * sizeof *grown);

    if (!m || !grown)
        abort();
    *m = *found;
    m->symbols = symbols_new();
    symbols_read(g, cpu, at, m);
    symbols_sort(m->symbols);
    g->module = grown;
    g->module[g->modules++] = m;
}

/* One element of the list. returns: whether it is a module that is new and complete
 * effects: g->unformed is set when it is not complete yet */
static bool module_read(struct guest *g, const struct cpu *cpu, u64 at, struct guest_module *m)
{
    const struct kernel_layout *l = &g->layout;
    bool is64 = g->kernel->is64;
    u32 state, size;

    *m = (struct guest_module){0};
    if (!guest_read(cpu, at, &state, sizeof state) ||
        !guest_read_string(cpu, at + l->module_name, m->name, sizeof m->name) || !m->name[0] ||
        !guest_read_pointer(cpu, is64, at + l->module_base, &m->base) ||
        !guest_read(cpu, at + l->module_size, &size, sizeof size))
        return false;
    text_make_plain(m->name);
    m->size = size;
    g->unformed |= state == STATE_UNFORMED;
    return state < STATE_UNFORMED && guest_is_kernel_address(is64, m->base) && size && size <= MODULE_SIZE_MAX &&
           !module_is_known(g, m);
}

bool modules_locate(struct guest *g, const struct cpu *cpu)
{
    struct guest_view *v = &g->view;
    const u8 *head;
    u64 at;

    if (v->modules[0] != g->nothing)
        return true;
    /* BTF or DWARF gave the layout: on a kernel that has neither modules are not known. */
    if (!g->layout.module_name || !guest_symbol(g, "modules", &at))
        return false;
    head = guest_host(cpu, at, g->kernel->is64 ? 16 : 8);
    if (!head)
        return false;
    v->modules[0] = head;
    v->modules[1] = g->kernel->is64 ? head + 8 : g->nothing;
    return true;
}

/* Looks to let pass before an unformed module is looked at again: none at first, for loading does not take long. */
static u32 unformed_patience(u32 looks)
{
    u32 doubled = looks < UNFORMED_EAGER ? 0 : 1u << (looks - UNFORMED_EAGER < 12 ? looks - UNFORMED_EAGER : 12);

    return doubled < PATIENCE_UNFORMED ? doubled : PATIENCE_UNFORMED;
}

bool modules_look(struct guest *g, const struct cpu *cpu)
{
    struct guest_view *v = &g->view;
    bool news = false, is64 = g->kernel->is64;
    u64 head, at;

    if (!modules_locate(g, cpu))
        return false;
    if (load_le64(v->modules[0]) != v->modules_value[0] || load_le64(v->modules[1]) != v->modules_value[1])
        g->unformed_looks = g->unformed_wait = 0;
    else if (!g->unformed || g->unformed_wait-- > 0)
        return false;
    g->unformed = false;
    v->modules_value[0] = load_le64(v->modules[0]);
    v->modules_value[1] = load_le64(v->modules[1]);
    if (!guest_symbol(g, "modules", &head) || !guest_read_pointer(cpu, is64, head, &at))
        return false;
    for (unsigned i = 0; i < WALK_MAX && at != head; i++) {
        struct guest_module m;
        u64 module = at - g->layout.module_list;

        if (g->modules < GUEST_MODULES_MAX && module_read(g, cpu, module, &m)) {
            module_keep(g, cpu, module, &m);
            news = true;
        }
        if (!guest_read_pointer(cpu, is64, at, &at))
            break;
    }
    if (g->unformed)
        g->unformed_wait = unformed_patience(++g->unformed_looks);
    return news;
}
