/* SPDX-License-Identifier: MIT
 * Names of addresses in the guest.
 */
#include "trace/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

static const struct guest_module *module_of(const struct names *n, u64 address)
{
    for (size_t i = n->modules; i-- > 0;) /* the latest first: an address may have been used before */
        if (address - n->module[i].base < n->module[i].size)
            return &n->module[i];
    return NULL;
}

const char *names_lookup(const struct names *n, u64 address, u64 *offset, u64 *end)
{
    const struct guest_module *module = module_of(n, address);
    struct symbol found;

    if (module) {
        if (!module->symbols || !symbols_lookup(module->symbols, address, &found, offset))
            return NULL;
        if (end)
            *end = symbols_end(module->symbols, found.address);
        return found.name;
    }
    if (!n->kernel || !n->slid)
        return NULL;
    address -= n->slide;
    if (!n->kernel->is64)
        address &= 0xFFFFFFFF;
    if (!symbols_lookup(n->kernel->symbols, address, &found, offset))
        return NULL;
    if (end)
        *end = symbols_end(n->kernel->symbols, found.address) + n->slide;
    return found.name;
}

bool names_format(const struct names *n, u64 address, char *out, size_t size)
{
    const struct guest_module *module = module_of(n, address);
    u64 offset = 0;
    const char *name = names_lookup(n, address, &offset, NULL);
    char where[64] = "";

    *out = '\0';
    if (!name && !module)
        return false;
    if (!name) { /* a module without symbols */
        snprintf(out, size, "[%s]+0x%llx", module->name, (unsigned long long)(address - module->base));
        return true;
    }
    if (module)
        snprintf(where, sizeof where, " [%s]", module->name);
    if (offset)
        snprintf(out, size, "%s+0x%llx%s", name, (unsigned long long)offset, where);
    else
        snprintf(out, size, "%s%s", name, where);
    return true;
}

bool names_address(const struct names *n, const char *symbol, u64 *address)
{
    if (!n->kernel || !n->slid || !symbols_find(n->kernel->symbols, symbol, address))
        return false;
    *address += n->slide;
    if (!n->kernel->is64)
        *address &= 0xFFFFFFFF;
    return true;
}

void names_module_add(struct names *n, const struct guest_module *module)
{
    if (n->modules == NAMES_MODULES)
        return;
    n->module[n->modules++] = *module;
}

/* ---- name, base and size, then the symbols */

#define MODULE_HEADER (sizeof((struct guest_module){0}.name) + 16)

u8 *module_pack(const struct guest_module *module, size_t *size)
{
    size_t symbols_size = 0, name = sizeof module->name;
    u8 *symbols = module->symbols ? symbols_pack(module->symbols, &symbols_size) : NULL;
    u8 *bytes = malloc(MODULE_HEADER + symbols_size);

    if (!bytes)
        abort();
    memcpy(bytes, module->name, name);
    store_le64(bytes + name, module->base);
    store_le64(bytes + name + 8, module->size);
    if (symbols_size)
        memcpy(bytes + MODULE_HEADER, symbols, symbols_size);
    free(symbols);
    *size = MODULE_HEADER + symbols_size;
    return bytes;
}

bool module_unpack(struct guest_module *module, const u8 *bytes, size_t size, struct error *err)
{
    *module = (struct guest_module){0};
    if (size < MODULE_HEADER)
        return error_set(err, EXIT_FILE, "a module's section is too short");
    memcpy(module->name, bytes, sizeof module->name - 1);
    for (char *c = module->name; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7F)
            *c = '?';
    module->base = load_le64(bytes + sizeof module->name);
    module->size = load_le64(bytes + sizeof module->name + 8);
    if (size > MODULE_HEADER)
        module->symbols = symbols_unpack(bytes + MODULE_HEADER, size - MODULE_HEADER, err);
    return size == MODULE_HEADER || module->symbols;
}
