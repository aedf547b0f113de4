/* SPDX-License-Identifier: MIT
 * Kernel images, made up in every form that is known, and Debian's real ones where they are there: what is found is
 * what is in them, and a damaged image gives an error or less, never a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/kernel.h"
#include "kernel_fixture.h"

#define LIMIT (64u << 20)

static struct kernel *open_bytes(const u8 *bytes, size_t size)
{
    struct error err;
    struct kernel *k = kernel_open_bytes(bytes, size, "fixture", LIMIT, &err);

    if (k == NULL)
        print_message("%s\n", err.text);
    return k;
}

/* Every symbol with its address and letter, in order, and no other. */
static void expect_symbols(const struct kernel *k, const struct fixture *f)
{
    if (symbols_count(k->symbols) == 0)
        print_message("%s\n", k->symbols_how);
    assert_int_equal(symbols_count(k->symbols), f->symbols);
    for (unsigned i = 0; i < f->symbols; i++) {
        struct symbol s = symbols_at(k->symbols, i);

        assert_string_equal(s.name, f->symbol[i].name);
        assert_int_equal(s.address, f->symbol[i].address);
        assert_int_equal(s.type, f->symbol[i].type);
    }
}

static void expect_found(const struct fixture_shape *shape)
{
    struct fixture *f = fixture_make(shape);
    struct kernel *k = open_bytes(f->elf.bytes, f->elf.size);

    assert_non_null(k);
    assert_int_equal(k->is64, shape->is64);
    assert_string_equal(k->release, "6.9.1-fixture");
    assert_string_equal(k->banner, FIXTURE_BANNER);
    expect_symbols(k, f);
    kernel_free(k);
    fixture_free(f);
}

/* Orders, forms, widths, with and without section headers. */
static void test_kallsyms(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * ORDERS * FIXTURE_FORMS; i++) {
        struct fixture_shape shape = {
            .is64 = i & 1, .no_sections = i & 2, .order = i / 4 % ORDERS, .form = (enum fixture_form)(i / 4 / ORDERS)};

        expect_found(&shape);
    }
}

static void test_kallsyms_more(void **state)
{
    (void)state;
    /* Odd and even numbers of symbols (padding), several markers, markers of 64 bits. */
    for (unsigned functions = 255; functions < 262; functions++)
        expect_found(&(struct fixture_shape){.is64 = true, .functions = functions});
    expect_found(&(struct fixture_shape){.is64 = true, .functions = 3000, .order = ORDER_SEQS});
    expect_found(&(struct fixture_shape){.is64 = false, .functions = 3000, .form = FIXTURE_RELATIVE});
    expect_found(&(struct fixture_shape){.is64 = true, .functions = 2000, .form = FIXTURE_WORDS, .wide_markers = true});
    /* The base is nowhere: it is where the code begins. */
    expect_found(&(struct fixture_shape){.is64 = true, .no_base = true, .form = FIXTURE_RELATIVE, .order = ORDER_LATE});
}

/* A kernel with too few symbols, or whose addresses do not lie in its code, has none: that is said, and is no error. */
static void test_no_symbols(void **state)
{
    struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = true, .functions = 20});
    struct kernel *k = open_bytes(f->elf.bytes, f->elf.size);
    u64 address;

    (void)state;
    assert_non_null(k);
    assert_int_equal(symbols_count(k->symbols), 0);
    assert_non_null(strstr(k->symbols_how, "no names"));
    assert_false(symbols_find(k->symbols, "_text", &address));
    assert_int_equal(k->current_task, 0);
    assert_int_equal(k->syscalls, 0);
    kernel_free(k);
    fixture_free(f);
    f = fixture_make(&(struct fixture_shape){.is64 = true, .no_sections = true, .form = FIXTURE_WORDS});
    f->elf.bytes[64 + 16 + 3] ^= 0x10; /* the code is somewhere else */
    k = open_bytes(f->elf.bytes, f->elf.size);
    assert_non_null(k);
    assert_int_equal(symbols_count(k->symbols), 0);
    assert_non_null(strstr(k->symbols_how, "no addresses"));
    kernel_free(k);
    fixture_free(f);
}

