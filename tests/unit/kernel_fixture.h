/* SPDX-License-Identifier: MIT
 * Small kernels, made up: an ELF with kallsyms tables in the orders and forms that kernels have used, BTF, the tracer's
 * descriptions of system calls and code that knows the running task; packed as a bzImage by each packer.
 */
#ifndef RINGSIDE_TESTS_KERNEL_FIXTURE_H
#define RINGSIDE_TESTS_KERNEL_FIXTURE_H

#include <assert.h>
#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bits.h"

/* The order of the tables. OLD: to 6.1. SEQS: with the table by names behind the markers (6.2, and Debian's 6.1). LATE:
 * addresses behind the tokens (since 6.4). SPREAD: no kernel's; between each two something else. */
enum fixture_order { ORDER_OLD, ORDER_SEQS, ORDER_LATE, ORDER_SPREAD, ORDERS };
enum fixture_form { FIXTURE_PERCPU, FIXTURE_RELATIVE, FIXTURE_WORDS, FIXTURE_PLACE, FIXTURE_FORMS };
enum fixture_current { CURRENT_SYMBOL, CURRENT_HOT, CURRENT_CODE, CURRENT_CODE_DIFFERS };
enum fixture_modules { MODULES_CORE, MODULES_PARTS, MODULES_NONE };

struct fixture_shape {
    bool is64, no_sections, no_btf, no_metadata, wide_markers, no_base;
    enum fixture_order order;
    enum fixture_form form;
    enum fixture_current current;
    enum fixture_modules modules;
    unsigned functions; /* besides those that have a part to play; 0: 300 */
};

struct buffer {
    u8 *bytes;
    size_t size, room;
};

static inline size_t put(struct buffer *b, const void *bytes, size_t size)
{
    size_t at = b->size;

    if (b->size + size > b->room || b->bytes == NULL) {
        b->room = (b->size + size) * 2 + 256;
        b->bytes = realloc(b->bytes, b->room);
        assert(b->bytes != NULL);
    }
    if (size != 0 && bytes != NULL)
        memcpy(b->bytes + at, bytes, size);
    else
        memset(b->bytes + at, 0, size);
    b->size += size;
    return at;
}

static inline size_t put_number(struct buffer *b, u64 value, unsigned size) { return put(b, &value, size); }

static inline size_t put_text(struct buffer *b, const char *text) { return put(b, text, strlen(text) + 1); }

static inline void put_align(struct buffer *b, size_t to)
{
    while (b->size % to != 0)
        put_number(b, 0, 1);
}

#define FIXTURE_SYMBOLS 4096u
#define FIXTURE_CURRENT 0x180u /* where the running task's variable lies in per-CPU memory */

struct fixture {
    struct fixture_shape shape;
    u64 text, init, rodata, percpu; /* link addresses */
    struct buffer code, init_code, data, btf;
    struct {
        u64 address;
        char type;
        char name[300];
    } symbol[FIXTURE_SYMBOLS];
    unsigned symbols;
    size_t fields[4]; /* where in the data sys_call_table and the like begin, see put_metadata() */
    struct buffer elf;
};

static inline void add_symbol(struct fixture *f, u64 address, char type, const char *name)
{
    assert(f->symbols < FIXTURE_SYMBOLS);
    f->symbol[f->symbols].address = address;
    f->symbol[f->symbols].type = type;
    snprintf(f->symbol[f->symbols++].name, sizeof f->symbol[0].name, "%s", name);
}

/* The address of a symbol that the fixture has. */
static inline u64 fixture_address(const struct fixture *f, const char *name)
{
    for (unsigned i = 0; i < f->symbols; i++) {
        if (strcmp(f->symbol[i].name, name) == 0)
            return f->symbol[i].address;
    }
    abort();
}

/* A function of 16 bytes at the end of the code. */
static inline void put_function(struct fixture *f, char type, const char *name, const u8 *body, size_t size)
{
    static const u8 filler[16] = {0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
                                  0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc};

    add_symbol(f, f->text + f->code.size, type, name);
    put(&f->code, body, size);
    put(&f->code, filler, 16 - size % 16);
}

