/* SPDX-License-Identifier: MIT
 * Captures of a directory and those below it, and their revocation lists.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"
#include "conform/moo/directory.h"

#define LIST_NAME "revocation_list.txt"
#define REVOKED_MAX (1u << 20)
#define PATH_BYTES 4096u

struct revoked {
    u8 hash[20];
    unsigned list; /* into lists */
};

struct moo_revocations {
    char *lists[64]; /* directories that have one, with a slash at the end */
    unsigned list_count;
    struct revoked *revoked; /* sorted by hash */
    unsigned count, room;
};

static bool no_memory(struct error *err, const char *path)
{
    return error_set(err, EXIT_LIMIT, "no memory for the captures of %s", path);
}

/* ---- revocation lists */

static int by_hash(const void *a, const void *b)
{
    return memcmp(((const struct revoked *)a)->hash, ((const struct revoked *)b)->hash, 20);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool parse_hash(const char *text, u8 hash[20])
{
    for (unsigned i = 0; i < 20; i++) {
        int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

        if (low < 0)
            return false;
        hash[i] = (u8)(high << 4 | low);
    }
    return true;
}

static bool add_revoked(struct moo_revocations *rev, const u8 hash[20], const char *path, struct error *err)
{
    if (rev->count == rev->room) {
        unsigned room = rev->room != 0 ? rev->room * 2 : 64;
        struct revoked *more = room > REVOKED_MAX ? NULL : realloc(rev->revoked, room * sizeof *more);

        if (more == NULL)
            return no_memory(err, path);
        rev->revoked = more;
        rev->room = room;
    }
    memcpy(rev->revoked[rev->count].hash, hash, 20);
    rev->revoked[rev->count++].list = rev->list_count - 1;
    return true;
}

static bool read_lines(struct moo_revocations *rev, FILE *in, const char *path, struct error *err)
{
    char line[256];
    u8 hash[20];

    for (unsigned number = 1; fgets(line, sizeof line, in) != NULL; number++) {
        size_t length = strcspn(line, "\r\n");
        bool whole = line[length] != '\0';

        line[length] = '\0';
        if (line[0] != '#' && line[0] != '\0') {
            if (length != 40 || !parse_hash(line, hash)) {
                text_make_plain(line);
                return error_set(err, EXIT_FILE, "%s:%u: '%.60s' is not a hash of 40 digits, nor a comment (#)", path,
                                 number, line);
            }
            if (!add_revoked(rev, hash, path, err))
                return false;
        }
        while (!whole && fgets(line, sizeof line, in) != NULL) /* the rest of a long comment */
            whole = strchr(line, '\n') != NULL;
    }
    return true;
}

static bool read_list(struct moo_directory *d, const char *path, struct error *err)
{
    struct moo_revocations *rev = d->revocations;
    FILE *in;
    bool ok;

    if (rev->list_count == ARRAY_LEN(rev->lists))
        return error_set(err, EXIT_FILE, "%s: more than %zu revocation lists", path, ARRAY_LEN(rev->lists));
    rev->lists[rev->list_count] = strndup(path, strlen(path) - strlen(LIST_NAME));
    if (rev->lists[rev->list_count] == NULL)
        return no_memory(err, path);
    rev->list_count++;
    in = fopen(path, "r");
    if (in == NULL)
        return error_set(err, EXIT_FILE, "%s: %s", path, strerror(errno));
    ok = read_lines(rev, in, path, err);
    fclose(in);
    return ok;
}

bool moo_directory_revokes(const struct moo_directory *d, const struct moo_file *file, const u8 hash[20])
{
    const struct moo_revocations *rev = d->revocations;
    unsigned low = 0, high = rev->count;

    while (low < high) { /* the first that is not below */
        unsigned middle = (low + high) / 2;

        if (memcmp(rev->revoked[middle].hash, hash, 20) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < rev->count && memcmp(rev->revoked[low].hash, hash, 20) == 0; low++) {
        const char *directory = rev->lists[rev->revoked[low].list];

        if (strncmp(file->path, directory, strlen(directory)) == 0)
            return true;
    }
    return false;
}

/* ---- files */

/* Length of the name without .MOO and .gz; 0 when it is another file. */
static size_t stem_length(const char *name)
{
    size_t length = strlen(name);

    if (length > 3 && strcasecmp(name + length - 3, ".gz") == 0)
        length -= 3;
    return length > 4 && strncasecmp(name + length - 4, ".moo", 4) == 0 ? length - 4 : 0;
}

static bool add_file(struct moo_directory *d, const char *path, size_t root, size_t stem, struct error *err)
{
    struct moo_file *file;
    struct moo_reader *reader;

    if (d->count == MOO_FILES_MAX)
        return error_set(err, EXIT_FILE, "%s: more than %u files of captures; name a directory below", path,
                         MOO_FILES_MAX);
    if ((d->count & (d->count - 1)) == 0) { /* room doubles */
        struct moo_file *more = realloc(d->files, (d->count != 0 ? 2 * (size_t)d->count : 1) * sizeof *more);

        if (more == NULL)
            return no_memory(err, path);
        d->files = more;
    }
    reader = moo_open(path, err);
    if (reader == NULL)
        return false;
    file = &d->files[d->count++];
    *file = (struct moo_file){.path = strdup(path), .name = strndup(path + root, stem - root)};
    file->header = *moo_header(reader);
    moo_close(reader);
    if (file->path == NULL || file->name == NULL)
        return no_memory(err, path);
    text_make_plain(file->name);
    return true;
}

/* root: length of the directory that was named, with its slash. */
static bool scan(struct moo_directory *d, const char *path, size_t root, unsigned depth, struct error *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool ok = true;

    if (dir == NULL)
        return error_set(err, EXIT_FILE, "%s: %s", path, strerror(errno));
    while (ok && (entry = readdir(dir)) != NULL) {
        char full[PATH_BYTES];
        int length =
            snprintf(full, sizeof full, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", entry->d_name);
        size_t stem = stem_length(entry->d_name);
        struct stat st;

        if (entry->d_name[0] == '.')
            continue;
        if (length < 0 || (size_t)length >= sizeof full) {
            ok = error_set(err, EXIT_FILE, "%.100s...: a path is longer than %u bytes", path, PATH_BYTES);
        } else if (lstat(full, &st) == 0 && S_ISDIR(st.st_mode)) {
            if (depth < MOO_DEPTH_MAX)
                ok = scan(d, full, root, depth + 1, err);
        } else if (stat(full, &st) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        } else if (strcmp(entry->d_name, LIST_NAME) == 0) {
            ok = read_list(d, full, err);
        } else if (stem != 0) {
            ok = add_file(d, full, root, (size_t)length - strlen(entry->d_name) + stem, err);
        }
    }
    closedir(dir);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    const struct moo_file *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : strcmp(x->path, y->path);
}

/* Two files of one name (plain and gzip) are told apart by what the second is called. */
static bool tell_apart(struct moo_directory *d, size_t root, struct error *err)
{
    for (unsigned i = 1; i < d->count; i++) {
        if (strcmp(d->files[i].name, d->files[i - 1].name) != 0)
            continue;
        free(d->files[i].name);
        d->files[i].name = strdup(d->files[i].path + root);
        if (d->files[i].name == NULL)
            return no_memory(err, d->files[i].path);
        text_make_plain(d->files[i].name);
    }
    return true;
}

bool moo_directory_open(struct moo_directory *d, const char *path, struct error *err)
{
    size_t root = strlen(path);
    bool ok;

    *d = (struct moo_directory){.revocations = calloc(1, sizeof *d->revocations)};
    if (d->revocations == NULL)
        return no_memory(err, path);
    if (root == 0) {
        moo_directory_close(d);
        return error_set(err, EXIT_USAGE, "the suite moo wants captures: --moo DIR");
    }
    root += path[root - 1] != '/';
    ok = scan(d, path, root, 0, err);
    if (ok && d->count == 0)
        ok = error_set(err, EXIT_FILE, "%s: no captures in it, nor in directories below: files named *.MOO or *.MOO.gz",
                       path);
    if (!ok) {
        moo_directory_close(d);
        return false;
    }
    qsort(d->files, d->count, sizeof *d->files, by_name);
    if (d->revocations->count != 0)
        qsort(d->revocations->revoked, d->revocations->count, sizeof *d->revocations->revoked, by_hash);
    if (!tell_apart(d, root, err)) {
        moo_directory_close(d);
        return false;
    }
    return true;
}

void moo_directory_close(struct moo_directory *d)
{
    for (unsigned i = 0; i < d->count; i++) {
        free(d->files[i].path);
        free(d->files[i].name);
    }
    free(d->files);
    if (d->revocations != NULL) {
        for (unsigned i = 0; i < d->revocations->list_count; i++)
            free(d->revocations->lists[i]);
        free(d->revocations->revoked);
        free(d->revocations);
    }
    *d = (struct moo_directory){0};
}
