/* SPDX-License-Identifier: MIT
 * Hashes of the image files in a recording's run description.
 */
#include "cli/image_hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* FNV-1a over the whole file, 64 bits: it tells files apart, it is no protection against forgery. */
static bool hash_file(const char *path, u64 *hash)
{
    u8 buffer[65536];
    struct stat st;
    FILE *file;
    size_t n;
    bool ok;

    /* A device may have no end and a FIFO no writer; the loader refuses both with a message of its own. */
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    file = fopen(path, "rb");
    if (file == NULL)
        return false;
    *hash = 0xCBF29CE484222325;
    while ((n = fread(buffer, 1, sizeof buffer, file)) != 0)
        for (size_t i = 0; i < n; i++)
            *hash = (*hash ^ buffer[i]) * 0x100000001B3;
    ok = !ferror(file);
    fclose(file);
    return ok;
}

void image_hash_property(struct trace_properties *run, const char *key, const char *path)
{
    u64 hash;

    if (path != NULL && hash_file(path, &hash))
        trace_properties_set(run, key, "%016llx %s", (unsigned long long)hash, path);
}

bool image_hash_verify(const struct trace_properties *run, const char *key, const char *path, struct error *err)
{
    const char *recorded = trace_properties_get(run, key);
    u64 hash;

    if (recorded == NULL)
        return true;
    if (path == NULL || !hash_file(path, &hash))
        return error_set(err, EXIT_FILE, "the recording's image '%s' cannot be read", path ? path : recorded);
    if (hash != strtoull(recorded, NULL, 16))
        return error_set(err, EXIT_FILE,
                         "'%s' is not the file that was recorded (its contents changed): the run cannot be made again",
                         path);
    return true;
}

static const char *const drive_keys[MACHINE_DRIVES] = {"image.drive0",  "image.drive1", "image.drive2", "image.drive3",
                                                       "image.drive4",  "image.drive5", "image.drive6", "image.drive7",
                                                       "image.floppy0", "image.floppy1"};

void image_hash_drives(struct trace_properties *run, const struct drive_options *drives)
{
    for (unsigned i = 0; i < MACHINE_DRIVES; i++)
        if (drives->unit[i].path[0] != '\0')
            image_hash_property(run, drive_keys[i], drives->unit[i].path);
}

bool image_hash_verify_drives(const struct trace_properties *run, const struct drive_options *drives, struct error *err)
{
    for (unsigned i = 0; i < MACHINE_DRIVES; i++)
        if (!image_hash_verify(run, drive_keys[i], drives->unit[i].path, err))
            return false;
    return true;
}