static void expect_refused(const u8 *bytes, size_t size, size_t limit, const char *why)
{
    struct error err = {0};

    assert_null(kernel_open_bytes(bytes, size, "fixture", limit, &err));
    assert_int_equal(err.code, EXIT_FILE);
    if (strstr(err.text, why) == NULL)
        print_message("\"%s\" does not say \"%s\"\n", err.text, why);
    assert_non_null(strstr(err.text, why));
}

static void test_packings(void **state)
{
    static const char *const how[PACKINGS] = {
        "not packed",   "payload gzip",           "payload XZ",          "payload LZ4", "payload zstd",
        "payload LZMA", "by bzip2, which is not", "by LZO, which is not"};
    struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = true, .order = ORDER_LATE, .functions = 2000});

    (void)state;
    for (unsigned p = 0; p < PACKINGS; p++) {
        struct buffer image = fixture_bzimage(f, (enum fixture_packing)p);

        if (p >= PACK_BZIP2) {
            expect_refused(image.bytes, image.size, LIMIT, how[p]);
        } else {
            struct kernel *k = open_bytes(image.bytes, image.size);

            assert_non_null(k);
            assert_non_null(strstr(k->image_how, how[p]));
            expect_symbols(k, f);
            kernel_free(k);
            if (p != PACK_NONE)
                expect_refused(image.bytes, image.size, f->elf.size - 1, "announces");
            expect_refused(image.bytes, image.size - 100, LIMIT, "cut short or damaged");
            image.bytes[0x206] = 7;
            expect_refused(image.bytes, image.size, LIMIT, "protocol 2.07");
        }
        free(image.bytes);
    }
    fixture_free(f);
}

static void test_gzipped_vmlinux(void **state)
{
    struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = false});
    struct buffer packed = {0};
    struct kernel *k;

    (void)state;
    pack_gzip(&packed, f->elf.bytes, f->elf.size);
    k = open_bytes(packed.bytes, packed.size);
    assert_non_null(k);
    expect_symbols(k, f);
    kernel_free(k);
    packed.bytes[packed.size / 2] ^= 0xff;
    expect_refused(packed.bytes, packed.size, LIMIT, "damaged");
    free(packed.bytes);
    fixture_free(f);
}

static void test_layout(void **state)
{
    static const enum fixture_modules modules[] = {MODULES_CORE, MODULES_PARTS, MODULES_NONE};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(modules) * 2; i++) {
        struct fixture_shape shape = {.is64 = true, .modules = modules[i / 2], .no_sections = i & 1};
        struct fixture *f = fixture_make(&shape);
        struct kernel *k = open_bytes(f->elf.bytes, f->elf.size);
        const struct kernel_layout *l = &k->layout;

        assert_true(l->known);
        assert_int_equal(l->task_flags, 44);
        assert_int_equal(l->task_mm, 2272);
        assert_int_equal(l->task_pid, 2416);
        assert_int_equal(l->task_tgid, 2420);
        assert_int_equal(l->task_comm, 2976);
        assert_int_equal(l->task_thread_sp, 5336);
        assert_int_equal(l->mm_pgd, 72);
        if (shape.modules == MODULES_NONE) {
            assert_int_equal(l->module_name | l->module_list | l->module_base | l->module_size | l->kallsyms_count, 0);
            assert_non_null(strstr(k->layout_how, "modules not known"));
        } else {
            assert_int_equal(l->module_list, 8);
            assert_int_equal(l->module_name, 24);
            assert_int_equal(l->module_base, 320);
            assert_int_equal(l->module_size, 328);
            assert_int_equal(l->module_kallsyms, 544);
            assert_int_equal(l->kallsyms_symtab, 0);
            assert_int_equal(l->kallsyms_count, 8);
            assert_int_equal(l->kallsyms_strtab, 16);
        }
        kernel_free(k);
        fixture_free(f);
    }
}

