/* SPDX-License-Identifier: MIT
 * ringside symbols: what can be known from a kernel file, and how it was found.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "kernel/kernel.h"
#include "trace/words.h"

struct symbols_options {
    const char *kernel, *vmlinux, *find;
    bool list, syscalls, json, help, at_given;
    u64 at;
};

static bool parse_address(u64 *address, const char *text, struct error *err)
{
    char *end;

    errno = 0;
    *address = strtoull(text, &end, 16);
    if (errno != 0 || end == text || *end != '\0' || *text == '-')
        return error_set(err, EXIT_USAGE, "--at wants a hexadecimal address, not '%s'", text);
    return true;
}

static bool set_value(struct symbols_options *o, const char *name, const char *value, struct error *err)
{
    if (strcmp(name, "at") == 0) {
        o->at_given = true;
        return parse_address(&o->at, value, err);
    }
    if (strcmp(name, "format") == 0) {
        o->json = strcmp(value, "json") == 0;
        return o->json || strcmp(value, "text") == 0 || error_set(err, EXIT_USAGE, "--format %s: text or json", value);
    }
    *(strcmp(name, "find") == 0 ? &o->find : &o->vmlinux) = value;
    return true;
}

static bool parse_option(struct symbols_options *o, int argc, char **argv, int *i, struct error *err)
{
    static const char *const known[] = {"vmlinux", "find", "at", "format", "list", "syscalls", "help", NULL};
    const char *name = argv[*i] + 1 + (argv[*i][1] == '-'), *near;
    size_t length = strcspn(name, "=");
    char word[32];

    snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), name);
    if (name[length] == '\0' && (strcmp(word, "list") == 0 || strcmp(word, "syscalls") == 0)) {
        *(word[0] == 'l' ? &o->list : &o->syscalls) = true;
        return true;
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "h") == 0)
        return o->help = true;
    for (unsigned k = 0; k < 4; k++) {
        if (strcmp(word, known[k]) != 0)
            continue;
        if (name[length] == '=')
            return set_value(o, word, name + length + 1, err);
        if (*i + 1 >= argc)
            return error_set(err, EXIT_USAGE, "option '%s' wants a value", argv[*i]);
        return set_value(o, word, argv[++*i], err);
    }
    near = cli_nearest(word, known);
    return error_set(err, EXIT_USAGE, "unknown option '%s'%s%s%s", argv[*i], near ? ", did you mean '--" : "",
                     near ? near : "", near ? "'?" : "");
}

static bool parse(struct symbols_options *o, int argc, char **argv, struct error *err)
{
    for (int i = 1; i < argc && !o->help; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!parse_option(o, argc, argv, &i, err))
                return false;
        } else if (o->kernel != NULL) {
            return error_set(err, EXIT_USAGE, "'%s' is one word too many", argv[i]);
        } else {
            o->kernel = argv[i];
        }
    }
    if (o->kernel == NULL && !o->help)
        return error_set(err, EXIT_USAGE, "give the kernel to read: a bzImage or an ELF (vmlinux)");
    return true;
}

static void usage(void)
{
    printf("usage: ringside symbols KERNEL [OPTIONS]\n\n"
           "  --vmlinux FILE   an unstripped ELF of the same build: all its symbols, and layouts by DWARF\n"
           "  --find NAME      where the symbols of this name are\n"
           "  --at ADDRESS     the symbol that a link-time address lies in\n"
           "  --list           every symbol, as nm prints them\n"
           "  --syscalls       the system calls that the kernel describes itself\n"
           "  --format F       text or json\n");
}

/* ---- JSON: strings come from the kernel and hold anything. */

static void json_member(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    words_json(stdout, text);
}

/* Text for a terminal: nothing that would drive it. */
static void put_text(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((u8)*text < 0x20 || (u8)*text >= 0x7f ? '?' : *text);
}

/* ---- the summary */

/* Where a kernel is entered, and what else a reader looks for first: those that a kernel has are shown. */
static const char *const anchors[] = {
    "_text",
    "startup_32",
    "startup_64",
    "entry_SYSCALL_64",
    "entry_SYSCALL_compat",
    "entry_SYSENTER_32",
    "entry_SYSENTER_compat",
    "entry_INT80_32",
    "entry_INT80_compat",
    "asm_int80_emulation",
    "asm_exc_page_fault",
    "do_syscall_64",
    "do_int80_syscall_32",
    "__switch_to",
    "ret_from_fork",
    "sys_call_table",
};