/* MOV EAX, FS:[variable]; RET, or the store. */
static inline void put_fs_function(struct fixture *f, const char *name, bool store, u32 offset)
{
    u8 body[7] = {0x64, store ? 0xa3 : 0xa1, 0, 0, 0, 0, 0xc3};

    store_le32(body + 2, (u32)f->percpu + offset);
    put_function(f, 'T', name, body, sizeof body);
}

/* amd64 to 6.14 with SMP: per-CPU variables are linked to 0 and listed as values. */
static inline bool percpu_at_0(const struct fixture *f)
{
    return f->shape.is64 && (f->shape.form == FIXTURE_PERCPU || f->shape.form == FIXTURE_WORDS);
}

static inline void put_code(struct fixture *f)
{
    unsigned functions = f->shape.functions ? f->shape.functions : 300;
    u32 loads = f->shape.current == CURRENT_CODE_DIFFERS ? FIXTURE_CURRENT + 4 : FIXTURE_CURRENT;
    char name[300];

    if (percpu_at_0(f)) {
        add_symbol(f, 0, 'A', "fixed_percpu_data");
        add_symbol(f, FIXTURE_CURRENT, 'A', f->shape.current == CURRENT_HOT ? "pcpu_hot" : "current_task");
    }
    add_symbol(f, f->text, 'T', "_text");
    add_symbol(f, f->text, 'T', "_stext");
    put_function(f, 'T', f->shape.is64 ? "startup_64" : "startup_32", NULL, 0);
    put_fs_function(f, "__switch_to", true, FIXTURE_CURRENT);
    put_fs_function(f, f->shape.is64 ? "__x64_sys_gettid" : "__ia32_sys_gettid", false, loads);
    put_fs_function(f, f->shape.is64 ? "__x64_sys_getpid" : "__ia32_sys_getpid", false, loads);
    put_function(f, 'T', f->shape.is64 ? "__x64_sys_openat" : "__ia32_sys_openat", NULL, 0);
    put_function(f, 'T', f->shape.is64 ? "__x64_sys_ni_syscall" : "__ia32_sys_ni_syscall", NULL, 0);
    memset(name, 'x', sizeof name); /* a name of more than 127 tokens: its length takes two bytes */
    name[200] = '\0';
    if (f->shape.order != ORDER_OLD)
        put_function(f, 't', name, NULL, 0);
    for (unsigned i = 0; i < functions; i++) {
        snprintf(name, sizeof name, "func_%u.part.0", i * 7);
        put_function(f, i % 3 ? 't' : 'T', name, NULL, 0);
    }
    add_symbol(f, f->text + f->code.size, 'T', "_etext");
}

/* Descriptions as struct syscall_metadata: name, number (-1), arguments, their types, their names. Two calls, and one
 * number without a call. */
static inline void put_metadata(struct fixture *f)
{
    unsigned word = f->shape.is64 ? 8 : 4;
    const char *entry[] = {"_sys_getpid", "_sys_ni_syscall", "_sys_openat"};
    struct buffer *d = &f->data;
    size_t text[4], types, args, open, pid;

    text[0] = put_text(d, "sys_openat"), text[1] = put_text(d, "sys_getpid");
    text[2] = put_text(d, "const char *"), text[3] = put_text(d, "filename");
    put_align(d, 8);
    types = put_number(d, f->rodata + text[2], word);
    args = put_number(d, f->rodata + text[3], word);
    put_align(d, 8);
    open = put_number(d, f->rodata + text[0], word);
    put_number(d, 0xffffffff, 4), put_number(d, 1, 4);
    put_number(d, f->rodata + types, word), put_number(d, f->rodata + args, word);
    put_align(d, 8);
    pid = put_number(d, f->rodata + text[1], word);
    put_number(d, 0xffffffff, 4), put_number(d, 0, 4), put_number(d, 0, word), put_number(d, 0, word);
    put_align(d, 8);
    f->fields[0] = put_number(d, f->rodata + open, word);
    f->fields[1] = put_number(d, f->rodata + pid, word) + word;
    put_align(d, 8);
    f->fields[2] = d->size;
    for (unsigned i = 0; i < 3; i++) {
        char name[32];

        snprintf(name, sizeof name, "_%s%s", f->shape.is64 ? "_x64" : "_ia32", entry[i]);
        put_number(d, fixture_address(f, name), word);
    }
    f->fields[3] = d->size;
    add_symbol(f, f->rodata + f->fields[0], 'd', "__start_syscalls_metadata");
    add_symbol(f, f->rodata + f->fields[1], 'd', "__stop_syscalls_metadata");
    add_symbol(f, f->rodata + f->fields[2], 'D', "sys_call_table");
    add_symbol(f, f->rodata + f->fields[3], 'D', "after_table");
}