static void test_current(void **state)
{
    static const struct {
        struct fixture_shape shape;
        u64 task;
        const char *how;
    } row[] = {
        {{.is64 = true, .current = CURRENT_SYMBOL}, FIXTURE_CURRENT, "symbol current_task"},
        {{.is64 = true, .form = FIXTURE_PLACE, .order = ORDER_LATE}, 0xffffffff83800000 + FIXTURE_CURRENT, "symbol"},
        {{.is64 = true, .current = CURRENT_HOT}, FIXTURE_CURRENT + 8, "pcpu_hot"},
        {{.is64 = true, .current = CURRENT_HOT, .no_btf = true}, 0, "layout is not known"},
        {{.current = CURRENT_CODE}, 0xc3800000 + FIXTURE_CURRENT, "2 functions like getpid load it"},
        {{.current = CURRENT_CODE, .no_sections = true},
         0xc3800000 + FIXTURE_CURRENT,
         "2 functions like getpid load it"},
        {{.current = CURRENT_CODE_DIFFERS}, 0, "not known: of 1 per-CPU"},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct fixture *f = fixture_make(&row[i].shape);
        struct kernel *k = open_bytes(f->elf.bytes, f->elf.size);

        assert_int_equal(k->current_task, row[i].task);
        assert_non_null(strstr(k->current_how, row[i].how));
        kernel_free(k);
        fixture_free(f);
    }
}

static void expect_syscalls(const struct kernel *k)
{
    assert_int_equal(k->syscalls, 2);
    assert_int_equal(k->syscall[0].number, 0);
    assert_string_equal(k->syscall[0].name, "getpid");
    assert_int_equal(k->syscall[0].args, 0);
    assert_int_equal(k->syscall[1].number, 2);
    assert_string_equal(k->syscall[1].name, "openat");
    assert_int_equal(k->syscall[1].args, 1);
    assert_string_equal(k->syscall[1].type[0], "const char *");
    assert_string_equal(k->syscall[1].arg[0], "filename");
    assert_string_equal(k->syscall[1].arg[5], "");
}

static void test_syscalls(void **state)
{
    (void)state;
    for (unsigned is64 = 0; is64 < 2; is64++) {
        struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = is64});
        struct kernel *k = open_bytes(f->elf.bytes, f->elf.size);

        expect_syscalls(k);
        kernel_free(k);
        fixture_free(f);
    }
}

static void test_bytes(void **state)
{
    struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = true});
    struct kernel *k = open_bytes(f->elf.bytes, f->elf.size);

    (void)state;
    assert_memory_equal(kernel_bytes(k, f->text, f->code.size), f->code.bytes, f->code.size);
    assert_memory_equal(kernel_bytes(k, f->rodata + 5, 10), f->data.bytes + 5, 10);
    assert_null(kernel_bytes(k, f->text, f->code.size + 1));
    assert_null(kernel_bytes(k, f->text - 1, 2));
    assert_null(kernel_bytes(k, f->text + 16, SIZE_MAX));
    assert_null(kernel_bytes(k, UINT64_MAX, 2));
    kernel_free(k);
    fixture_free(f);
}

static void test_pack(void **state)
{
    struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = true});
    struct kernel *k = open_bytes(f->elf.bytes, f->elf.size), *again;
    size_t size, size_again;
    u8 *bytes = kernel_pack(k, &size), *bytes_again;
    struct error err;

    (void)state;
    again = kernel_unpack(bytes, size, &err);
    assert_non_null(again);
    expect_symbols(again, f);
    expect_syscalls(again);
    assert_true(again->is64);
    assert_null(again->image);
    assert_null(kernel_bytes(again, f->text, 1));
    assert_int_equal(again->current_task, FIXTURE_CURRENT);
    assert_memory_equal(&again->layout, &k->layout, sizeof k->layout);
    assert_string_equal(again->release, k->release);
    assert_string_equal(again->banner, k->banner);
    assert_string_equal(again->current_how, k->current_how);
    bytes_again = kernel_pack(again, &size_again);
    assert_int_equal(size_again, size);
    assert_memory_equal(bytes_again, bytes, size);
    kernel_free(again);
    for (size_t cut = 0; cut < size; cut += cut < 1000 ? 1 : 37) {
        u8 *part = malloc(cut + 1);

        memcpy(part, bytes, cut);
        assert_null(kernel_unpack(part, cut, &err));
        assert_int_equal(err.code, EXIT_FILE);
        free(part);
    }
    for (size_t at = 0; at < size; at += at < 600 ? 1 : 101) {
        bytes[at] ^= 0x81;
        kernel_free(kernel_unpack(bytes, size, &err));
        bytes[at] ^= 0x81;
    }
    free(bytes);
    free(bytes_again);
    kernel_free(k);
    fixture_free(f);
}

