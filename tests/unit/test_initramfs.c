/* SPDX-License-Identifier: MIT
 * The initial RAM disk made in memory, and what is gathered for a program: links, libraries, interpreters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/elf_needs.h"
#include "machine/host_tree.h"
#include "machine/program_files.h"

/* ---- an independent reader of the format */

struct member {
    u32 ino, mode, size, major, minor;
    char name[512];
    const u8 *data;
};

static u32 field(const u8 *at)
{
    char digits[9] = {0};

    memcpy(digits, at, 8);
    return (u32)strtoul(digits, NULL, 16);
}

/* returns: the next member's place; fills m */
static const u8 *read_member(const u8 *at, struct member *m)
{
    u32 name_size = field(at + 6 + 11 * 8);
    size_t header = (110 + name_size + 3) & ~(size_t)3;

    assert_memory_equal(at, "070701", 6);
    m->ino = field(at + 6);
    m->mode = field(at + 6 + 8);
    m->size = field(at + 6 + 6 * 8);
    m->major = field(at + 6 + 9 * 8);
    m->minor = field(at + 6 + 10 * 8);
    assert_true(name_size <= sizeof m->name);
    memcpy(m->name, at + 110, name_size);
    assert_int_equal(m->name[name_size - 1], '\0');
    m->data = at + header;
    return m->data + ((m->size + 3) & ~3u);
}

/* Find a member. returns: false when the archive has none of this name */
static bool find(struct initramfs *fs, const char *name, struct member *m)
{
    size_t size;
    const u8 *bytes = initramfs_finish(fs, &size), *at = bytes;

    for (;;) {
        at = read_member(at, m);
        assert_true(at <= bytes + size);
        if (strcmp(m->name, "TRAILER!!!") == 0) {
            assert_ptr_equal(at, bytes + size);
            return false;
        }
        if (strcmp(m->name, name) == 0)
            return true;
    }
}

static void fill(struct initramfs *fs)
{
    struct error err;

    assert_true(initramfs_add_directory(fs, "/tmp", 01777, &err));
    assert_true(initramfs_add_file(fs, "/a/b/file", 0750, "hello", 5, &err));
    assert_true(initramfs_add_symlink(fs, "/a/link", "b/file", &err));
    assert_true(initramfs_add_device(fs, "/dev/console", 0600, 5, 1, &err));
    assert_true(initramfs_add_file(fs, "/empty", 0644, NULL, 0, &err));
}

static void test_members(void **state)
{
    struct initramfs *fs = initramfs_new();
    struct member m, parent;

    (void)state;
    fill(fs);
    assert_true(find(fs, "tmp", &m));
    assert_int_equal(m.mode, 0041777);
    assert_true(find(fs, "a/b/file", &m));
    assert_int_equal(m.mode, 0100750);
    assert_int_equal(m.size, 5);
    assert_memory_equal(m.data, "hello", 5);
    assert_true(find(fs, "a", &parent)); /* the directories above, each before what is in it */
    assert_int_equal(parent.mode, 0040755);
    assert_true(parent.ino < m.ino);
    assert_true(find(fs, "a/link", &m));
    assert_int_equal(m.mode & 0170000, 0120000);
    assert_int_equal(m.size, 6);
    assert_memory_equal(m.data, "b/file", 6);
    assert_true(find(fs, "dev/console", &m));
    assert_int_equal(m.mode, 0020600);
    assert_int_equal(m.major, 5);
    assert_int_equal(m.minor, 1);
    assert_true(find(fs, "empty", &m));
    assert_int_equal(m.size, 0);
    assert_false(find(fs, "nothing", &m));
    initramfs_free(fs);
}

static void test_same_twice(void **state)
{
    struct initramfs *a = initramfs_new(), *b = initramfs_new();
    size_t a_size, b_size;
    const u8 *a_bytes, *b_bytes;

    (void)state;
    fill(a);
    fill(b);
    a_bytes = initramfs_finish(a, &a_size);
    b_bytes = initramfs_finish(b, &b_size);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a_bytes, b_bytes, a_size);
    initramfs_free(a);
    initramfs_free(b);
}

