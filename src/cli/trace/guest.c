/* SPDX-License-Identifier: MIT
 * The guest of `ringside trace`: its kernel, its initial RAM disk with the program and the first process, its command
 * line.
 */
#include "cli/trace/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware.h"
#include "machine/host_tree.h"
#include "machine/program_files.h"

#define CONFIG_MAX (1u << 20) /* the first process takes so much */
#define WORDS_MAX 4096u
#define RAM_DEFAULT (512ull << 20)
#define RAM_BESIDE_FILES (256ull << 20)

/* Always the same, so that a run does not depend on who makes it. */
static const char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                          "HOME=/root", "TERM=dumb"};

/* ---- the file that tells the first process what to do */

struct config {
    char *bytes;
    size_t size;
};

static void add_word(struct config *c, enum trace_word letter, const char *text)
{
    size_t length = strlen(text) + 1;

    c->bytes = realloc(c->bytes, c->size + 1 + length);
    if (c->bytes == NULL)
        abort();
    c->bytes[c->size] = (char)letter;
    memcpy(c->bytes + c->size + 1, text, length);
    c->size += 1 + length;
}

/* Both are NAME=VALUE. */
static bool same_variable(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");

    return strncmp(a, b, length + 1) == 0;
}

/* The last of one name counts. */
static bool is_replaced(const struct trace_options *o, const char *variable, unsigned from)
{
    for (unsigned i = from; i < o->envs; i++)
        if (same_variable(variable, o->env[i]))
            return true;
    return false;
}

static void add_environment(struct config *c, const struct trace_options *o)
{
    for (unsigned i = 0; i < ARRAY_LEN(environment); i++)
        if (!is_replaced(o, environment[i], 0))
            add_word(c, TRACE_WORD_ENVIRONMENT, environment[i]);
    for (unsigned i = 0; i < o->envs; i++)
        if (!is_replaced(o, o->env[i], i + 1))
            add_word(c, TRACE_WORD_ENVIRONMENT, o->env[i]);
}

static void add_streams(struct config *c, const struct trace_streams *s)
{
    static const enum trace_word word[3] = {TRACE_WORD_STDIN, TRACE_WORD_STDOUT, TRACE_WORD_STDERR};
    unsigned rows, columns;
    char text[32];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%c", s->kind[i]);
        add_word(c, word[i], text);
    }
    if (trace_streams_window(s, &rows, &columns)) {
        snprintf(text, sizeof text, "%u %u", rows, columns);
        add_word(c, TRACE_WORD_WINDOW, text);
    }
}

static bool add_config(struct trace_guest *g, const struct trace_options *o, const struct trace_streams *s,
                       const char *directory, const char *program, struct error *err)
{
    struct config c = {0};
    bool ok;

    add_streams(&c, s);
    if (o->follow)
        add_word(&c, TRACE_WORD_ALL, "");
    add_word(&c, TRACE_WORD_DIRECTORY, directory);
    add_word(&c, TRACE_WORD_PROGRAM, program);
    for (int i = 0; i < o->argc; i++)
        add_word(&c, TRACE_WORD_ARGUMENT, o->argv[i]);
    add_environment(&c, o);
    if (c.size >= CONFIG_MAX || o->argc >= (int)WORDS_MAX)
        ok = error_set(err, EXIT_USAGE, "too many arguments: at most %u words and %u bytes", WORDS_MAX - 1,
                       CONFIG_MAX - 1);
    else
        ok = initramfs_add_file(g->files, TRACE_CONFIG_FILE, 0600, c.bytes, c.size, err) &&
             (s->kind[0] != TRACE_STREAM_FILE ||
              initramfs_add_file(g->files, TRACE_STDIN_FILE, 0600, s->input, s->input_size, err));
    free(c.bytes);
    return ok;
}

/* ---- files */

static bool add_skeleton(struct trace_guest *g, struct error *err)
{
    const u8 *init = g->kernel64 ? firmware_trace_init64 : firmware_trace_init32;
    const u8 *end = g->kernel64 ? firmware_trace_init64_end : firmware_trace_init32_end;

    return initramfs_add_directory(g->files, "/dev", 0755, err) &&
           initramfs_add_device(g->files, "/dev/console", 0600, 5, 1, err) &&
           initramfs_add_directory(g->files, "/proc", 0555, err) &&
           initramfs_add_directory(g->files, "/sys", 0555, err) &&
           initramfs_add_directory(g->files, "/root", 0700, err) &&
           initramfs_add_directory(g->files, "/tmp", 01777, err) &&
           initramfs_add_file(g->files, "/init", 0755, init, (size_t)(end - init), err);
}

static const char *library_path(const struct trace_options *o)
{
    const char *found = NULL;

    for (unsigned i = 0; i < o->envs; i++)
        if (same_variable("LD_LIBRARY_PATH=", o->env[i]))
            found = o->env[i] + strlen("LD_LIBRARY_PATH=");
    return found;
}

/* An executable file that execve() would take. */
static bool is_program(const char *path)
{
    u8 begin[4] = {0};
    FILE *file;
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, X_OK) != 0 || (file = fopen(path, "re")) == NULL)
        return false;
    if (fread(begin, 1, sizeof begin, file) != sizeof begin)
        begin[0] = 0;
    fclose(file);
    return memcmp(begin, "\177ELF", 4) == 0 || memcmp(begin, "#!", 2) == 0;
}