static void test_refused(void **state)
{
    struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = true});
    struct error err;

    (void)state;
    expect_refused((const u8 *)"", 0, LIMIT, "not a Linux kernel");
    expect_refused((const u8 *)"this is no kernel, whatever its name says; it is a text", 50, LIMIT,
                   "not a Linux kernel");
    expect_refused(f->elf.bytes, 60, LIMIT, "damaged");
    expect_refused(f->elf.bytes, 2000, LIMIT, "damaged or cut short");
    f->elf.bytes[18] = EM_ARM;
    expect_refused(f->elf.bytes, f->elf.size, LIMIT, "machine 40, not an x86");
    assert_null(kernel_open("/nowhere/vmlinuz", NULL, &err));
    assert_non_null(strstr(err.text, "cannot open the kernel '/nowhere/vmlinuz': No such file"));
    assert_null(kernel_open("/", NULL, &err));
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_null(kernel_open("/dev/zero", NULL, &err));
    assert_non_null(strstr(err.text, "not a regular file"));
    fixture_free(f);
}

/* The same number each time, unlike rand(). */
static u32 next_random(u64 *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(*state >> 33);
}

/* Bytes changed at random, and cuts: no crash, no endless search; what is found is only ever less. */
static void test_damaged(void **state)
{
    u64 random = 1;

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        struct fixture_shape shape = {
            .is64 = i & 1, .no_sections = i & 2, .order = i / 4 % ORDERS, .form = i / 16 % FIXTURE_FORMS};
        struct fixture *f = fixture_make(&shape);
        size_t size = f->elf.size;
        struct kernel *k;
        struct error err;

        for (unsigned n = 0; n < 1 + i % 20; n++) {
            u32 where = next_random(&random);

            /* Half of them where the headers are. */
            f->elf.bytes[where & 1 ? where / 2 % 512 : where / 2 % size] = (u8)(next_random(&random) >> 8);
        }
        k = kernel_open_bytes(f->elf.bytes, i % 5 == 0 ? size - next_random(&random) % size : size, "fixture", LIMIT,
                              &err);
        if (k != NULL)
            assert_true(symbols_count(k->symbols) <= f->elf.size);
        else
            assert_int_equal(err.code, EXIT_FILE);
        kernel_free(k);
        fixture_free(f);
    }
}

/* Every packer's stream, changed and cut. */
static void test_damaged_payload(void **state)
{
    struct fixture *f = fixture_make(&(struct fixture_shape){.is64 = true});
    u64 random = 7;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        struct buffer image = fixture_bzimage(f, (enum fixture_packing)(i % PACKINGS));
        struct error err;

        for (unsigned n = 0; n < 1 + i % 3; n++)
            image.bytes[0x1f0 + next_random(&random) % (image.size - 0x1f0)] ^= (u8)(1 + next_random(&random) % 255);
        kernel_free(kernel_open_bytes(image.bytes, image.size - (i % 7 == 0 ? next_random(&random) % 2000 : 0),
                                      "fixture", LIMIT, &err));
        free(image.bytes);
    }
    fixture_free(f);
}

/* ---- an unstripped vmlinux, built by the guest compiler */

