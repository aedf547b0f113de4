/* SPDX-License-Identifier: MIT
 * Disk images: raw files read-only, kept apart, and written; sizes, formats, locks.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "block/image.h"

static char path[] = "/tmp/ringside-image-XXXXXX";

/* A file of so many bytes, each the number of its 512-byte sector. */
static void make(u64 size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (u64 i = 0; i < size; i++)
        fputc((int)(i / 512), file);
    fclose(file);
}

static void put(u64 at, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "r+");

    assert_non_null(file);
    fseek(file, (long)at, SEEK_SET);
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static u8 byte_in_file(u64 at)
{
    FILE *file = fopen(path, "r");
    int c;

    assert_non_null(file);
    fseek(file, (long)at, SEEK_SET);
    c = fgetc(file);
    fclose(file);
    return (u8)c;
}

static u8 byte_of(const struct image *image, u64 at)
{
    u8 byte = 0xEE;

    assert_true(block_read(image_block(image), at, &byte, 1));
    return byte;
}

static struct image *opened(enum image_writes writes)
{
    struct error err = {0};
    struct image *image = image_open(path, writes, 512, false, &err);

    if (image == NULL)
        fail_msg("%s", err.text);
    return image;
}

static void assert_refused(enum image_writes writes, unsigned sector, const char *text)
{
    struct error err = {0};

    assert_null(image_open(path, writes, sector, false, &err));
    assert_int_equal(err.code, EXIT_FILE);
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' lacks '%s'", err.text, text);
}

static void read_only(void **state)
{
    struct image *image;
    u8 big[1024];

    (void)state;
    make(8192);
    image = opened(IMAGE_REFUSED);
    assert_int_equal(image_block(image)->bytes, 8192);
    assert_int_equal(byte_of(image, 511), 0);
    assert_int_equal(byte_of(image, 8191), 15);
    assert_false(block_read(image_block(image), 8191, big, 2));
    assert_false(block_read(image_block(image), ~0ull, big, 2));
    assert_false(block_write(image_block(image), 0, "x", 1));
    assert_int_equal(image_refused(image), 1);
    image_close(image);
    assert_int_equal(byte_in_file(0), 0);
}

/* Writes over the edge of a cluster are read back, and the file stays as it was. */
static void kept_apart(void **state)
{
    struct image *image;
    u8 bytes[2000], back[2000];

    (void)state;
    make(10000);
    image = opened(IMAGE_KEPT);
    assert_int_equal(image_block(image)->bytes, 10240); /* whole sectors */
    memset(bytes, 0xA5, sizeof bytes);
    assert_true(block_write(image_block(image), 3000, bytes, sizeof bytes));
    assert_true(block_flush(image_block(image)));
    assert_true(block_read(image_block(image), 3000, back, sizeof back));
    assert_memory_equal(bytes, back, sizeof back);
    assert_int_equal(byte_of(image, 2999), 5);
    assert_int_equal(byte_of(image, 5000), 9);
    assert_int_equal(byte_of(image, 9999), 19);
    assert_int_equal(byte_of(image, 10000), 0); /* behind the file */
    assert_true(block_write(image_block(image), 10239, "z", 1));
    assert_int_equal(byte_of(image, 10239), 'z');
    assert_int_equal(byte_of(image, 9999), 19);
    image_close(image);
    assert_int_equal(byte_in_file(3000), 5);
}

static void written(void **state)
{
    struct image *image;

    (void)state;
    make(8192);
    image = opened(IMAGE_WRITTEN);
    assert_refused(IMAGE_WRITTEN, 512, "being written by another program");
    assert_true(block_write(image_block(image), 8191, "y", 1));
    assert_false(block_write(image_block(image), 8192, "y", 1));
    assert_true(block_flush(image_block(image)));
    assert_int_equal(byte_in_file(8191), 'y');
    image_close(image);
    image_close(opened(IMAGE_WRITTEN)); /* the lock went with it */
}

static void what_is_refused(void **state)
{
    struct error err;

    (void)state;
    make(1000);
    assert_refused(IMAGE_WRITTEN, 512, "truncate -s '%512'");
    image_close(opened(IMAGE_REFUSED));
    make(0);
    assert_refused(IMAGE_REFUSED, 512, "is empty");
    make(4096);
    put(0, "QFI\xfb", 4);
    assert_refused(IMAGE_REFUSED, 512, "qemu-img convert -f qcow2 -O raw");
    image_close(image_open(path, IMAGE_REFUSED, 512, true, &err)); /* said to be raw */
    make(4096);
    put(0x40, "\x7f\x10\xda\xbe", 4);
    assert_refused(IMAGE_KEPT, 512, "vdi");
    assert_null(image_open("/nonexistent/disk", IMAGE_REFUSED, 512, false, &err));
    assert_non_null(strstr(err.text, "No such file"));
    assert_null(image_open("/tmp", IMAGE_REFUSED, 512, false, &err));
    assert_non_null(strstr(err.text, "but a directory"));
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(read_only), cmocka_unit_test(kept_apart),
                                       cmocka_unit_test(written), cmocka_unit_test(what_is_refused)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