/* The numbers of a layout, with their names in the kernel. */
static const struct {
    size_t at;
    const char *name;
} members[] = {
    {offsetof(struct kernel_layout, task_pid), "task_struct.pid"},
    {offsetof(struct kernel_layout, task_tgid), "task_struct.tgid"},
    {offsetof(struct kernel_layout, task_comm), "task_struct.comm"},
    {offsetof(struct kernel_layout, task_mm), "task_struct.mm"},
    {offsetof(struct kernel_layout, task_flags), "task_struct.flags"},
    {offsetof(struct kernel_layout, task_thread_sp), "task_struct.thread.sp"},
    {offsetof(struct kernel_layout, mm_pgd), "mm_struct.pgd"},
    {offsetof(struct kernel_layout, module_list), "module.list"},
    {offsetof(struct kernel_layout, module_name), "module.name"},
    {offsetof(struct kernel_layout, module_base), "module.base"},
    {offsetof(struct kernel_layout, module_size), "module.size"},
    {offsetof(struct kernel_layout, module_kallsyms), "module.kallsyms"},
    {offsetof(struct kernel_layout, kallsyms_symtab), "mod_kallsyms.symtab"},
    {offsetof(struct kernel_layout, kallsyms_count), "mod_kallsyms.num_symtab"},
    {offsetof(struct kernel_layout, kallsyms_strtab), "mod_kallsyms.strtab"},
};

/* How many of them this kernel has. */
static size_t known_members(const struct kernel_layout *layout)
{
    if (!layout->known)
        return 0;
    return layout->module_name != 0 ? ARRAY_LEN(members) : 7;
}

static u32 member_offset(const struct kernel_layout *layout, size_t i)
{
    u32 offset;

    memcpy(&offset, (const char *)layout + members[i].at, sizeof offset);
    return offset;
}

static void summary_line(const char *name, const char *text)
{
    printf("%-9s ", name);
    put_text(text);
    printf("\n");
}

static void print_summary(const struct kernel *k)
{
    u64 address;

    summary_line("release", k->release[0] != '\0' ? k->release : "not known: no banner in the image");
    if (k->banner[0] != '\0')
        summary_line("banner", k->banner);
    printf("bits      %d\n", k->is64 ? 64 : 32);
    summary_line("image", k->image_how);
    summary_line("symbols", k->symbols_how);
    summary_line("layout", k->layout_how);
    summary_line("current", k->current_how);
    summary_line("syscalls", k->syscalls_how);
    if (known_members(&k->layout) != 0)
        printf("\noffsets\n");
    for (size_t i = 0; i < known_members(&k->layout); i++)
        printf("  %-24s %6u\n", members[i].name, member_offset(&k->layout, i));
    if (symbols_count(k->symbols) != 0)
        printf("\nlink-time addresses\n");
    for (size_t i = 0; i < ARRAY_LEN(anchors); i++) {
        if (symbols_find(k->symbols, anchors[i], &address))
            printf("  %-24s %llx\n", anchors[i], (unsigned long long)address);
    }
}

static void print_summary_json(const struct kernel *k)
{
    const char *comma = "";
    u64 address;

    printf("{\"bits\":%d", k->is64 ? 64 : 32);
    json_member("release", k->release);
    json_member("banner", k->banner);
    json_member("image", k->image_how);
    printf(",\"symbols\":%zu", symbols_count(k->symbols));
    json_member("symbols_how", k->symbols_how);
    json_member("layout_how", k->layout_how);
    printf(",\"layout\":{");
    for (size_t i = 0; i < known_members(&k->layout); i++, comma = ",")
        printf("%s\"%s\":%u", comma, members[i].name, member_offset(&k->layout, i));
    printf("}");
    json_member("current_how", k->current_how);
    printf(",\"current_task\":\"0x%llx\",\"syscalls\":%zu", (unsigned long long)k->current_task, k->syscalls);
    json_member("syscalls_how", k->syscalls_how);
    printf(",\"anchors\":{");
    comma = "";
    for (size_t i = 0; i < ARRAY_LEN(anchors); i++) {
        if (!symbols_find(k->symbols, anchors[i], &address))
            continue;
        printf("%s\"%s\":\"0x%llx\"", comma, anchors[i], (unsigned long long)address);
        comma = ",";
    }
    printf("}}\n");
}

/* ---- the questions */

