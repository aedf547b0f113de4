/* SPDX-License-Identifier: MIT
 * Reading a whole file given by the user.
 */
#include "machine/guest_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_open_file(struct guest_file *file, const char *what, int fd, u64 limit, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return error_set(err, EXIT_FILE, "cannot read the %s '%s': %s", what, file->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, EXIT_FILE, "the %s '%s' is not a regular file%s", what, file->path,
                         S_ISDIR(st.st_mode) ? " but a directory" : "");
    if (st.st_size == 0)
        return error_set(err, EXIT_FILE, "the %s '%s' is empty", what, file->path);
    if ((u64)st.st_size > limit)
        return error_set(err, EXIT_FILE,
                         "the %s '%s' has %llu bytes, more than fit (%llu): give the guest more memory with -m", what,
                         file->path, (unsigned long long)st.st_size, (unsigned long long)limit);
    file->bytes = malloc((size_t)st.st_size);
    if (file->bytes == NULL)
        return error_set(err, EXIT_LIMIT, "no memory for the %s '%s'", what, file->path);
    while (file->size < (size_t)st.st_size) {
        ssize_t n = read(fd, file->bytes + file->size, (size_t)st.st_size - file->size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            error_set(err, EXIT_FILE, "cannot read the %s '%s': %s", what, file->path,
                      n == 0 ? "it became shorter while being read" : strerror(errno));
            guest_file_free(file);
            return false;
        }
        file->size += (size_t)n;
    }
    return true;
}

bool guest_file_read(struct guest_file *file, const char *what, const char *path, u64 limit, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok;

    *file = (struct guest_file){.path = path};
    if (fd < 0)
        return error_set(err, EXIT_FILE, "cannot open the %s '%s': %s", what, path, strerror(errno));
    ok = read_open_file(file, what, fd, limit, err);
    close(fd);
    return ok;
}

struct guest_file guest_file_borrow(const char *name, const u8 *bytes, size_t size)
{
    /* The bytes are only read through this structure; guest_file_free() is not called on a borrowed one. */
    return (struct guest_file){.path = name, .bytes = (u8 *)(uintptr_t)bytes, .size = size};
}

void guest_file_free(struct guest_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
    file->size = 0;
}
