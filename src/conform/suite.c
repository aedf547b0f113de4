/* SPDX-License-Identifier: MIT
 * The suites, in the order in which they are reported.
 */
#include "conform/suite.h"

#include <string.h>

static const struct conform_suite *const suites[] = {
    &suite_rules,
    &suite_hardware,
    &suite_decoder,
    &suite_moo,
};

const struct conform_suite *conform_suite_at(unsigned index)
{
    return index < ARRAY_LEN(suites) ? suites[index] : NULL;
}

const struct conform_suite *conform_suite_named(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(suites); i++)
        if (strcmp(suites[i]->name, name) == 0)
            return suites[i];
    return NULL;
}
