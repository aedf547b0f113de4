/* SPDX-License-Identifier: MIT
 * Files of the host put into an initial RAM disk under the same paths, symbolic links and all.
 */
#include "machine/host_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/guest_file.h"

#define LINKS_MAX 40u /* as many as Linux follows in one path */
#define DEPTH_MAX 64u
#define FILE_MAX_BYTES 0x7FFFFFFFull

bool host_tree_absolute(char out[INITRAMFS_PATH_MAX], const char *directory, const char *name, struct error *err)
{
    int length = name[0] == '/' ? snprintf(out, INITRAMFS_PATH_MAX, "%s", name)
                                : snprintf(out, INITRAMFS_PATH_MAX, "%s/%s", directory, name);

    if (length < 0 || (size_t)length >= INITRAMFS_PATH_MAX)
        return error_set(err, EXIT_FILE, "the path '%.60s...' is longer than %u bytes", name, INITRAMFS_PATH_MAX - 1);
    return true;
}

/* ---- a path, step by step, as the kernel resolves it */

struct walk {
    struct initramfs *fs;
    const char *what, *path;
    char at[INITRAMFS_PATH_MAX];       /* resolved so far; "" is the root */
    char rest[2 * INITRAMFS_PATH_MAX]; /* still to come */
    unsigned links;
    struct stat st; /* of `at` */
};

static bool fail(const struct walk *w, const char *why, struct error *err)
{
    return error_set(err, EXIT_FILE, "cannot read the %s '%s': %s", w->what, w->path, why);
}

static bool follow_link(struct walk *w, const char *link, struct error *err)
{
    char target[INITRAMFS_PATH_MAX], rest[sizeof w->rest];
    ssize_t length = readlink(link, target, sizeof target - 1);

    if (length < 0)
        return fail(w, strerror(errno), err);
    target[length] = '\0';
    if (++w->links > LINKS_MAX)
        return fail(w, strerror(ELOOP), err);
    if (!initramfs_add_symlink(w->fs, link, target, err))
        return false;
    length = snprintf(rest, sizeof rest, "%s/%s", target, w->rest);
    if (length < 0 || (size_t)length >= sizeof w->rest)
        return fail(w, strerror(ENAMETOOLONG), err);
    memcpy(w->rest, rest, (size_t)length + 1);
    if (target[0] == '/')
        w->at[0] = '\0';
    return true;
}

static bool enter(struct walk *w, const char *name, struct error *err)
{
    char next[INITRAMFS_PATH_MAX];
    int length = snprintf(next, sizeof next, "%s/%s", w->at, name);

    if (length < 0 || (size_t)length >= sizeof next)
        return fail(w, strerror(ENAMETOOLONG), err);
    if (lstat(next, &w->st) != 0)
        return fail(w, strerror(errno), err);
    if (S_ISLNK(w->st.st_mode))
        return follow_link(w, next, err);
    memcpy(w->at, next, (size_t)length + 1);
    return !S_ISDIR(w->st.st_mode) || initramfs_add_directory(w->fs, next, w->st.st_mode, err);
}

static bool is_guests_own(const char *path)
{
    static const char *const own[] = {"/dev", "/proc", "/sys"};

    for (unsigned i = 0; i < ARRAY_LEN(own); i++) {
        size_t length = strlen(own[i]);

        if (strncmp(path, own[i], length) == 0 && (path[length] == '/' || path[length] == '\0'))
            return true;
    }
    return false;
}

static bool resolve(struct walk *w, struct error *err)
{
    snprintf(w->rest, sizeof w->rest, "%s", w->path);
    w->st.st_mode = S_IFDIR;
    while (w->rest[0] != '\0') {
        char name[INITRAMFS_PATH_MAX];
        size_t skip = strspn(w->rest, "/"), length = strcspn(w->rest + skip, "/");

        if (length >= sizeof name)
            return fail(w, strerror(ENAMETOOLONG), err);
        memcpy(name, w->rest + skip, length);
        name[length] = '\0';
        memmove(w->rest, w->rest + skip + length, strlen(w->rest + skip + length) + 1);
        if (length != 0 && !S_ISDIR(w->st.st_mode) && !S_ISLNK(w->st.st_mode))
            return fail(w, strerror(ENOTDIR), err);
        if (length == 0 || strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            char *slash = strrchr(w->at, '/');

            if (slash != NULL)
                *slash = '\0';
        } else if (!enter(w, name, err)) {
            return false;
        }
    }
    if (is_guests_own(w->at))
        return fail(w, "it is in /dev, /proc or /sys, of which the guest has its own", err);
    return true;
}