static void test_conflicts(void **state)
{
    struct initramfs *fs = initramfs_new();
    char *path = malloc(5000);
    struct error err;
    struct member m;

    (void)state;
    fill(fs);
    assert_false(initramfs_add_file(fs, "/empty/below", 0644, "x", 1, &err));
    assert_int_equal(err.code, EXIT_FILE);
    assert_non_null(strstr(err.text, "'/empty' is no directory"));
    memset(path, 'x', 4999);
    path[0] = '/';
    path[4999] = '\0';
    assert_false(initramfs_add_file(fs, path, 0644, "x", 1, &err));
    assert_false(initramfs_add_file(fs, "/huge", 0644, "x", (size_t)1 << 31, &err)); /* refused unread */
    assert_true(initramfs_add_file(fs, "/a/b/file", 0644, "other", 5, &err));        /* there already: stays */
    assert_true(find(fs, "a/b/file", &m));
    assert_memory_equal(m.data, "hello", 5);
    free(path);
    initramfs_free(fs);
}

/* ---- files of the host */

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_initramfs.XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static const char *in_directory(char out[256], const char *name)
{
    snprintf(out, 256, "%s/%s", directory, name);
    return out;
}

static void write_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
    char path[256];
    FILE *f = fopen(in_directory(path, name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_links_of_the_host(void **state)
{
    struct initramfs *fs = initramfs_new();
    char path[256], real[INITRAMFS_PATH_MAX], expected[256];
    struct error err;
    struct member m;

    (void)state;
    mkdir(in_directory(path, "real"), 0711);
    write_file("real/data", "data", 4, 0640);
    assert_int_equal(symlink("real", in_directory(path, "short")), 0);
    assert_int_equal(symlink("../short/./data", in_directory(path, "real/again")), 0);
    assert_int_equal(symlink("loop", in_directory(path, "loop")), 0);
    assert_true(host_tree_add(fs, "file", in_directory(path, "short/again"), real, &err));
    assert_string_equal(real, in_directory(expected, "real/data"));
    assert_true(find(fs, in_directory(path, "short") + 1, &m));
    assert_memory_equal(m.data, "real", 4);
    assert_true(find(fs, in_directory(path, "real") + 1, &m));
    assert_int_equal(m.mode, 0040711);
    assert_true(find(fs, in_directory(path, "real/again") + 1, &m));
    assert_true(find(fs, in_directory(path, "real/data") + 1, &m));
    assert_int_equal(m.mode, 0100640);
    initramfs_free(fs);

    fs = initramfs_new();
    assert_false(host_tree_add(fs, "file", in_directory(path, "loop"), NULL, &err));
    assert_non_null(strstr(err.text, "symbolic links"));
    assert_false(host_tree_add(fs, "file", in_directory(path, "none"), NULL, &err));
    assert_non_null(strstr(err.text, "No such file"));
    assert_false(host_tree_add(fs, "file", in_directory(path, "real/data/below"), NULL, &err));
    assert_false(host_tree_add(fs, "file", "/proc/self/status", NULL, &err));
    assert_non_null(strstr(err.text, "the guest has its own"));
    assert_false(host_tree_add(fs, "file", "/", NULL, &err));
    initramfs_free(fs);
}

static void test_directory_of_the_host(void **state)
{
    struct initramfs *fs = initramfs_new();
    char path[256];
    struct error err;
    struct member m;

    (void)state;
    mkdir(in_directory(path, "tree"), 0755);
    mkdir(in_directory(path, "tree/deep"), 0755);
    write_file("tree/deep/file", "12345", 5, 0644);
    write_file("tree/nothing", "", 0, 0600);
    assert_int_equal(symlink("nowhere", in_directory(path, "tree/dangling")), 0);
    assert_true(host_tree_add_as(fs, "file", in_directory(path, "tree"), "/guest/here", &err));
    assert_true(find(fs, "guest/here/deep/file", &m));
    assert_int_equal(m.size, 5);
    assert_true(find(fs, "guest/here/nothing", &m));
    assert_true(find(fs, "guest/here/dangling", &m));
    assert_memory_equal(m.data, "nowhere", 7);
    initramfs_free(fs);
}

/* ---- programs */

static bool add_program(struct initramfs *fs, const char *name, struct program_found *found, struct error *err)
{
    return program_files_add(
        fs, &(struct program_request){.name = name, .directory = directory, .search_path = directory}, found, err);
}

/* This test itself: dynamic, and the C library is among what it needs. */
static void test_libraries(void **state)
{
    struct initramfs *fs = initramfs_new();
    char self[512], link[256];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    struct program_found found;
    struct error err;
    size_t size, libraries = 0;
    const u8 *at;
    struct member m;

    (void)state;
    assert_true(length > 0);
    self[length] = '\0';
    assert_int_equal(symlink(self, in_directory(link, "itself")), 0);
    assert_true(add_program(fs, "itself", &found, &err));
    assert_string_equal(found.path, link);
    assert_int_equal(found.is64, sizeof(void *) == 8);
    at = initramfs_finish(fs, &size);
    do {
        at = read_member(at, &m);
        libraries += strstr(m.name, "/libc.so.6") != NULL || strstr(m.name, "/ld-linux") != NULL ||
                     strstr(m.name, "/libcmocka.so") != NULL;
    } while (strcmp(m.name, "TRAILER!!!") != 0);
    assert_true(libraries >= 3);
    assert_true(find(fs, self + 1, &m));
    initramfs_free(fs);
}

/* A dynamic program in one page: what it needs is all that it has. */
struct tiny {
    Elf64_Ehdr header;
    Elf64_Phdr segment[3];
    Elf64_Dyn dynamic[4];
    char interp[32];
    char strings[64];
};

static struct tiny make_tiny(const char *library)
{
    struct tiny t = {
        .header = {.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_DYN,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_phoff = offsetof(struct tiny, segment),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 3},
        .segment = {{.p_type = PT_LOAD, .p_vaddr = 0x10000, .p_filesz = sizeof t, .p_memsz = sizeof t},
                    {.p_type = PT_INTERP, .p_offset = offsetof(struct tiny, interp), .p_filesz = sizeof t.interp},
                    {.p_type = PT_DYNAMIC, .p_offset = offsetof(struct tiny, dynamic), .p_filesz = sizeof t.dynamic}},
        .dynamic = {{.d_tag = DT_NEEDED, .d_un.d_val = 1},
                    {.d_tag = DT_STRTAB, .d_un.d_ptr = 0x10000 + offsetof(struct tiny, strings)},
                    {.d_tag = DT_STRSZ, .d_un.d_val = sizeof t.strings}},
        .interp = "/lib64/ld-linux-x86-64.so.2"};

    snprintf(t.strings + 1, sizeof t.strings - 1, "%s", library);
    return t;
}

static void test_missing_library(void **state)
{
    struct tiny t = make_tiny("libnot-there.so.9");
    struct initramfs *fs = initramfs_new();
    struct program_found found;
    struct error err;

    (void)state;
    write_file("tiny", &t, sizeof t, 0755);
    assert_false(add_program(fs, "./tiny", &found, &err));
    assert_int_equal(err.code, EXIT_FILE);
    assert_non_null(strstr(err.text, "'libnot-there.so.9'"));
    assert_non_null(strstr(err.text, "tiny' needs"));
    initramfs_free(fs);
}

static void test_library_beside(void **state)
{
    struct tiny t = make_tiny("libbeside.so"), library = make_tiny("libc.so.6");
    struct initramfs *fs = initramfs_new();
    struct program_found found;
    char path[256];
    struct error err;
    struct member m;

    (void)state;
    t.dynamic[3] = t.dynamic[2];
    t.dynamic[2] = t.dynamic[1];
    t.dynamic[1] = (Elf64_Dyn){.d_tag = DT_RUNPATH, .d_un.d_val = 32};
    t.segment[2].p_filesz = sizeof t.dynamic;
    snprintf(t.strings + 32, 32, "/nowhere:${ORIGIN}/lib");
    mkdir(in_directory(path, "lib"), 0755);
    write_file("lib/libbeside.so", &library, sizeof library, 0644);
    write_file("beside", &t, sizeof t, 0755);
    assert_true(add_program(fs, "./beside", &found, &err));
    assert_string_equal(found.path, "./beside");
    assert_true(found.is64);
    assert_true(find(fs, in_directory(path, "lib/libbeside.so") + 1, &m));
    initramfs_free(fs);
}

static void test_damaged_programs(void **state)
{
    struct tiny good = make_tiny("libc.so.6");
    struct guest_file file = guest_file_borrow("tiny", (const u8 *)&good, sizeof good);
    struct elf_needs needs;
    struct error err;

    (void)state;
    assert_true(elf_read_needs(&file, &needs, &err));
    assert_int_equal(needs.count, 1);
    assert_string_equal(needs.needed[0], "libc.so.6");
    /* No byte of it, and no length, makes the reader leave the file. */
    for (size_t i = 0; i < sizeof good; i++) {
        for (unsigned value = 0; value < 256; value += 51) {
            struct tiny *bad = malloc(sizeof good);

            *bad = good;
            ((u8 *)bad)[i] = (u8)value;
            file = guest_file_borrow("tiny", (const u8 *)bad, sizeof good);
            elf_read_needs(&file, &needs, &err);
            free(bad);
        }
    }
    for (size_t size = 4; size < sizeof good; size++) {
        u8 *cut = malloc(size);

        memcpy(cut, &good, size);
        file = guest_file_borrow("tiny", cut, size);
        if (size < offsetof(struct tiny, strings) + 11)
            assert_false(elf_read_needs(&file, &needs, &err));
        else
            elf_read_needs(&file, &needs, &err);
        free(cut);
    }
}

static void test_scripts(void **state)
{
    static const char script[] = "#! ./tiny-static  -x\nwords\n";
    struct tiny t = make_tiny("");
    struct initramfs *fs = initramfs_new();
    struct program_found found;
    char path[256];
    struct error err;
    struct member m;

    (void)state;
    t.header.e_phnum = 1; /* static */
    write_file("tiny-static", &t, sizeof t, 0755);
    write_file("script", script, sizeof script - 1, 0755);
    assert_true(add_program(fs, "script", &found, &err));
    assert_true(find(fs, in_directory(path, "script") + 1, &m));
    assert_true(find(fs, in_directory(path, "tiny-static") + 1, &m));
    initramfs_free(fs);

    fs = initramfs_new();
    write_file("itself.sh", "#!./itself.sh\n", 14, 0755);
    assert_false(add_program(fs, "itself.sh", &found, &err));
    assert_non_null(strstr(err.text, "too many"));
    write_file("nameless", "#! \nx", 5, 0755);
    assert_false(add_program(fs, "nameless", &found, &err));
    write_file("homeless", "#!/no/such/interpreter\n", 23, 0755);
    assert_false(add_program(fs, "homeless", &found, &err));
    assert_non_null(strstr(err.text, "'/no/such/interpreter'"));
    write_file("text", "just text", 9, 0755);
    assert_false(add_program(fs, "text", &found, &err));
    write_file("plain", "#!/bin/sh\n", 10, 0644);
    assert_false(add_program(fs, "./plain", &found, &err));
    assert_non_null(strstr(err.text, "not executable"));
    assert_false(add_program(fs, "plain", &found, &err)); /* PATH passes over it */
    assert_non_null(strstr(err.text, "not found in PATH"));
    assert_false(add_program(fs, directory, &found, &err));
    initramfs_free(fs);
}

static void test_other_machines(void **state)
{
    struct tiny t = make_tiny("libc.so.6");
    struct initramfs *fs = initramfs_new();
    struct program_found found;
    struct error err;

    (void)state;
    t.header.e_machine = EM_AARCH64;
    write_file("arm", &t, sizeof t, 0755);
    assert_false(add_program(fs, "arm", &found, &err));
    assert_non_null(strstr(err.text, "another processor"));
    initramfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_same_twice),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test_setup_teardown(test_links_of_the_host, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_directory_of_the_host, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_libraries, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_missing_library, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_library_beside, make_directory, remove_directory),
        cmocka_unit_test(test_damaged_programs),
        cmocka_unit_test_setup_teardown(test_scripts, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_other_machines, make_directory, remove_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