static const char vmlinux_source[] =
    "struct mm_struct { struct { long count; void *pgd; }; };\n"
    "struct thread_struct { long a, sp; };\n"
    "struct list { struct list *next, *prev; };\n"
    "struct task_struct { int a; unsigned flags; const struct mm_struct *mm; union { int x; struct { int pid, tgid; }; "
    "};\n"
    "  char comm[16]; struct thread_struct thread; };\n"
    "struct mod_kallsyms { void *symtab; unsigned num_symtab; char *strtab; };\n"
    "struct module_memory { void *base; unsigned size; };\n"
    "struct module { int state; struct list list; char name[56]; struct module_memory mem[7]; struct mod_kallsyms "
    "*kallsyms; };\n"
    "struct task_struct init_task; struct module a_module; struct mod_kallsyms some; struct mm_struct init_mm;\n"
    "static int helper(void) { return init_task.thread.sp != 0; }\n"
    "__attribute__((weak)) int weak_one(void) { return 3; }\n"
    "int _start(void) { return helper() + weak_one(); }\n";

static void run(const char *command)
{
    if (system(command) != 0) {
        print_message("failed: %s\n", command);
        fail();
    }
}

/* The source, then a vmlinux with debug information, its stripped image, and one of another build. */
static void make_vmlinux(const char *dir)
{
    char text[4096];
    FILE *file;

    snprintf(text, sizeof text, "%s/k.c", dir);
    file = fopen(text, "w");
    assert_non_null(file);
    fputs(vmlinux_source, file);
    fclose(file);
    snprintf(
        text, sizeof text,
        "cd %s && %s -g -O1 -fno-inline -fcf-protection=none -nostdlib -static -no-pie -fno-pic -Wl,--build-id "
        "-Wl,-Ttext=0xffffffff81000000 "
        "-mcmodel=kernel -o vmlinux k.c && objcopy -S vmlinux image && "
        "%s -g -O0 -nostdlib -static -no-pie -fno-pic -Wl,--build-id -Wl,-Ttext=0xffffffff81000000 -mcmodel=kernel -o "
        "other k.c && "
        "objcopy -g vmlinux nodebug",
        dir, GUEST_COMPILER, GUEST_COMPILER);
    run(text);
}

static void test_vmlinux(void **state)
{
    char dir[] = "/tmp/ringside-kernel-XXXXXX", image[64], vmlinux[64], text[128];
    struct kernel *k;
    struct symbol s;
    struct error err;
    u64 address, offset;

    (void)state;
    assert_non_null(mkdtemp(dir));
    make_vmlinux(dir);
    snprintf(image, sizeof image, "%s/image", dir);
    snprintf(vmlinux, sizeof vmlinux, "%s/vmlinux", dir);
    k = kernel_open(image, NULL, &err);
    assert_non_null(k);
    assert_int_equal(symbols_count(k->symbols), 0);
    assert_false(k->layout.known);
    kernel_free(k);
    k = kernel_open(image, vmlinux, &err);
    assert_non_null(k);
    assert_non_null(strstr(k->symbols_how, "symtab"));
    assert_non_null(strstr(k->layout_how, "DWARF"));
    assert_true(symbols_find(k->symbols, "helper", &address));
    assert_true(symbols_lookup(k->symbols, address + 1, &s, &offset));
    assert_string_equal(s.name, "helper");
    assert_int_equal(s.type, 't');
    assert_true(symbols_find(k->symbols, "weak_one", &address));
    assert_true(symbols_lookup(k->symbols, address, &s, &offset));
    assert_int_equal(s.type, 'W');
    assert_true(k->layout.known);
    assert_int_equal(k->layout.task_flags, 4);
    assert_int_equal(k->layout.task_mm, 8);
    assert_int_equal(k->layout.task_pid, 16);
    assert_int_equal(k->layout.task_tgid, 20);
    assert_int_equal(k->layout.task_comm, 24);
    assert_int_equal(k->layout.task_thread_sp, 48);
    assert_int_equal(k->layout.mm_pgd, 8);
    assert_int_equal(k->layout.module_list, 8);
    assert_int_equal(k->layout.module_name, 24);
    assert_int_equal(k->layout.module_base, 80);
    assert_int_equal(k->layout.module_size, 88);
    assert_int_equal(k->layout.module_kallsyms, 192);
    assert_int_equal(k->layout.kallsyms_strtab, 16);
    kernel_free(k);
    snprintf(vmlinux, sizeof vmlinux, "%s/other", dir);
    assert_null(kernel_open(image, vmlinux, &err));
    assert_non_null(strstr(err.text, "of another build"));
    snprintf(vmlinux, sizeof vmlinux, "%s/k.c", dir);
    assert_null(kernel_open(image, vmlinux, &err));
    assert_non_null(strstr(err.text, "not an ELF"));
    snprintf(vmlinux, sizeof vmlinux, "%s/nodebug", dir);
    k = kernel_open(image, vmlinux, &err);
    assert_non_null(k);
    assert_true(symbols_find(k->symbols, "helper", &address));
    assert_false(k->layout.known);
    kernel_free(k);
    snprintf(text, sizeof text, "rm -r %s", dir);
    run(text);
}

