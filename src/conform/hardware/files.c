/* SPDX-License-Identifier: MIT
 * Finding corpora: a file, the files of a directory, or those that came with the program.
 */
#include "conform/hardware/files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_corpus(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), suffix = strlen(CORPUS_SUFFIX);

    return length > suffix && strcmp(entry->d_name + length - suffix, CORPUS_SUFFIX) == 0;
}

static bool add(struct hardware_files *files, const char *directory, const char *name, struct error *err)
{
    if (files->count == CORPUS_FILES_MAX)
        return error_set(err, EXIT_FILE, "%s: more than %u corpora; name one of them", directory, CORPUS_FILES_MAX);
    if (asprintf(&files->path[files->count], "%s/%s", directory, name) < 0)
        return error_set(err, EXIT_LIMIT, "no memory for the names of corpora");
    files->count++;
    return true;
}

/* In the order of their names, so that tests stand in the same order everywhere. */
static bool add_directory(struct hardware_files *files, const char *directory, struct error *err)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_corpus, alphasort);
    bool ok = true;

    if (count < 0)
        return error_set(err, EXIT_FILE, "%s: cannot look for corpora: %s", directory, strerror(errno));
    for (int i = 0; i < count; i++) {
        ok = ok && add(files, directory, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* returns: false: there is none */
static bool own_directory(char *path, size_t size)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash;

    if (length > 0) {
        program[length] = '\0';
        slash = strrchr(program, '/');
        if (slash != NULL) {
            *slash = '\0';
            if (snprintf(path, size, "%s/../share/ringside/hardware", program) < (int)size && is_directory(path))
                return true;
        }
    }
    return snprintf(path, size, "%s", RINGSIDE_HARDWARE_DATA) < (int)size && is_directory(path);
}

bool hardware_files_find(struct hardware_files *files, const char *given, struct error *err)
{
    char directory[PATH_MAX + 64];
    bool ok;

    *files = (struct hardware_files){.count = 0};
    if (given == NULL) {
        ok = !own_directory(directory, sizeof directory) || add_directory(files, directory, err);
    } else if (is_directory(given)) {
        ok = add_directory(files, given, err);
        if (ok && files->count == 0)
            ok = error_set(err, EXIT_FILE, "%s: no corpus (*%s) in this directory", given, CORPUS_SUFFIX);
    } else {
        files->path[0] = strdup(given);
        files->count = files->path[0] != NULL;
        ok = files->count != 0 || error_set(err, EXIT_LIMIT, "no memory for the names of corpora");
    }
    if (!ok)
        hardware_files_free(files);
    return ok;
}

void hardware_files_free(struct hardware_files *files)
{
    while (files->count > 0)
        free(files->path[--files->count]);
}
