/* SPDX-License-Identifier: MIT
 * A harness without libFuzzer: it goes through the files of a corpus as they are, cut short, and with a few bytes
 * changed. The changes come from the file's own bytes, so that a run can be made again. usage: replay_NAME [--variants
 * N] FILE|DIRECTORY...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/types.h"
#include "fuzz.h"

#define INPUT_MAX (1u << 20)

struct replay {
    unsigned variants; /* of each file */
    unsigned files, inputs;
};

/* xorshift64; the state is never 0. */
static u64 random_next(u64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static u64 hash(const uint8_t *data, size_t size)
{
    u64 h = 0xCBF29CE484222325;

    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 0x100000001B3;
    return h | 1;
}

/* One to eight bytes replaced: a stand-in for libFuzzer's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    u64 random = hash(data, size);

    (void)max;
    for (u64 n = random_next(&random) % 8 + 1; n-- > 0 && size > 0;) {
        u64 what = random_next(&random);

        data[random_next(&random) % size] = (uint8_t)(what & 1 ? what >> 8 : what & 2 ? 0xFF : 0);
    }
    return size;
}

#ifndef FUZZ_HAS_MUTATOR
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max);
}
#endif

static void give(struct replay *r, const uint8_t *data, size_t size)
{
    /* As large as the input, so that a sanitizer sees what is read past its end. */
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    r->inputs++;
}

static void give_variants(struct replay *r, const uint8_t *data, size_t size)
{
    u64 random = hash(data, size);
    uint8_t *changed = malloc(size ? size : 1);

    if (!changed)
        abort();
    give(r, data, size);
    for (unsigned i = 0; i < r->variants && size > 0; i++) {
        give(r, data, (size_t)(random_next(&random) % size));
        memcpy(changed, data, size);
        changed[random_next(&random) % size] ^= (uint8_t)(1u << (random_next(&random) % 8));
        give(r, changed, LLVMFuzzerCustomMutator(changed, size, size, (unsigned)random_next(&random)));
    }
    free(changed);
}

static bool give_file(struct replay *r, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    size_t size;

    if (!file || !data) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        return false;
    }
    size = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    r->files++;
    give_variants(r, data, size);
    free(data);
    return true;
}

static int visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static bool give_path(struct replay *r, const char *path)
{
    struct stat st;
    struct dirent **names;
    bool ok = true;
    int n;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return give_file(r, path);
    n = scandir(path, &names, visible, alphasort);
    for (int i = 0; i < n; i++) {
        char *member;

        if (asprintf(&member, "%s/%s", path, names[i]->d_name) < 0)
            abort();
        ok &= give_file(r, member);
        free(member);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return ok && n >= 0;
}

int main(int argc, char **argv)
{
    struct replay r = {0};
    bool ok = true;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--variants") == 0 && i + 1 < argc)
            r.variants = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            ok &= give_path(&r, argv[i]);
    }
    if (r.files == 0) {
        fprintf(stderr, "usage: %s [--variants N] FILE|DIRECTORY...; there was no input\n", argv[0]);
        return 2;
    }
    printf("%u files, %u inputs\n", r.files, r.inputs);
    return ok ? 0 : 1;
}