/* ---- kallsyms */

/* Tokens: each printable character at its own number, two longer ones, and some that stand for nothing. */
static inline const char *fixture_token(unsigned i, char *one)
{
    static const char *const longer[] = {"func_", ".part.0"};

    if (i < 2)
        return longer[i];
    one[0] = (char)(i > ' ' && i <= '~' ? i : '\0');
    one[1] = '\0';
    return one;
}

static inline void put_name(struct buffer *b, char type, const char *name)
{
    u8 tokens[400];
    unsigned n = 0;

    tokens[n++] = (u8)type;
    while (*name != '\0') {
        char one[2];
        unsigned token = (u8)*name;

        for (unsigned i = 0; i < 2; i++) {
            if (strncmp(name, fixture_token(i, one), strlen(fixture_token(i, one))) == 0)
                token = i;
        }
        name += token < 2 ? strlen(fixture_token(token, one)) : 1;
        tokens[n++] = (u8)token;
    }
    if (n > 127)
        put_number(b, (n & 0x7f) | 0x80, 1), put_number(b, n >> 7, 1);
    else
        put_number(b, n, 1);
    put(b, tokens, n);
}

static inline void put_addresses(struct fixture *f)
{
    unsigned word = f->shape.is64 ? 8 : 4;
    u64 base = f->text;

    put_align(&f->data, word);
    for (unsigned i = 0; i < f->symbols; i++) {
        u64 address = f->symbol[i].address;

        if (f->shape.form == FIXTURE_WORDS)
            put_number(&f->data, address, word);
        else if (f->shape.form == FIXTURE_PLACE)
            put_number(&f->data, address - (f->rodata + f->data.size), 4);
        else if (f->shape.form == FIXTURE_PERCPU)
            put_number(&f->data, f->symbol[i].type == 'A' ? address : base - 1 - address, 4);
        else
            put_number(&f->data, address - base, 4);
    }
    put_align(&f->data, word);
    if (f->shape.form == FIXTURE_PERCPU || f->shape.form == FIXTURE_RELATIVE)
        put_number(&f->data, f->shape.no_base ? 0x1234 : base, word);
}

static inline void put_names(struct fixture *f, struct buffer *markers)
{
    unsigned word = f->shape.is64 ? 8 : 4;
    size_t first;

    put_number(&f->data, f->symbols, 4);
    put_align(&f->data, word);
    first = f->data.size;
    for (unsigned i = 0; i < f->symbols; i++) {
        if (i % 256 == 0)
            put_number(markers, f->data.size - first, f->shape.wide_markers ? 8 : 4);
        put_name(&f->data, f->symbol[i].type, f->symbol[i].name);
    }
    put_align(&f->data, word);
}

static inline void put_tokens(struct fixture *f, unsigned gap)
{
    u16 index[256];
    size_t first = f->data.size;
    char one[2];

    for (unsigned i = 0; i < 256; i++) {
        index[i] = (u16)(f->data.size - first);
        put_text(&f->data, fixture_token(i, one));
    }
    put_align(&f->data, 8);
    for (unsigned i = 0; i < gap; i++)
        put_number(&f->data, 0x0102030405060708, 8);
    put(&f->data, index, sizeof index);
    put_align(&f->data, 8);
}

