/* SPDX-License-Identifier: MIT
 * The libraries of a dynamic program, found as the dynamic linker finds them.
 * Linux manual pages ld.so(8), "DESCRIPTION" and "Dynamic string tokens"; ldconfig(8).
 */
#include "machine/program_libraries.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/host_tree.h"

#define LIBRARY_MAX_BYTES 0x7FFFFFFFull
#define LIBRARIES_MAX 512u
#define CONF_DEPTH_MAX 8u
#define LD_SO_CONF "/etc/ld.so.conf"
#define LD_SO_CACHE "/etc/ld.so.cache"

/* One program or library whose needs are looked for. */
struct object {
    char *name; /* as somebody needs it; the program: its path */
    char *path;
    char *rpath, *runpath;
    const struct object *parent; /* who needed it first */
    unsigned needs;
    char **needed;
};

struct closure {
    struct initramfs *fs;
    bool is64;
    const char *library_path;
    struct object *object[LIBRARIES_MAX];
    unsigned count;
    char *configured; /* directories of ld.so.conf, ':' between them */
    bool by_cache;    /* a library was found by them: the guest's ld.so needs the cache */
};

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static char *copy(const char *s) { return s == NULL ? NULL : must(strdup(s)); }

/* ---- objects */

static bool add_object(struct closure *c, const char *name, const char *path, const struct elf_needs *needs,
                       const struct object *parent, struct error *err)
{
    struct object *o;

    if (c->count == LIBRARIES_MAX)
        return error_set(err, EXIT_FILE, "'%s' needs more than %u libraries", c->object[0]->path, LIBRARIES_MAX);
    o = c->object[c->count++] = must(calloc(1, sizeof *o));
    *o = (struct object){.name = copy(name),
                         .path = copy(path),
                         .rpath = copy(needs->rpath),
                         .runpath = copy(needs->runpath),
                         .parent = parent,
                         .needs = needs->count,
                         .needed = must(calloc(needs->count + 1u, sizeof *o->needed))};
    for (unsigned i = 0; i < needs->count; i++)
        o->needed[i] = copy(needs->needed[i]);
    return true;
}

static void free_object(struct object *o)
{
    for (unsigned i = 0; i < o->needs; i++)
        free(o->needed[i]);
    free(o->needed);
    free(o->name);
    free(o->path);
    free(o->rpath);
    free(o->runpath);
    free(o);
}

static bool is_there(const struct closure *c, const char *name)
{
    for (unsigned i = 0; i < c->count; i++)
        if (strcmp(c->object[i]->name, name) == 0)
            return true;
    return false;
}

/* ---- directories */

static void add_configured(struct closure *c, const char *directory)
{
    size_t used = c->configured == NULL ? 0 : strlen(c->configured), more = strlen(directory);

    c->configured = must(realloc(c->configured, used + more + 2));
    snprintf(c->configured + used, more + 2, "%s%s", used == 0 ? "" : ":", directory);
}

/* ld.so.conf: a directory a line, "include PATTERN", comments. */
static void read_conf(struct closure *c, const char *path, unsigned depth)
{
    FILE *file = depth < CONF_DEPTH_MAX ? fopen(path, "re") : NULL;
    char line[INITRAMFS_PATH_MAX];

    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        char *word = line + strspn(line, " \t");
        glob_t found;

        word[strcspn(word, "#\n")] = '\0';
        for (size_t n = strlen(word); n != 0 && (word[n - 1] == ' ' || word[n - 1] == '\t'); n--)
            word[n - 1] = '\0';
        if (word[0] == '/') {
            add_configured(c, word);
        } else if (strncmp(word, "include", 7) == 0 && (word[7] == ' ' || word[7] == '\t')) {
            word += 7 + strspn(word + 7, " \t");
            if (word[0] == '/' && glob(word, 0, NULL, &found) == 0) {
                for (size_t i = 0; i < found.gl_pathc; i++)
                    read_conf(c, found.gl_pathv[i], depth + 1);
                globfree(&found);
            }
        }
    }
    fclose(file);
}

static const char *usual_directories(const struct closure *c)
{
    return c->is64 ? "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib"
                   : "/lib/i386-linux-gnu:/usr/lib/i386-linux-gnu:/lib32:/usr/lib32:/lib:/usr/lib";
}

/* $ORIGIN, $LIB and $PLATFORM, with or without braces. returns: false when the result is too long */
static bool expand(const struct closure *c, const struct object *o, const char *text, size_t length,
                   char out[INITRAMFS_PATH_MAX])
{
    char origin[INITRAMFS_PATH_MAX];
    const struct {
        const char *name, *value;
    } tokens[] = {
        {"ORIGIN", origin},
        {"LIB", c->is64 ? "lib/x86_64-linux-gnu" : "lib/i386-linux-gnu"},
        {"PLATFORM", c->is64 ? "x86_64" : "i686"},
    };
    size_t used = 0;

    snprintf(origin, sizeof origin, "%s", o->path);
    *strrchr(origin, '/') = '\0';
    for (size_t i = 0; i < length;) {
        const char *value = NULL;

        for (unsigned k = 0; text[i] == '$' && value == NULL && k < ARRAY_LEN(tokens); k++) {
            size_t brace = i + 1 < length && text[i + 1] == '{', n = strlen(tokens[k].name);

            if (i + 1 + brace + n + brace <= length && strncmp(text + i + 1 + brace, tokens[k].name, n) == 0 &&
                (!brace || text[i + 1 + brace + n] == '}')) {
                value = tokens[k].value;
                i += 1 + 2 * brace + n;
            }
        }
        if (value == NULL) {
            if (used + 1 >= INITRAMFS_PATH_MAX)
                return false;
            out[used++] = text[i++];
            continue;
        }
        if (used + strlen(value) >= INITRAMFS_PATH_MAX)
            return false;
        memcpy(out + used, value, strlen(value));
        used += strlen(value);
    }
    out[used] = '\0';
    return true;
}

