/* SPDX-License-Identifier: MIT
 * The printer of system calls: what strace cannot show by itself (calls that have not returned, restarts, raw numbers),
 * and that no memory, however hostile, makes it crash, go on without end, or read what a visit has not asked for.
 * tests/linux compares its text with strace's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "linux/linux.h"

/* Memory of one page at BASE; nothing else is known. */
#define BASE 0x10000ull
struct page {
    u8 bytes[PAGE_SIZE];
};

static bool read_page(void *context, u64 address, void *out, size_t size)
{
    const struct page *page = context;
    if (address < BASE || size > PAGE_SIZE || address - BASE > PAGE_SIZE - size)
        return false;
    memcpy(out, page->bytes + (address - BASE), size);
    return true;
}

static char text[1 << 16];

static const char *print_with(const struct linux_call *call, const struct linux_style *style)
{
    FILE *file = fmemopen(text, sizeof text, "w");
    linux_print_call(file, call, style);
    fputs(" = ", file);
    linux_print_result(file, call, style);
    fclose(file);
    return text;
}

static const char *print(const struct linux_call *call) { return print_with(call, &(struct linux_style){0}); }

static void results_are_named(void **state)
{
    (void)state;
    struct linux_call call = {.abi = LINUX_AMD64, .number = 3, .arg = {5}, .returned = true};
    assert_string_equal(print(&call), "close(5) = 0");
    call.result = -9;
    assert_string_equal(print(&call), "close(5) = -1 EBADF (Bad file descriptor)");
    call.result = -512;
    assert_string_equal(print(&call), "close(5) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)");
    call.result = -516;
    assert_string_equal(print(&call), "close(5) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)");
    call.result = -4000;
    assert_string_equal(print(&call), "close(5) = -1 (errno 4000)");
    call.result = -4096;
    assert_string_equal(print(&call), "close(5) = -4096");
    call.returned = false;
    assert_string_equal(print(&call), "close(5) = ?");
    call = (struct linux_call){.abi = LINUX_AMD64, .number = 231, .arg = {1}};
    assert_string_equal(print(&call), "exit_group(1) = ?");
    call = (struct linux_call){.abi = LINUX_AMD64, .number = 12, .returned = true, .result = 0x5555aaaa0000};
    assert_string_equal(print(&call), "brk(NULL) = 0x5555aaaa0000");
    call = (struct linux_call){.abi = LINUX_I386, .number = 45, .returned = true, .result = (i32)0xF7FE0000};
    assert_string_equal(print(&call), "brk(NULL) = 0xf7fe0000");
}

static void numbers_without_a_row_are_shown(void **state)
{
    (void)state;
    struct linux_call call = {
        .abi = LINUX_AMD64, .number = 999, .arg = {1, 2, 3, 4, 5, 0}, .returned = true, .result = -38};
    assert_string_equal(print(&call),
                        "syscall_0x3e7(0x1, 0x2, 0x3, 0x4, 0x5, 0) = -1 ENOSYS (Function not implemented)");
}

static void raw_style_shows_numbers(void **state)
{
    (void)state;
    struct linux_call call = {
        .abi = LINUX_AMD64, .number = 257, .arg = {~0ull, 0x1000, 2}, .returned = true, .result = 16};
    const struct linux_style raw = {.raw = true};
    assert_string_equal(print_with(&call, &raw), "openat(0xffffffffffffffff, 0x1000, 0x2, 0) = 0x10");
    call.result = -2;
    assert_string_equal(print_with(&call, &raw), "openat(0xffffffffffffffff, 0x1000, 0x2, 0) = -1 (errno 2)");
}

/* A string may end where the known memory ends; a path without an end in it is an address. */
static void strings_end_at_the_edge(void **state)
{
    (void)state;
    static struct page page;
    const struct linux_memory memory = {&page, read_page};
    struct linux_call call = {.abi = LINUX_AMD64, .number = 87, .in = &memory, .out = &memory, .returned = true};
    memset(page.bytes, 'x', sizeof page.bytes);
    page.bytes[PAGE_SIZE - 1] = 0;
    call.arg[0] = BASE + PAGE_SIZE - 6;
    assert_string_equal(print(&call), "unlink(\"xxxxx\") = 0");
    page.bytes[PAGE_SIZE - 1] = 'x';
    assert_string_equal(print(&call), "unlink(0x10ffa) = 0");
    call.arg[0] = BASE + 1;
    assert_string_equal(print(&call), "unlink(0x10001) = 0");
    call.arg[0] = BASE; /* as many bytes as a path may have */
    assert_non_null(strstr(print(&call), "xxx\"...) = 0"));
    call.arg[0] = ~0ull;
    assert_string_equal(print(&call), "unlink(0xffffffffffffffff) = 0");
    call.arg[0] = 0;
    assert_string_equal(print(&call), "unlink(NULL) = 0");
}