/* The table by names: three bytes for each; its values do not matter here. */
static inline void put_seqs(struct fixture *f)
{
    for (unsigned i = 0; i < f->symbols; i++)
        put_number(&f->data, i * 31 % f->symbols, 3);
    put_align(&f->data, 8);
}

static inline void put_kallsyms(struct fixture *f)
{
    enum fixture_order order = f->shape.order;
    struct buffer markers = {0};
    u8 other[24];

    memset(other, 0x5a, sizeof other);
    put_align(&f->data, 8);
    if (order == ORDER_SPREAD) {
        put_tokens(f, 100);
        put(&f->data, other, sizeof other);
        put_seqs(f);
    }
    if (order == ORDER_OLD || order == ORDER_SEQS)
        put_addresses(f);
    put_names(f, &markers);
    if (order == ORDER_SPREAD) {
        put(&f->data, other, sizeof other);
        put_addresses(f);
        put(&f->data, other, sizeof other);
    }
    put(&f->data, markers.bytes, markers.size);
    put_align(&f->data, 8);
    free(markers.bytes);
    if (order == ORDER_SEQS)
        put_seqs(f);
    if (order != ORDER_SPREAD)
        put_tokens(f, 0);
    if (order == ORDER_LATE) {
        put_addresses(f);
        put_seqs(f);
    }
}

/* ---- BTF: types are numbered from 1 as they are put. */

struct btf_maker {
    struct buffer types, strings;
    u32 count;
};

static inline u32 btf_put(struct btf_maker *m, const char *name, unsigned kind, unsigned items, u32 size_or_type)
{
    put_number(&m->types, name != NULL ? put_text(&m->strings, name) : 0, 4);
    put_number(&m->types, kind << 24 | items, 4);
    put_number(&m->types, size_or_type, 4);
    return ++m->count;
}

/* A member at a byte offset, of the structure put last. */
static inline void btf_member(struct btf_maker *m, const char *name, u32 type, u32 offset)
{
    put_number(&m->types, name != NULL ? put_text(&m->strings, name) : 0, 4);
    put_number(&m->types, type, 4);
    put_number(&m->types, offset * 8, 4);
}

static inline void btf_modules(struct btf_maker *m, enum fixture_modules modules, u32 number, u32 pointer)
{
    u32 part, array;

    part = btf_put(m, modules == MODULES_CORE ? "module_layout" : "module_memory", 4, 2, 16);
    btf_member(m, "base", pointer, 0), btf_member(m, "size", number, 8);
    array = btf_put(m, NULL, 3, 0, 0);
    put_number(&m->types, part, 4), put_number(&m->types, number, 4), put_number(&m->types, 7, 4);
    btf_put(m, "module", 4, 4, 600);
    btf_member(m, "list", number, 8), btf_member(m, "name", number, 24);
    btf_member(m, modules == MODULES_CORE ? "core_layout" : "mem", modules == MODULES_CORE ? part : array, 320);
    btf_member(m, "kallsyms", pointer, 544);
    btf_put(m, "mod_kallsyms", 4, 3, 32);
    btf_member(m, "symtab", pointer, 0), btf_member(m, "num_symtab", number, 8), btf_member(m, "strtab", pointer, 16);
}