/* ---- finding one library */

/* A regular ELF file of the right class. ld.so passes over others. */
static bool fits(const struct closure *c, const char *path, struct elf_needs *needs, struct guest_file *file)
{
    struct error ignored;
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
        !guest_file_read(file, "library", path, LIBRARY_MAX_BYTES, &ignored))
        return false;
    if (elf_is(file) && elf_read_needs(file, needs, &ignored) && needs->is64 == c->is64)
        return true;
    guest_file_free(file);
    return false;
}

static bool find_in(const struct closure *c, const struct object *o, const char *directories, const char *name,
                    char out[INITRAMFS_PATH_MAX], struct elf_needs *needs, struct guest_file *file)
{
    for (const char *p = directories; p != NULL && *p != '\0';) {
        size_t length = strcspn(p, ":");
        char directory[INITRAMFS_PATH_MAX];
        struct error ignored;

        if (expand(c, o, p, length, directory) && directory[0] == '/' &&
            host_tree_absolute(out, directory, name, &ignored) && fits(c, out, needs, file))
            return true;
        p += length + (p[length] == ':');
    }
    return false;
}

/* The order of ld.so(8). A RUNPATH of the object itself switches off all RPATHs for what it needs. */
static bool find_library(struct closure *c, const struct object *o, const char *name, char out[INITRAMFS_PATH_MAX],
                         struct elf_needs *needs, struct guest_file *file)
{
    struct error ignored;

    if (strchr(name, '/') != NULL)
        return name[0] == '/' && host_tree_absolute(out, "/", name, &ignored) && fits(c, out, needs, file);
    for (const struct object *who = o; o->runpath == NULL && who != NULL; who = who->parent)
        if (who->runpath == NULL && find_in(c, who, who->rpath, name, out, needs, file))
            return true;
    if (find_in(c, o, c->library_path, name, out, needs, file) || find_in(c, o, o->runpath, name, out, needs, file))
        return true;
    if (find_in(c, o, c->configured, name, out, needs, file)) {
        c->by_cache = true;
        return true;
    }
    return find_in(c, o, usual_directories(c), name, out, needs, file);
}

static bool add_needed(struct closure *c, const struct object *o, struct error *err)
{
    for (unsigned i = 0; i < o->needs; i++) {
        char path[INITRAMFS_PATH_MAX];
        struct elf_needs needs;
        struct guest_file file;
        bool ok;

        if (is_there(c, o->needed[i]))
            continue;
        if (!find_library(c, o, o->needed[i], path, &needs, &file))
            return error_set(
                err, EXIT_FILE,
                "the library '%s', which '%s' needs, was not found: install it, or name its directory with "
                "--env LD_LIBRARY_PATH=",
                o->needed[i], o->path);
        ok = host_tree_add(c->fs, "library", path, NULL, err) && add_object(c, o->needed[i], path, &needs, o, err);
        guest_file_free(&file);
        if (!ok)
            return false;
    }
    return true;
}

static bool add_interpreter(struct closure *c, const char *program, const char *interp, struct error *err)
{
    const char *base = strrchr(interp, '/');
    struct elf_needs needs;
    struct guest_file file;
    bool ok;

    if (interp[0] != '/' || !fits(c, interp, &needs, &file))
        return error_set(err, EXIT_FILE, "the dynamic linker '%s', which '%s' needs, is missing: install libc6 for %s",
                         interp, program, c->is64 ? "amd64" : "i386");
    /* Libraries need it by its own name: it is there once it runs. */
    ok =
        host_tree_add(c->fs, "dynamic linker", interp, NULL, err) && add_object(c, base + 1, interp, &needs, NULL, err);
    guest_file_free(&file);
    return ok;
}

bool program_libraries_add(struct initramfs *fs, const char *real, const struct elf_needs *needs,
                           const char *library_path, struct error *err)
{
    struct closure c = {.fs = fs, .is64 = needs->is64, .library_path = library_path};
    bool ok;

    if (needs->interp == NULL)
        return true; /* static, also when it is position-independent */
    read_conf(&c, LD_SO_CONF, 0);
    ok = add_object(&c, real, real, needs, NULL, err) && add_interpreter(&c, real, needs->interp, err);
    for (unsigned i = 0; ok && i < c.count; i++)
        ok = add_needed(&c, c.object[i], err);
    if (ok && c.by_cache && access(LD_SO_CACHE, R_OK) == 0)
        ok = host_tree_add(fs, "library cache", LD_SO_CACHE, NULL, err);
    for (unsigned i = 0; i < c.count; i++)
        free_object(c.object[i]);
    free(c.configured);
    return ok;
}