static void buffers_have_a_limit(void **state)
{
    (void)state;
    static struct page page;
    const struct linux_memory memory = {&page, read_page};
    struct linux_call call = {.abi = LINUX_AMD64, .number = 1, .arg = {1, BASE, 40}, .in = &memory, .returned = true};
    memset(page.bytes, 'a', sizeof page.bytes);
    call.result = 40;
    assert_string_equal(print(&call), "write(1, \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"..., 40) = 40");
    assert_string_equal(print_with(&call, &(struct linux_style){.string_limit = 4}), "write(1, \"aaaa\"..., 40) = 40");
    assert_string_equal(print_with(&call, &(struct linux_style){.string_limit = 1000}),
                        "write(1, \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", 40) = 40");
    call.arg[2] = ~0ull;
    assert_non_null(
        strstr(print_with(&call, &(struct linux_style){.string_limit = ~0u}), "write(1, 0x10000, 18446744073"));
}

/* What the kernel fills is an address until it has. */
static void results_in_memory_need_a_return(void **state)
{
    (void)state;
    static struct page page = {"/dir"};
    const struct linux_memory memory = {&page, read_page};
    struct linux_call call = {.abi = LINUX_AMD64, .number = 79, .arg = {BASE, 100}, .in = &memory};
    assert_string_equal(print(&call), "getcwd(0x10000, 100) = ?");
    call.returned = true;
    call.result = 5;
    assert_string_equal(print(&call), "getcwd(0x10000, 100) = 5"); /* nothing is known of the return */
    call.out = &memory;
    assert_string_equal(print(&call), "getcwd(\"/dir\", 100) = 5");
    call.result = -34;
    assert_string_equal(print(&call), "getcwd(0x10000, 100) = -1 ERANGE (Numerical result out of range)");
}

/* A sleep cut short shows what was left, whether the tracer sees the kernel's code or the program's. */
static void a_cut_sleep_shows_the_rest(void **state)
{
    (void)state;
    static struct page page;
    const struct linux_memory memory = {&page, read_page};
    struct linux_call call = {
        .abi = LINUX_AMD64, .number = 35, .arg = {BASE, BASE + 16}, .in = &memory, .out = &memory};
    page.bytes[0] = 2;
    page.bytes[16] = 1;
    call.returned = true;
    call.result = -4;
    assert_string_equal(print(&call), "nanosleep({tv_sec=2, tv_nsec=0}, {tv_sec=1, tv_nsec=0}) = -1 EINTR "
                                      "(Interrupted system call)");
    call.result = 0;
    assert_string_equal(print(&call), "nanosleep({tv_sec=2, tv_nsec=0}, 0x10010) = 0");
}

/* x32: numbers of amd64, pointers of 4 bytes in memory, times of 8. */
static void x32_has_small_pointers(void **state)
{
    (void)state;
    static struct page page;
    const struct linux_memory memory = {&page, read_page};
    const u32 iov[2] = {BASE + 100, 3};
    struct linux_call call = {.abi = LINUX_X32,
                              .number = 0x40000000 + 516,
                              .arg = {1, BASE, 1},
                              .in = &memory,
                              .out = &memory,
                              .returned = true,
                              .result = 3};
    memcpy(page.bytes, iov, sizeof iov);
    memcpy(page.bytes + 100, "abc", 3);
    assert_string_equal(print(&call), "writev(1, [{iov_base=\"abc\", iov_len=3}], 1) = 3");
    call.number = 0x40000000 + 35;
    call.arg[0] = BASE + 200;
    call.arg[1] = 0;
    page.bytes[208] = 7;
    call.result = 0;
    assert_string_equal(print(&call), "nanosleep({tv_sec=0, tv_nsec=7}, NULL) = 0");
}

/* --- hostile memory --- */

/* Memory that has something everywhere but in some pages; and which 8-byte words of it were asked for. */
struct wild {
    u64 seed;
    const struct wild *allowed; /* only what this one was asked for */
    u64 reads;
    u8 asked[1 << 16]; /* bits by a hash of the word: a few false positives do not matter */
};

static u64 mix(u64 x)
{
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15ull;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9ull;
    return x ^ x >> 32;
}