static inline void put_btf(struct fixture *f)
{
    struct btf_maker m = {0};
    u32 number, pointer, comm, thread, inner, alias, array;

    put_text(&m.strings, "");
    number = btf_put(&m, "int", 1, 0, 4);
    put_number(&m.types, 32, 4);
    pointer = btf_put(&m, NULL, 2, 0, 0);
    btf_put(&m, "task_struct", 7, 0, 0); /* only said to exist: not the structure */
    thread = btf_put(&m, "thread_struct", 4, 1, 64);
    btf_member(&m, "sp", number, 24);
    alias = btf_put(&m, "thread_t", 8, 0, thread);
    comm = btf_put(&m, NULL, 3, 0, 0);
    put_number(&m.types, number, 4), put_number(&m.types, number, 4), put_number(&m.types, 16, 4);
    array = btf_put(&m, NULL, 5, 2, 8); /* a union without a name */
    btf_member(&m, "tgid", number, 4), btf_member(&m, "tgid_too", number, 0);
    btf_put(&m, "task_struct", 4, 6, 4096);
    btf_member(&m, "flags", number, 44), btf_member(&m, "mm", pointer, 2272), btf_member(&m, "pid", number, 2416);
    btf_member(&m, NULL, array, 2416), btf_member(&m, "comm", comm, 2976), btf_member(&m, "thread", alias, 5312);
    inner = btf_put(&m, NULL, 4, 1, 800); /* as mm_struct has it: all in a structure without a name */
    btf_member(&m, "pgd", pointer, 72);
    btf_put(&m, "mm_struct", 4, 1, 1000);
    btf_member(&m, NULL, inner, 0);
    btf_put(&m, "pcpu_hot", 4, 1, 64);
    btf_member(&m, "current_task", pointer, 8);
    if (f->shape.modules != MODULES_NONE)
        btf_modules(&m, f->shape.modules, number, pointer);
    put_number(&f->btf, 0xeb9f, 2), put_number(&f->btf, 1, 1), put_number(&f->btf, 0, 1), put_number(&f->btf, 24, 4);
    put_number(&f->btf, 0, 4), put_number(&f->btf, m.types.size, 4);
    put_number(&f->btf, m.types.size, 4), put_number(&f->btf, m.strings.size, 4);
    put(&f->btf, m.types.bytes, m.types.size);
    put(&f->btf, m.strings.bytes, m.strings.size);
    free(m.types.bytes);
    free(m.strings.bytes);
}

/* ---- the ELF */

struct fixture_section {
    const char *name;
    u64 address;
    const struct buffer *content;
    bool execute;
    size_t offset;
    u32 name_at;
};

static inline void put_word(struct buffer *b, bool is64, u64 value) { put_number(b, value, is64 ? 8 : 4); }

static inline void put_elf_header(struct buffer *b, bool is64, u64 entry, u64 sections_at, unsigned segments,
                                  unsigned sections)
{
    const u8 ident[16] = {0x7f, 'E', 'L', 'F', is64 ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, EV_CURRENT};

    b->size = 0;
    put(b, ident, sizeof ident);
    put_number(b, ET_EXEC, 2), put_number(b, is64 ? EM_X86_64 : EM_386, 2), put_number(b, 1, 4);
    put_word(b, is64, entry), put_word(b, is64, is64 ? 64 : 52), put_word(b, is64, sections_at);
    put_number(b, 0, 4), put_number(b, is64 ? 64 : 52, 2), put_number(b, is64 ? 56 : 32, 2);
    put_number(b, segments, 2), put_number(b, is64 ? 64 : 40, 2), put_number(b, sections, 2);
    put_number(b, sections ? sections - 1 : 0, 2);
}

static inline void put_segment(struct buffer *b, bool is64, const struct fixture_section *s)
{
    u32 flags = PF_R | (s->execute ? PF_X : PF_W);

    put_number(b, PT_LOAD, 4);
    if (is64)
        put_number(b, flags, 4);
    put_word(b, is64, s->offset), put_word(b, is64, s->address), put_word(b, is64, s->address & 0xffffff);
    put_word(b, is64, s->content->size), put_word(b, is64, s->content->size);
    if (!is64)
        put_number(b, flags, 4);
    put_word(b, is64, 0x1000);
}