static void print_symbol(const struct kernel *k, struct symbol s, bool json)
{
    if (json) {
        printf("{\"address\":\"0x%llx\",\"type\":\"%c\",\"name\":", (unsigned long long)s.address, s.type);
        words_json(stdout, s.name);
        printf("}\n");
        return;
    }
    printf("%0*llx %c ", k->is64 ? 16 : 8, (unsigned long long)s.address, s.type);
    put_text(s.name);
    printf("\n");
}

/* The symbols of a name, or all. returns: how many */
static size_t print_symbols(const struct kernel *k, const char *name, bool json)
{
    size_t found = 0;

    for (size_t i = 0; i < symbols_count(k->symbols); i++) {
        struct symbol s = symbols_at(k->symbols, i);

        if (name != NULL && strcmp(s.name, name) != 0)
            continue;
        print_symbol(k, s, json);
        found++;
    }
    return found;
}

static bool print_at(const struct kernel *k, u64 address, bool json)
{
    struct symbol s;
    u64 offset;

    if (!symbols_lookup(k->symbols, address, &s, &offset))
        return false;
    if (json) {
        printf("{\"address\":\"0x%llx\",\"name\":", (unsigned long long)address);
        words_json(stdout, s.name);
        printf(",\"offset\":%llu,\"end\":\"0x%llx\"}\n", (unsigned long long)offset,
               (unsigned long long)symbols_end(k->symbols, address));
        return true;
    }
    put_text(s.name);
    if (offset != 0)
        printf("+0x%llx", (unsigned long long)offset);
    printf("\n");
    return true;
}

static void print_syscall(const struct kernel_syscall *s, bool json)
{
    if (json) {
        printf("{\"number\":%u,\"name\":", s->number);
        words_json(stdout, s->name);
        printf(",\"args\":[");
        for (u32 i = 0; i < s->args; i++) {
            printf("%s{\"type\":", i ? "," : "");
            words_json(stdout, s->type[i]);
            json_member("name", s->arg[i]);
            printf("}");
        }
        printf("]}\n");
        return;
    }
    printf("%-4u ", s->number);
    put_text(s->name);
    printf("(");
    for (u32 i = 0; i < s->args; i++) {
        printf("%s", i ? ", " : "");
        put_text(s->type[i]);
        printf(" ");
        put_text(s->arg[i]);
    }
    printf(")\n");
}

static int answer(const struct kernel *k, const struct symbols_options *o)
{
    struct error err;

    if (!o->list && !o->syscalls && o->find == NULL && !o->at_given)
        (o->json ? print_summary_json : print_summary)(k);
    if (o->list)
        print_symbols(k, NULL, o->json);
    if (o->syscalls) {
        for (size_t i = 0; i < k->syscalls; i++)
            print_syscall(&k->syscall[i], o->json);
    }
    if (o->syscalls && k->syscalls == 0) {
        error_set(&err, EXIT_DIFFERENT, "the kernel describes no system calls: %.400s", k->syscalls_how);
        return cli_fail(&err);
    }
    if (o->find != NULL && print_symbols(k, o->find, o->json) == 0) {
        error_set(&err, EXIT_DIFFERENT, "no symbol is called '%s' (%.300s)", o->find, k->symbols_how);
        return cli_fail(&err);
    }
    if (o->at_given && !print_at(k, o->at, o->json)) {
        error_set(&err, EXIT_DIFFERENT, "no symbol is at 0x%llx; link-time addresses are looked up (%.300s)",
                  (unsigned long long)o->at, k->symbols_how);
        return cli_fail(&err);
    }
    return EXIT_OK;
}

int cmd_symbols(int argc, char **argv)
{
    struct symbols_options o = {0};
    struct kernel *k;
    struct error err;
    int code;

    if (!parse(&o, argc, argv, &err))
        return cli_fail(&err);
    if (o.help) {
        usage();
        return EXIT_OK;
    }
    k = kernel_open(o.kernel, o.vmlinux, &err);
    if (k == NULL)
        return cli_fail(&err);
    if (*k->banner == '\0' && symbols_count(k->symbols) == 0)
        error_set(&err, EXIT_FILE, "%s: no Linux kernel: it has neither a banner nor symbols (%s)", o.kernel,
                  k->symbols_how);
    else
        err.code = EXIT_OK;
    code = err.code == EXIT_OK ? answer(k, &o) : cli_fail(&err);
    kernel_free(k);
    return code;
}