/* A file under its own path; a program brings what it needs. */
static bool add_given_file(struct trace_guest *g, const struct trace_options *o, const char *directory,
                           const char *path, struct error *err)
{
    struct program_request request = {
        .name = path, .directory = directory, .search_path = "", .library_path = library_path(o)};
    struct program_found ignored;

    if (is_program(path))
        return program_files_add(g->files, &request, &ignored, err);
    return host_tree_add(g->files, "file", path, NULL, err);
}

static bool add_given_files(struct trace_guest *g, const struct trace_options *o, const char *directory,
                            struct error *err)
{
    for (unsigned i = 0; i < o->files; i++) {
        const char *colon = strchr(o->file[i], ':');
        size_t length = strcspn(o->file[i], ":");
        char host[INITRAMFS_PATH_MAX], path[INITRAMFS_PATH_MAX];

        if (length >= sizeof host)
            return error_set(err, EXIT_USAGE, "--file: the path is longer than %u bytes", INITRAMFS_PATH_MAX - 1);
        memcpy(host, o->file[i], length);
        host[length] = '\0';
        if (!host_tree_absolute(path, directory, host, err))
            return false;
        if (colon != NULL ? !host_tree_add_as(g->files, "file", path, colon + 1, err)
                          : !add_given_file(g, o, directory, path, err))
            return false;
    }
    return true;
}

/* The guest has only what was put into it: say so of a file that the program is told to use. */
static void mention_missing_files(const struct trace_guest *g, const struct trace_options *o)
{
    for (int i = 1; i < o->argc; i++) {
        struct stat st;
        char *real;

        if (o->argv[i][0] == '-' || stat(o->argv[i], &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        real = realpath(o->argv[i], NULL);
        if (real != NULL && !initramfs_has(g->files, real))
            fprintf(stderr, "ringside: the file '%s' is not in the guest; --file '%s' puts it there\n", o->argv[i],
                    o->argv[i]);
        free(real);
    }
}

static bool gather(struct trace_guest *g, const struct trace_options *o, const struct trace_streams *s,
                   struct error *err)
{
    const char *path = getenv("PATH");
    char directory[INITRAMFS_PATH_MAX], real[INITRAMFS_PATH_MAX];
    struct program_found found;

    if (getcwd(directory, sizeof directory) == NULL)
        return error_set(err, EXIT_FILE, "the working directory is unknown: %s", strerror(errno));
    g->files = initramfs_new();
    if (!add_skeleton(g, err) || !host_tree_add_directory(g->files, "working directory", directory, real, err) ||
        !program_files_add(g->files,
                           &(struct program_request){.name = o->argv[0],
                                                     .directory = directory,
                                                     .search_path = path != NULL ? path : "/usr/bin:/bin",
                                                     .library_path = library_path(o)},
                           &found, err))
        return false;
    g->program64 = found.is64;
    if (g->program64 && !g->kernel64)
        return error_set(err, EXIT_USAGE, "'%s' is a 64-bit program, and the kernel '%s' is a 32-bit one", o->argv[0],
                         g->kernel);
    if (!add_given_files(g, o, directory, err) || !add_config(g, o, s, directory, found.path, err))
        return false;
    mention_missing_files(g, o);
    return true;
}

/* ---- machine */

/* The kernel speaks on the second serial port and is heard only when something went wrong; a panic ends the run. */
static bool set_command_line(struct trace_guest *g, const struct trace_options *o, struct error *err)
{
    int length = snprintf(g->append, sizeof g->append, "console=ttyS1 quiet panic=-1%s%s", o->append != NULL ? " " : "",
                          o->append != NULL ? o->append : "");

    if (length < 0 || (size_t)length >= sizeof g->append)
        return error_set(err, EXIT_USAGE, "-append is longer than %zu bytes", sizeof g->append - 64);
    return true;
}

static bool set_machine(struct trace_guest *g, const struct trace_options *o, struct machine_options *m,
                        struct error *err)
{
    machine_options_init(m);
    m->kernel = g->kernel;
    m->append = g->append;
    m->model = o->model;
    m->engine = o->engine;
    m->timeout = o->timeout;
    m->no_reboot = true;
    m->com2 = true;
    m->deaf = true;
    m->channel_port = TRACE_PORT;
    m->initrd_bytes = initramfs_finish(g->files, &m->initrd_size);
    m->ram_bytes = o->ram_bytes;
    if (m->ram_bytes == 0) {
        /* The archive, its copy as files, and the rest. */
        m->ram_bytes = (3 * (u64)m->initrd_size + RAM_BESIDE_FILES) & PAGE_MASK;
        if (m->ram_bytes < RAM_DEFAULT)
            m->ram_bytes = RAM_DEFAULT;
    }
    return set_command_line(g, o, err);
}

bool trace_guest_make(struct trace_guest *g, const struct trace_options *o, const struct trace_streams *s,
                      struct machine_options *machine, struct error *err)
{
    *g = (struct trace_guest){0};
    if (o->kernel == NULL && !trace_kernel_newest(g->kernel, sizeof g->kernel, err))
        return false;
    if (o->kernel != NULL && strlen(o->kernel) >= sizeof g->kernel)
        return error_set(err, EXIT_USAGE, "the kernel's path is too long");
    if (o->kernel != NULL)
        snprintf(g->kernel, sizeof g->kernel, "%s", o->kernel);
    if (!trace_kernel_width(g->kernel, &g->kernel64, err))
        return false;
    if (g->kernel64 && !o->model.feature[FEAT_LM])
        return error_set(err, EXIT_USAGE, "the kernel '%s' is a 64-bit one, and -cpu %s has no 64-bit mode", g->kernel,
                         o->model.name);
    return gather(g, o, s, err) && set_machine(g, o, machine, err);
}

void trace_guest_free(struct trace_guest *g) { initramfs_free(g->files); }
