/* SPDX-License-Identifier: MIT
 * A program of the host put into an initial RAM disk: found as a shell finds it, its script interpreters followed.
 * Linux manual pages execve(2), "Interpreter scripts"; environ(7), "PATH".
 */
#include "machine/program_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/elf_needs.h"
#include "machine/host_tree.h"
#include "machine/program_libraries.h"

#define SCRIPTS_MAX 5u   /* interpreters that are scripts themselves; Linux follows as many */
#define SCRIPT_LINE 255u /* of the first line Linux looks at so many bytes */
#define PROGRAM_MAX_BYTES 0x7FFFFFFFull

static bool is_executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool find_by_path(const struct program_request *r, char out[INITRAMFS_PATH_MAX], struct error *err)
{
    const char *p = r->search_path;

    while (*p != '\0') {
        size_t length = strcspn(p, ":");
        char directory[INITRAMFS_PATH_MAX];

        if (length < sizeof directory) {
            snprintf(directory, sizeof directory, "%.*s", (int)length, p);
            if (!host_tree_absolute(out, length == 0 ? r->directory : directory, r->name, err))
                return false;
            if (is_executable(out))
                return true;
        }
        p += length + (p[length] == ':');
    }
    return error_set(err, EXIT_FILE, "the program '%s' was not found in PATH", r->name);
}

static bool find_program(const struct program_request *r, char out[INITRAMFS_PATH_MAX], struct error *err)
{
    struct stat st;

    if (r->name[0] == '\0')
        return error_set(err, EXIT_USAGE, "the program's name is empty");
    if (strchr(r->name, '/') == NULL)
        return find_by_path(r, out, err);
    if (!host_tree_absolute(out, r->directory, r->name, err))
        return false;
    if (stat(out, &st) != 0)
        return error_set(err, EXIT_FILE, "cannot read the program '%s': %s", r->name, strerror(errno));
    if (S_ISREG(st.st_mode) && !is_executable(out))
        return error_set(err, EXIT_FILE, "the program '%s' is not executable (chmod +x)", r->name);
    return true;
}

/* The interpreter of a "#!" line. returns: false when there is none; *length may be longer than any path */
static bool script_interpreter(const struct guest_file *file, const char **name, size_t *length)
{
    size_t i = 2, line;

    if (file->size < 2 || file->bytes[0] != '#' || file->bytes[1] != '!')
        return false;
    for (line = 2; line < file->size && line < SCRIPT_LINE && file->bytes[line] != '\n'; line++)
        ;
    while (i < line && (file->bytes[i] == ' ' || file->bytes[i] == '\t'))
        i++;
    *name = (const char *)file->bytes + i;
    for (*length = 0; i + *length < line; ++*length)
        if ((*name)[*length] == ' ' || (*name)[*length] == '\t' || (*name)[*length] == '\0')
            break;
    return true;
}

static bool add_executable(struct initramfs *fs, const struct program_request *r, const char *path, unsigned depth,
                           bool *is64, struct error *err);

static bool add_script(struct initramfs *fs, const struct program_request *r, const char *path, const char *name,
                       size_t length, unsigned depth, bool *is64, struct error *err)
{
    char word[SCRIPT_LINE + 1], interpreter[INITRAMFS_PATH_MAX];

    if (length == 0 || length > SCRIPT_LINE)
        return error_set(err, EXIT_FILE, "the first line of the script '%s' names no interpreter", path);
    if (depth == SCRIPTS_MAX)
        return error_set(err, EXIT_FILE, "the script '%s' is the interpreter of too many others", path);
    memcpy(word, name, length);
    word[length] = '\0';
    if (!host_tree_absolute(interpreter, r->directory, word, err))
        return false;
    if (access(interpreter, F_OK) != 0)
        return error_set(err, EXIT_FILE, "the script '%s' wants the interpreter '%s': %s", path, word, strerror(errno));
    return add_executable(fs, r, interpreter, depth + 1, is64, err);
}

/* in: file  its contents; real  its path with links resolved */
static bool add_needs(struct initramfs *fs, const struct program_request *r, const struct guest_file *file,
                      const char *real, unsigned depth, bool *is64, struct error *err)
{
    struct elf_needs needs;
    const char *name;
    size_t length;

    if (elf_is(file)) {
        if (!elf_read_needs(file, &needs, err))
            return false;
        *is64 = needs.is64;
        return program_libraries_add(fs, real, &needs, r->library_path, err);
    }
    if (script_interpreter(file, &name, &length))
        return add_script(fs, r, file->path, name, length, depth, is64, err);
    return error_set(err, EXIT_FILE, "'%s' is neither an ELF program nor a script that begins with #!", file->path);
}

static bool add_executable(struct initramfs *fs, const struct program_request *r, const char *path, unsigned depth,
                           bool *is64, struct error *err)
{
    char real[INITRAMFS_PATH_MAX];
    struct guest_file file;
    struct stat st;
    bool ok;

    /* Looked at before it is added: a directory would be added with everything in it. */
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return error_set(err, EXIT_FILE, "the program '%s' is a directory", path);
    if (!host_tree_add(fs, "program", path, real, err) ||
        !guest_file_read(&file, "program", path, PROGRAM_MAX_BYTES, err))
        return false;
    ok = add_needs(fs, r, &file, real, depth, is64, err);
    guest_file_free(&file);
    return ok;
}

bool program_files_add(struct initramfs *fs, const struct program_request *request, struct program_found *found,
                       struct error *err)
{
    char path[INITRAMFS_PATH_MAX];

    if (!find_program(request, path, err))
        return false;
    /* A relative path stays one: the program sees it. */
    snprintf(found->path, sizeof found->path, "%s", strchr(request->name, '/') != NULL ? request->name : path);
    return add_executable(fs, request, path, 0, &found->is64, err);
}
