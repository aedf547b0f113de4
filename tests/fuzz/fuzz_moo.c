/* SPDX-License-Identifier: MIT
 * A file of captures of any content, plain or gzip: read to its end, and its first tests run. It must neither crash nor
 * leave a trace in the machine.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conform/moo/check.h"
#include "fuzz.h"

#define RUNS 4u

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void run(struct moo_machine *m, u64 zero, const struct moo_header *header, const struct moo_test *test,
                FILE *out)
{
    unsigned row = 0;
    enum moo_verdict verdict = moo_check(m, header->cpu, test, out, &row);

    require(verdict == MOO_SAME || verdict == MOO_WRONG || row < moo_difference_count(), "an unknown row");
    require(physmem_hash(m->pm) == zero, "memory is not zero after a test");
}

static void read_file(const char *path, FILE *out)
{
    struct error err = {0};
    struct moo_reader *reader = moo_open(path, &err);
    struct moo_machine m;
    struct moo_test test;
    enum moo_next next;
    u64 zero;

    require(reader != NULL || err.text[0] != '\0', "refused without a reason");
    if (reader == NULL)
        return;
    require(moo_machine_open(&m, moo_header(reader)->cpu, VENDOR_INTEL, ENGINE_BLOCK, &err), err.text);
    zero = physmem_hash(m.pm);
    for (unsigned i = 0; (next = moo_next(reader, &test, &err)) == MOO_TEST; i++)
        if (i < RUNS)
            run(&m, zero, moo_header(reader), &test, out);
    require(next == MOO_END || err.text[0] != '\0', "damaged without a reason");
    moo_machine_close(&m);
    moo_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = memfd_create("captures", MFD_CLOEXEC);
    FILE *out = fopen("/dev/null", "w");
    char path[64];

    require(file >= 0 && out != NULL && write(file, data, size) == (ssize_t)size, "the host has no memory for a file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    read_file(path, out);
    fclose(out);
    close(file);
    return 0;
}