static inline void put_section(struct buffer *b, bool is64, u32 name, u32 type, u64 flags, u64 address, u64 offset,
                               u64 size)
{
    put_number(b, name, 4), put_number(b, type, 4);
    put_word(b, is64, flags), put_word(b, is64, address), put_word(b, is64, offset), put_word(b, is64, size);
    put_number(b, 0, 4), put_number(b, 0, 4);
    put_word(b, is64, 1), put_word(b, is64, 0);
}

static inline void put_elf(struct fixture *f)
{
    bool is64 = f->shape.is64;
    struct buffer percpu = {0}, names = {0}, *b = &f->elf;
    struct fixture_section s[] = {
        {".text", f->text, &f->code, true, 0, 0},
        {".rodata", f->rodata, &f->data, false, 0, 0},
        {".BTF", f->rodata + 0x100000, &f->btf, false, 0, 0},
        {".data..percpu", f->percpu, &percpu, false, 0, 0},
        {".init.text", f->init, &f->init_code, true, 0, 0},
    };
    unsigned count = ARRAY_LEN(s);
    size_t sections_at, names_at, size;

    put(&percpu, NULL, 0x200);
    put_text(&names, "");
    put(b, NULL, 512); /* room for the headers */
    for (unsigned i = 0; i < count; i++) {
        put_align(b, 64);
        s[i].offset = put(b, s[i].content->bytes, s[i].content->size);
        s[i].name_at = (u32)put_text(&names, s[i].name);
    }
    put_text(&names, ".shstrtab");
    names_at = put(b, names.bytes, names.size);
    put_align(b, 8);
    sections_at = b->size;
    if (!f->shape.no_sections) {
        put_section(b, is64, 0, SHT_NULL, 0, 0, 0, 0);
        for (unsigned i = 0; i < count; i++)
            put_section(b, is64, s[i].name_at, SHT_PROGBITS, SHF_ALLOC | (s[i].execute ? SHF_EXECINSTR : 0),
                        s[i].address, s[i].offset, s[i].content->size);
        put_section(b, is64, (u32)(names.size - sizeof ".shstrtab"), SHT_STRTAB, 0, 0, names_at, names.size);
    }
    size = b->size;
    put_elf_header(b, is64, f->text & 0xffffff, f->shape.no_sections ? 0 : sections_at, count,
                   f->shape.no_sections ? 0 : count + 2);
    for (unsigned i = 0; i < count; i++)
        put_segment(b, is64, &s[i]);
    assert(b->size <= 512);
    b->size = size;
    free(percpu.bytes);
    free(names.bytes);
}

#define FIXTURE_BANNER "Linux version 6.9.1-fixture (someone@somewhere) (cc 1.0) #1 SMP"

static inline struct fixture *fixture_make(const struct fixture_shape *shape)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert(f != NULL);
    f->shape = *shape;
    f->text = shape->is64 ? 0xffffffff81000000 : 0xc1000000;
    f->rodata = f->text + 0x1000000;
    f->percpu = percpu_at_0(f) ? 0 : f->text + 0x2800000;
    f->init = f->text + 0x2000000;
    put_code(f);
    put_text(&f->data, "Linux version %s is no banner");
    put_text(&f->data, "Linux version 6.9.1-fixture (someone@somewhere) (cc 1.0) # SMP"); /* a template */
    put_text(&f->data, FIXTURE_BANNER);
    put_align(&f->data, 16);
    if (!shape->no_metadata)
        put_metadata(f);
    add_symbol(f, f->init, 'T', "_sinittext");
    add_symbol(f, f->init, 't', "setup_once");
    put(&f->init_code, NULL, 64);
    if (shape->is64 && !percpu_at_0(f)) /* since 6.15 */
        add_symbol(f, f->percpu + FIXTURE_CURRENT, 'D', "current_task");
    put_kallsyms(f);
    if (!shape->no_btf)
        put_btf(f);
    put_elf(f);
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    free(f->code.bytes);
    free(f->init_code.bytes);
    free(f->data.bytes);
    free(f->btf.bytes);
    free(f->elf.bytes);
    free(f);
}

/* ---- packing */

