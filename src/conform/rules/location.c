/* SPDX-License-Identifier: MIT
 * Reading and setting processor state by location number.
 */
#include "conform/rules/location.h"

#include "cpu/flags.h"

struct field {
    const char *name;
    size_t offset, size;
};

#define FIELD(member) offsetof(struct cpu_arch, member), sizeof(((struct cpu_arch *)0)->member)

static const struct field fields[LOCATIONS] = {
#define LOC(id, text, member) [L_##id] = {text, FIELD(member)},
#define SEGMENT_LOC(id, text, member)                                                                                  \
    [L_##id] = {text, FIELD(member.selector)}, [L_##id##_BASE] = {text ".base", FIELD(member.base)},                   \
    [L_##id##_LIMIT] = {text ".limit", FIELD(member.limit)}, [L_##id##_ATTR] = {text ".attr", FIELD(member.attr)},
#include "conform/rules/location.def"
#undef LOC
#undef SEGMENT_LOC
};

const char *location_name(enum location location)
{
    static const char *const others[LOCATIONS_ALL - LOCATIONS] = {
        "mode",  "vector",      "error code", "stack source", "gate kind", "gate dpl",     "ist",
        "frame", "frame words", "parameters", "rule",         "irq line",  "task priority"};

    return location < LOCATIONS ? fields[location].name : others[location - LOCATIONS];
}

u64 location_get(const struct cpu *cpu, enum location location)
{
    const u8 *at = (const u8 *)&cpu->arch + fields[location].offset;
    u64 value = 0;

    if (location == L_RFLAGS)
        return flags_get(cpu);
    memcpy(&value, at, fields[location].size);
    return value;
}

void location_put(struct cpu *cpu, enum location location, u64 value)
{
    if (location == L_RFLAGS)
        flags_put(cpu, value);
    else
        memcpy((u8 *)&cpu->arch + fields[location].offset, &value, fields[location].size);
}
