/* SPDX-License-Identifier: MIT
 * A walk's symbols by the names of a recording or of the running guest.
 */
#include "trace/walk/walk.h"

bool walk_names_symbol(void *context, u64 address, bool user, struct walk_symbol *symbol)
{
    const struct names *names = context;
    u64 offset, end;
    const char *name = user ? NULL : names_lookup(names, address, &offset, &end);

    if (name == NULL)
        return false;
    *symbol = (struct walk_symbol){.name = name, .start = address - offset, .end = end};
    for (size_t i = 0; i < names->modules; i++)
        if (address - names->module[i].base < names->module[i].size)
            symbol->module = names->module[i].name;
    return true;
}