/* ---- what is at the end of it */

static bool add_file(struct initramfs *fs, const char *what, const char *path, const char *as, u32 mode,
                     struct error *err)
{
    struct guest_file file;
    struct stat st;
    bool ok;

    if (initramfs_has(fs, as))
        return true;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        return initramfs_add_file(fs, as, mode, NULL, 0, err);
    if (!guest_file_read(&file, what, path, FILE_MAX_BYTES, err))
        return false;
    ok = initramfs_add_file(fs, as, mode, file.bytes, file.size, err);
    guest_file_free(&file);
    return ok;
}

static bool add_at(struct initramfs *fs, const char *what, const char *path, const char *as, unsigned depth,
                   struct error *err);

/* In the order of their names, so that the archive does not depend on the directory's. */
static bool add_contents(struct initramfs *fs, const char *what, const char *path, const char *as, unsigned depth,
                         struct error *err)
{
    struct dirent **entry;
    int count = scandir(path, &entry, NULL, alphasort);
    bool ok = true;

    if (count < 0)
        return error_set(err, EXIT_FILE, "cannot read the %s '%s': %s", what, path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char below[INITRAMFS_PATH_MAX], below_as[INITRAMFS_PATH_MAX];
        const char *name = entry[i]->d_name;

        if (ok && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            ok = host_tree_absolute(below, path, name, err) && host_tree_absolute(below_as, as, name, err) &&
                 add_at(fs, what, below, below_as, depth + 1, err);
        free(entry[i]);
    }
    free(entry);
    return ok;
}

static bool add_at(struct initramfs *fs, const char *what, const char *path, const char *as, unsigned depth,
                   struct error *err)
{
    char target[INITRAMFS_PATH_MAX];
    struct stat st;
    ssize_t length;

    if (lstat(path, &st) != 0)
        return error_set(err, EXIT_FILE, "cannot read the %s '%s': %s", what, path, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        if (depth > DEPTH_MAX)
            return error_set(err, EXIT_FILE, "the %s '%s' is more than %u directories deep", what, path, DEPTH_MAX);
        return initramfs_add_directory(fs, as, st.st_mode, err) && add_contents(fs, what, path, as, depth, err);
    }
    if (S_ISLNK(st.st_mode)) {
        length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            return error_set(err, EXIT_FILE, "cannot read the %s '%s': %s", what, path, strerror(errno));
        target[length] = '\0';
        return initramfs_add_symlink(fs, as, target, err);
    }
    if (!S_ISREG(st.st_mode) && depth != 0)
        return true;
    return add_file(fs, what, path, as, st.st_mode, err);
}

bool host_tree_add(struct initramfs *fs, const char *what, const char *path, char *real, struct error *err)
{
    struct walk w = {.fs = fs, .what = what, .path = path};

    if (!resolve(&w, err))
        return false;
    if (w.at[0] == '\0')
        return fail(&w, "the whole root directory is more than a guest can take: name directories in it", err);
    if (!add_at(fs, what, w.at, w.at, 0, err))
        return false;
    if (real != NULL)
        snprintf(real, INITRAMFS_PATH_MAX, "%s", w.at);
    return true;
}

bool host_tree_add_as(struct initramfs *fs, const char *what, const char *path, const char *as, struct error *err)
{
    char *real = realpath(path, NULL);
    bool ok;

    if (real == NULL)
        return error_set(err, EXIT_FILE, "cannot read the %s '%s': %s", what, path, strerror(errno));
    ok = add_at(fs, what, real, as, 0, err);
    free(real);
    return ok;
}

bool host_tree_add_directory(struct initramfs *fs, const char *what, const char *path, char *real, struct error *err)
{
    struct walk w = {.fs = fs, .what = what, .path = path};

    if (!resolve(&w, err))
        return false;
    if (!S_ISDIR(w.st.st_mode))
        return fail(&w, strerror(ENOTDIR), err);
    if (real != NULL)
        snprintf(real, INITRAMFS_PATH_MAX, "%s", w.at[0] == '\0' ? "/" : w.at);
    return true;
}
