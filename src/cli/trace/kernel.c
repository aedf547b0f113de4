/* SPDX-License-Identifier: MIT
 * The kernel that a program is traced on. Linux documentation, "The Linux/x86 Boot Protocol".
 */
#define _GNU_SOURCE /* strverscmp() */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "cli/trace/guest.h"

#define BOOT "/boot"
#define PREFIX "vmlinuz-"

bool trace_kernel_newest(char *path, size_t size, struct error *err)
{
    DIR *directory = opendir(BOOT);
    char best[256] = "", unreadable[256] = "";
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char candidate[512];

        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        snprintf(candidate, sizeof candidate, BOOT "/%s", entry->d_name);
        if (access(candidate, R_OK) != 0)
            snprintf(unreadable, sizeof unreadable, "%s", entry->d_name);
        else if (best[0] == '\0' || strverscmp(entry->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", entry->d_name);
    }
    if (directory != NULL)
        closedir(directory);
    if (best[0] == '\0' && unreadable[0] != '\0')
        return error_set(err, EXIT_FILE,
                         "the kernel '" BOOT "/%s' cannot be read by this user: give a copy with -kernel FILE",
                         unreadable);
    if (best[0] == '\0')
        return error_set(err, EXIT_FILE,
                         "no kernel is installed (" BOOT "/" PREFIX "*): give one with -kernel FILE, or apt install "
                         "linux-image-cloud-amd64");
    snprintf(path, size, BOOT "/%s", best);
    return true;
}

bool trace_kernel_width(const char *path, bool *is64, struct error *err)
{
    enum { BOOT_FLAG = 0x1FE, MAGIC = 0x202, VERSION = 0x206, XLOADFLAGS = 0x236, HEADER = 0x260, ELF_CLASS = 4 };
    u8 header[HEADER];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size;

    if (fd < 0)
        return error_set(err, EXIT_FILE, "cannot open the kernel '%s': %s", path, strerror(errno));
    size = read(fd, header, sizeof header);
    close(fd);
    if (size < 0)
        return error_set(err, EXIT_FILE, "cannot read the kernel '%s': %s", path, strerror(errno));
    if (size == sizeof header && memcmp(header, "\177ELF", 4) == 0) {
        *is64 = header[ELF_CLASS] == 2;
        return true;
    }
    if (size != sizeof header || load_le16(header + BOOT_FLAG) != 0xAA55 || memcmp(header + MAGIC, "HdrS", 4) != 0)
        return error_set(err, EXIT_FILE, "'%s' is no Linux kernel (bzImage or ELF): a program is traced on Linux",
                         path);
    *is64 = load_le16(header + VERSION) >= 0x020C && (load_le16(header + XLOADFLAGS) & 1) != 0;
    return true;
}
