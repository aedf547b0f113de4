/* SPDX-License-Identifier: MIT
 * A hostile kernel file: everything that is asked of one, and its packed form read back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "fuzz.h"
#include "kernel/kernel.h"

#define LIMIT (4u << 20) /* of the unpacked kernel: enough for each part, and quick */

static void use(const struct kernel *k)
{
    size_t count = symbols_count(k->symbols);
    size_t sum = strlen(k->symbols_how) + strlen(k->layout_how) + strlen(k->syscalls_how) + strlen(k->current_how);

    for (size_t i = 0; i < count; i++) {
        struct symbol s = symbols_at(k->symbols, i), found;
        u64 address, offset;

        if (!symbols_find(k->symbols, s.name, &address))
            abort(); /* every name is found, if not at this address */
        if (symbols_lookup(k->symbols, s.address, &found, &offset) && found.address + offset != s.address)
            abort();
        sum += symbols_end(k->symbols, s.address) != 0;
    }
    for (size_t i = 0; i < k->syscalls; i++)
        sum += strlen(k->syscall[i].name);
    if (sum == 0)
        abort(); /* something is always said */
}

/* A kernel must come back from its packed form as it was. */
static void pack(const struct kernel *k)
{
    size_t size, again_size;
    u8 *bytes = kernel_pack(k, &size), *again_bytes;
    struct error err;
    struct kernel *again = kernel_unpack(bytes, size, &err);

    if (again == NULL)
        abort();
    again_bytes = kernel_pack(again, &again_size);
    if (again_size != size || memcmp(again_bytes, bytes, size) != 0)
        abort();
    use(again);
    kernel_free(again);
    free(bytes);
    free(again_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct kernel *k = kernel_open_bytes(data, size, "input", LIMIT, &err);

    if (k == NULL && (err.code != EXIT_FILE || err.text[0] == '\0'))
        abort();
    if (k != NULL) {
        use(k);
        pack(k);
    }
    kernel_free(k);
    /* The bytes as a packed kernel too: a recording's is as hostile. */
    kernel_free(kernel_unpack(data, size, &err));
    return 0;
}
