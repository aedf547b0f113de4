/* SPDX-License-Identifier: MIT
 * Offsets inside the kernel's structures.
 */
#include "kernel/layout.h"

#include <string.h>

#define MEMBER_NAME_LIMIT 64u

bool type_offset(const struct type_source *source, const char *structure, const char *path, u32 *offset)
{
    u64 type;

    *offset = 0;
    if (!source->find(source->data, structure, &type))
        return false;
    while (*path != '\0') {
        char name[MEMBER_NAME_LIMIT];
        size_t length = strcspn(path, ".");

        if (length >= sizeof name)
            return false;
        memcpy(name, path, length);
        name[length] = '\0';
        if (!source->member(source->data, type, name, offset, &type))
            return false;
        path += length + (path[length] == '.');
    }
    return true;
}

/* The first of several spellings; versions differ. `at`: where in struct kernel_layout it goes. */
struct wanted {
    size_t at;
    const char *structure;
    const char *path[3];
};

#define AT(member) offsetof(struct kernel_layout, member)

static const struct wanted of_tasks[] = {
    {AT(task_pid), "task_struct", {"pid"}},     {AT(task_tgid), "task_struct", {"tgid"}},
    {AT(task_comm), "task_struct", {"comm"}},   {AT(task_mm), "task_struct", {"mm"}},
    {AT(task_flags), "task_struct", {"flags"}}, {AT(task_thread_sp), "task_struct", {"thread.sp"}},
    {AT(mm_pgd), "mm_struct", {"pgd"}},
};

/* Where a module lies: one part for code and data until 6.3 (before 4.5 not a structure of its own), an array of parts
 * since 6.4, of which the first is code. */
static const struct wanted of_modules[] = {
    {AT(module_list), "module", {"list"}},
    {AT(module_name), "module", {"name"}},
    {AT(module_base), "module", {"core_layout.base", "mem.base", "module_core"}},
    {AT(module_size), "module", {"core_layout.size", "mem.size", "core_size"}},
    {AT(module_kallsyms), "module", {"kallsyms"}},
    {AT(kallsyms_symtab), "mod_kallsyms", {"symtab"}},
    {AT(kallsyms_count), "mod_kallsyms", {"num_symtab"}},
    {AT(kallsyms_strtab), "mod_kallsyms", {"strtab"}},
};

static bool read_one(const struct type_source *source, const struct wanted *w, struct kernel_layout *layout)
{
    u32 offset;

    for (unsigned i = 0; i < ARRAY_LEN(w->path) && w->path[i] != NULL; i++) {
        if (type_offset(source, w->structure, w->path[i], &offset)) {
            memcpy((char *)layout + w->at, &offset, sizeof offset);
            return true;
        }
    }
    return false;
}

bool layout_read(const struct type_source *source, struct kernel_layout *layout, const char **missing)
{
    struct kernel_layout found = {0}, with_modules;

    for (unsigned i = 0; i < ARRAY_LEN(of_tasks); i++) {
        if (!read_one(source, &of_tasks[i], &found)) {
            *missing = of_tasks[i].path[0];
            return false;
        }
    }
    found.known = true;
    *missing = NULL;
    with_modules = found;
    for (unsigned i = 0; i < ARRAY_LEN(of_modules) && *missing == NULL; i++) {
        if (!read_one(source, &of_modules[i], &with_modules))
            *missing = of_modules[i].path[0];
    }
    *layout = *missing == NULL ? with_modules : found;
    return true;
}