static u8 wild_byte(u64 seed, u64 address)
{
    u64 word = mix((address >> 3) * 31 + seed);
    switch (word >> 60) {
    case 0:
    case 1:
    case 2:
    case 3: return 0;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8: return (address & 7) == 0 ? (u8)(word & 0x1F) : 0; /* a small number */
    case 9:
    case 10: return (u8)((word & 0xFFFFF0) >> (address & 7) * 8); /* a pointer below 16 MiB */
    default: return (u8)(word >> (address & 7) * 8);
    }
}

static u32 asked_bit(u64 word) { return (u32)(mix(word) & ((1u << 19) - 1)); }

static bool read_wild(void *context, u64 address, void *out, size_t size)
{
    struct wild *wild = context;
    wild->reads += size;
    for (u64 a = address & ~7ull; a < address + size; a += 8) {
        u32 bit = asked_bit(a);
        if ((mix(a / PAGE_SIZE + wild->seed) & 15) == 0)
            return false;
        if (wild->allowed != NULL && !(wild->allowed->asked[bit / 8] >> (bit % 8) & 1))
            return false;
        wild->asked[bit / 8] |= (u8)(1u << (bit % 8));
    }
    for (size_t n = 0; n < size; n++)
        ((u8 *)out)[n] = wild_byte(wild->seed, address + n);
    return true;
}

static u64 random_argument(u64 *state)
{
    *state = mix(*state + 1);
    switch (*state >> 61) {
    case 0: return 0;
    case 1: return *state & 0x1F;
    case 2: return *state & 0xFFFF;
    case 3: return *state;
    case 4: return ~(*state & 0xFF);
    default: return *state & 0xFFFFFF;
    }
}

static char *printed(const struct linux_call *call, size_t *size)
{
    char *kept = NULL;
    FILE *file = open_memstream(&kept, size);
    linux_print_call(file, call, &(struct linux_style){0});
    linux_print_result(file, call, &(struct linux_style){0});
    fclose(file);
    return kept;
}

/* As a recorder works: what is asked for at the entry, then at the return; a print from that alone is the same text. */
static void check_hostile(enum linux_abi abi, u64 number, u64 *random)
{
    static struct wild in, out, kept_in, kept_out;
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    in.seed = mix(*random);
    out.seed = mix(*random) ^ (*random & 1);
    const struct linux_memory in_memory = {&in, read_wild}, out_memory = {&out, read_wild};
    struct linux_call call = {.abi = abi, .number = number, .in = &in_memory};
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        call.arg[i] = random_argument(random);
    linux_visit_memory(&call, &(struct linux_style){0});
    call.returned = true;
    call.result = (i64)random_argument(random);
    if (abi == LINUX_I386)
        call.result = (i32)call.result;
    call.out = &out_memory;
    linux_visit_memory(&call, &(struct linux_style){0});
    assert_true(in.reads <= 2 << 20 && out.reads <= 2 << 20);
    /* a recorder looks only at the calls whose row says so */
    const struct linux_syscall *row = linux_syscall(abi, number);
    if ((in.reads != 0 && !linux_syscall_reads(row)) || (out.reads != 0 && !linux_syscall_writes(row)))
        fail_msg("%s reads more than its row says", linux_syscall_name(row));
    size_t size, size_kept;
    char *all = printed(&call, &size);
    memset(&kept_in, 0, sizeof kept_in);
    memset(&kept_out, 0, sizeof kept_out);
    kept_in = (struct wild){.seed = in.seed, .allowed = &in};
    kept_out = (struct wild){.seed = out.seed, .allowed = &out};
    const struct linux_memory kept_in_memory = {&kept_in, read_wild}, kept_out_memory = {&kept_out, read_wild};
    call.in = &kept_in_memory;
    call.out = &kept_out_memory;
    char *from_kept = printed(&call, &size_kept);
    assert_string_equal(from_kept, all);
    assert_true(size < 1 << 20);
    free(all);
    free(from_kept);
}

static void hostile_memory_is_bounded_and_visited(void **state)
{
    (void)state;
    u64 random = 1;
    for (unsigned round = 0; round < 20; round++)
        for (enum linux_abi abi = 0; abi < LINUX_ABIS; abi++)
            for (u64 number = 0; number < 548; number++)
                if (linux_syscall(abi, number) != NULL)
                    check_hostile(abi, number, &random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_named),
        cmocka_unit_test(numbers_without_a_row_are_shown),
        cmocka_unit_test(raw_style_shows_numbers),
        cmocka_unit_test(strings_end_at_the_edge),
        cmocka_unit_test(buffers_have_a_limit),
        cmocka_unit_test(results_in_memory_need_a_return),
        cmocka_unit_test(a_cut_sleep_shows_the_rest),
        cmocka_unit_test(x32_has_small_pointers),
        cmocka_unit_test(hostile_memory_is_bounded_and_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