/* ---- Debian's kernels */

static void expect_symbol(const struct kernel *k, const char *name)
{
    struct symbol s;
    u64 address, offset;

    if (!symbols_find(k->symbols, name, &address))
        fail_msg("%s: no %s", k->release, name);
    assert_true(symbols_lookup(k->symbols, address, &s, &offset));
    assert_int_equal(offset, 0);
    assert_string_equal(s.name, name);
    assert_true(symbols_end(k->symbols, address) > address);
    assert_non_null(kernel_bytes(k, address, 1));
}

static void expect_amd64(const struct kernel *k)
{
    static const char *const name[] = {"entry_SYSCALL_64", "do_syscall_64",      "__x64_sys_sendto",     "__sys_sendto",
                                       "__switch_to",      "asm_exc_page_fault", "entry_SYSCALL_compat", "startup_64"};

    for (unsigned i = 0; i < ARRAY_LEN(name); i++)
        expect_symbol(k, name[i]);
    assert_true(symbols_count(k->symbols) > 80000);
    assert_true(k->layout.known && k->layout.module_name != 0);
    assert_int_equal(k->layout.task_tgid, k->layout.task_pid + 4);
    assert_true(k->current_task != 0 && k->current_task < 0x40000);
    assert_true(k->syscalls > 330);
    assert_int_equal(k->syscall[44].number, 44);
    assert_string_equal(k->syscall[44].name, "sendto");
    assert_string_equal(k->syscall[44].arg[0], "fd");
    assert_int_equal(k->syscall[44].args, 6);
}

static void expect_i386(const struct kernel *k)
{
    static const char *const name[] = {"entry_INT80_32", "entry_SYSENTER_32", "__sys_sendto", "__switch_to",
                                       "asm_exc_page_fault"};

    for (unsigned i = 0; i < ARRAY_LEN(name); i++)
        expect_symbol(k, name[i]);
    assert_true(symbols_count(k->symbols) > 40000);
    assert_false(k->layout.known);
    assert_true(k->current_task > 0xc1000000);
    assert_int_equal(k->syscalls, 0);
}

static void test_debian(void **state)
{
    static const char *const guest[] = {"cloud-amd64", "amd64", "686", "686-pae"};
    const char *guests = getenv("RINGSIDE_GUESTS");
    unsigned there = 0;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(guest) && guests != NULL; i++) {
        char path[512];
        struct error err;
        struct kernel *k;

        snprintf(path, sizeof path, "%s/%s/vmlinuz", guests, guest[i]);
        if (access(path, R_OK) != 0)
            continue;
        k = kernel_open(path, NULL, &err);
        assert_non_null(k);
        there++;
        (i < 2 ? expect_amd64 : expect_i386)(k);
        kernel_free(k);
    }
    if (there == 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kallsyms),        cmocka_unit_test(test_kallsyms_more),
        cmocka_unit_test(test_no_symbols),      cmocka_unit_test(test_packings),
        cmocka_unit_test(test_gzipped_vmlinux), cmocka_unit_test(test_layout),
        cmocka_unit_test(test_current),         cmocka_unit_test(test_syscalls),
        cmocka_unit_test(test_bytes),           cmocka_unit_test(test_pack),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_payload), cmocka_unit_test(test_vmlinux),
        cmocka_unit_test(test_debian),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
