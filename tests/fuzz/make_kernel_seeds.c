/* SPDX-License-Identifier: MIT
 * Seeds of fuzz_kernel: small made-up kernels, one in each form, and one packed by each packer.
 * usage: make_kernel_seeds DIR
 */
#include "../unit/kernel_fixture.h"
#include "kernel/kernel.h"

static void write_seed(const char *dir, const char *name, const u8 *bytes, size_t size)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void make_elf(const char *dir, const char *name, struct fixture_shape shape)
{
    struct fixture *f;

    shape.functions = 280;
    f = fixture_make(&shape);
    write_seed(dir, name, f->elf.bytes, f->elf.size);
    fixture_free(f);
}

static void make_packed(const char *dir, const struct fixture *f, const char *name, enum fixture_packing packing)
{
    struct buffer image = fixture_bzimage(f, packing);

    write_seed(dir, name, image.bytes, image.size);
    free(image.bytes);
}

int main(int argc, char **argv)
{
    static const char *const packed[PACKINGS] = {
        [PACK_GZIP] = "bzimage-gzip", [PACK_XZ] = "bzimage-xz",     [PACK_LZ4] = "bzimage-lz4",
        [PACK_ZSTD] = "bzimage-zstd", [PACK_LZMA] = "bzimage-lzma", [PACK_LZO] = "bzimage-lzo"};
    struct fixture *f;
    struct kernel *k;
    struct error err;
    size_t size;
    u8 *bytes;

    if (argc != 2)
        return 2;
    make_elf(argv[1], "elf64-seqs", (struct fixture_shape){.is64 = true, .order = ORDER_SEQS});
    make_elf(
        argv[1], "elf64-late-bare",
        (struct fixture_shape){
            .is64 = true, .no_sections = true, .order = ORDER_LATE, .current = CURRENT_HOT, .modules = MODULES_PARTS});
    make_elf(argv[1], "elf32-old", (struct fixture_shape){.form = FIXTURE_RELATIVE, .current = CURRENT_CODE});
    make_elf(argv[1], "elf32-words", (struct fixture_shape){.form = FIXTURE_WORDS, .no_btf = true});
    make_elf(argv[1], "elf64-place", (struct fixture_shape){.is64 = true, .order = ORDER_LATE, .form = FIXTURE_PLACE});
    f = fixture_make(&(struct fixture_shape){.is64 = true, .functions = 280});
    for (unsigned i = 0; i < PACKINGS; i++) {
        if (packed[i] != NULL)
            make_packed(argv[1], f, packed[i], (enum fixture_packing)i);
    }
    k = kernel_open_bytes(f->elf.bytes, f->elf.size, "seed", 1u << 24, &err);
    bytes = kernel_pack(k, &size);
    write_seed(argv[1], "packed", bytes, size);
    free(bytes);
    kernel_free(k);
    fixture_free(f);
    return 0;
}