enum fixture_packing { PACK_NONE, PACK_GZIP, PACK_XZ, PACK_LZ4, PACK_ZSTD, PACK_LZMA, PACK_BZIP2, PACK_LZO, PACKINGS };

static inline void pack_gzip(struct buffer *out, const u8 *bytes, size_t size)
{
    z_stream z = {.next_in = (u8 *)(uintptr_t)bytes, .avail_in = (uInt)size};
    u8 *room = malloc(size + 1024);

    assert(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_out = room;
    z.avail_out = (uInt)size + 1024;
    assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
    put(out, room, size + 1024 - z.avail_out); /* ends with the size, as the format has it */
    deflateEnd(&z);
    free(room);
}

static inline void pack_lzma(struct buffer *out, const u8 *bytes, size_t size, bool alone)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    u8 *room = malloc(size + 1024);

    assert(!lzma_lzma_preset(&options, 6));
    if (alone)
        assert(lzma_alone_encoder(&z, &options) == LZMA_OK);
    else
        assert(lzma_stream_encoder(&z, filters, LZMA_CHECK_CRC32) == LZMA_OK);
    z.next_in = bytes;
    z.avail_in = size;
    z.next_out = room;
    z.avail_out = size + 1024;
    assert(lzma_code(&z, LZMA_FINISH) == LZMA_STREAM_END);
    put(out, room, size + 1024 - z.avail_out);
    lzma_end(&z);
    free(room);
}

/* LZ4's legacy frame: blocks of at most 8 MiB each behind its packed size; here of 16 KiB, to have several. A block
 * that is not the last must unpack to the full 8 MiB in LZ4's own tool; kernels are one stream of such blocks. */
static inline void pack_lz4(struct buffer *out, const u8 *bytes, size_t size)
{
    put_number(out, 0x184c2102, 4);
    for (size_t at = 0; at < size; at += 16384) {
        char room[20000];
        int n = LZ4_compress_default((const char *)bytes + at, room, (int)(size - at < 16384 ? size - at : 16384),
                                     sizeof room);

        assert(n > 0);
        put_number(out, (u64)n, 4);
        put(out, room, (size_t)n);
    }
}

static inline void pack_payload(struct buffer *out, const u8 *bytes, size_t size, enum fixture_packing packing)
{
    u8 *room = malloc(ZSTD_compressBound(size));

    switch (packing) {
    case PACK_NONE: put(out, bytes, size); break;
    case PACK_GZIP: pack_gzip(out, bytes, size); break;
    case PACK_XZ: pack_lzma(out, bytes, size, false); break;
    case PACK_LZMA: pack_lzma(out, bytes, size, true); break;
    case PACK_LZ4: pack_lz4(out, bytes, size); break;
    case PACK_ZSTD: put(out, room, ZSTD_compress(room, ZSTD_compressBound(size), bytes, size, 19)); break;
    case PACK_BZIP2: put(out, "BZh9 and so on", 14); break;
    case PACK_LZO: put(out, "\x89LZO and so on", 14); break;
    default: abort();
    }
    if (packing != PACK_NONE && packing != PACK_GZIP)
        put_number(out, size, 4);
    free(room);
}

/* A bzImage around an ELF: two setup sectors, some code, the payload. */
static inline struct buffer fixture_bzimage(const struct fixture *f, enum fixture_packing packing)
{
    struct buffer payload = {0}, image = {0};

    pack_payload(&payload, f->elf.bytes, f->elf.size, packing);
    put(&image, NULL, 3 * 512 + 100);
    image.bytes[0x1f1] = 2;
    store_le16(image.bytes + 0x1fe, 0xaa55);
    memcpy(image.bytes + 0x202, "HdrS", 4);
    store_le16(image.bytes + 0x206, 0x20f);
    store_le32(image.bytes + 0x248, 100);
    store_le32(image.bytes + 0x24c, (u32)payload.size);
    put(&image, payload.bytes, payload.size);
    put(&image, NULL, 30);
    free(payload.bytes);
    return image;
}

#endif
