/* SPDX-License-Identifier: MIT
 * Text that grows into a file: characters, numbers, names, quoted strings.
 */
#include "linux/print.h"

#include <stdarg.h>

void put_flush(struct print *p)
{
    if (p->out != NULL && p->used != 0)
        fwrite(p->text, 1, p->used, p->out);
    p->used = 0;
}

static void put_bytes(struct print *p, const char *bytes, size_t size)
{
    if (size > sizeof p->text - p->used)
        put_flush(p);
    while (size > sizeof p->text) {
        fwrite(bytes, 1, sizeof p->text, p->out);
        bytes += sizeof p->text;
        size -= sizeof p->text;
    }
    memcpy(p->text + p->used, bytes, size);
    p->used += size;
}

/* returns: false when no text is kept */
static bool put_begin(struct print *p)
{
    if (p->out == NULL)
        return false;
    if (p->comma)
        put_bytes(p, ", ", 2);
    p->comma = false;
    p->begun = true;
    return true;
}

void put_next(struct print *p) { p->comma = p->begun; }

void put_text(struct print *p, const char *text)
{
    if (put_begin(p))
        put_bytes(p, text, strlen(text));
}

void put_char(struct print *p, char c)
{
    if (put_begin(p))
        put_bytes(p, &c, 1);
}

void put_format(struct print *p, const char *format, ...)
{
    if (!put_begin(p))
        return;
    char line[256];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (length > 0)
        put_bytes(p, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

void put_signed(struct print *p, i64 value) { put_format(p, "%lld", (long long)value); }

void put_unsigned(struct print *p, u64 value) { put_format(p, "%llu", (unsigned long long)value); }

void put_hex(struct print *p, u64 value) { put_format(p, "%#llx", (unsigned long long)value); }

void put_address(struct print *p, u64 address)
{
    if (address == 0)
        put_text(p, "NULL");
    else
        put_hex(p, address);
}

void put_name(struct print *p, const struct linux_names *names, u64 value)
{
    if (p->out == NULL)
        return;
    const char *name = names_find(names, value);
    if (name != NULL)
        put_text(p, name);
    else if (names->unknown != NULL)
        put_format(p, "%#llx /* %s */", (unsigned long long)value, names->unknown);
    else
        put_hex(p, value);
}

/* in: bar  something stands before. returns: whether anything was printed */
static bool put_known_flags(struct print *p, const struct linux_names *names, u64 *value, bool bar)
{
    for (size_t i = 0; i < names->count; i++) {
        u64 bits = names->row[i].value;
        if (bits == 0 || (*value & bits) != bits)
            continue;
        if (bar)
            put_char(p, '|');
        put_text(p, names->row[i].name);
        bar = true;
        *value &= ~bits;
    }
    return bar;
}

void put_flags(struct print *p, const struct linux_names *names, u64 value)
{
    if (p->out == NULL)
        return;
    const char *none = value == 0 ? names_find(names, 0) : NULL;
    if (none != NULL || value == 0) {
        put_text(p, none != NULL ? none : "0");
        return;
    }
    if (put_known_flags(p, names, &value, false)) {
        if (value != 0)
            put_format(p, "|%#llx", (unsigned long long)value);
    } else {
        put_name(p, names, value);
    }
}

void put_more_flags(struct print *p, const struct linux_names *names, u64 value)
{
    if (p->out == NULL)
        return;
    put_known_flags(p, names, &value, true);
    if (value != 0)
        put_format(p, "|%#llx", (unsigned long long)value);
}

/* A byte that does not print, in octal: in full where a digit follows. */
static size_t quote_octal(char *out, u8 byte, bool digit_follows)
{
    size_t n = 0;
    out[n++] = '\\';
    if (digit_follows || byte >= 0100)
        out[n++] = (char)('0' + (byte >> 6));
    if (digit_follows || byte >= 010)
        out[n++] = (char)('0' + (byte >> 3 & 7));
    out[n++] = (char)('0' + (byte & 7));
    return n;
}

void put_quoted(struct print *p, const u8 *bytes, size_t size, bool more)
{
    if (!put_begin(p))
        return;
    put_bytes(p, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        static const char letters[] = "\"\"\\\\\ff\nn\rr\tt\vv";
        char quoted[4];
        size_t n = 0;
        u8 byte = bytes[i];
        for (size_t l = 0; l < sizeof letters - 1; l += 2)
            if ((u8)letters[l] == byte) {
                quoted[n++] = '\\';
                quoted[n++] = letters[l + 1];
            }
        if (n == 0 && byte >= ' ' && byte < 0x7F)
            quoted[n++] = (char)byte;
        if (n == 0)
            n = quote_octal(quoted, byte, i + 1 < size && bytes[i + 1] >= '0' && bytes[i + 1] <= '7');
        put_bytes(p, quoted, n);
    }
    put_bytes(p, "\"...", more ? 4 : 1);
}

#define SIGNAL_RTMIN 32u
#define SIGNALS 64u

void put_signal(struct print *p, u32 number)
{
    const char *name = linux_signal_name(number);
    if (name != NULL)
        put_text(p, name);
    else if (number == SIGNAL_RTMIN)
        put_text(p, "SIGRTMIN");
    else if (number > SIGNAL_RTMIN && number <= SIGNALS)
        put_format(p, "SIGRT_%u", number - SIGNAL_RTMIN);
    else
        put_signed(p, (i32)number);
}

void put_mode(struct print *p, u32 mode) { put_format(p, "%#03o", mode); }

#define MODE_TYPE 0170000u

void put_file_mode(struct print *p, u32 mode)
{
    if (p->out == NULL)
        return;
    const char *type = names_find(&names_file_type, mode & MODE_TYPE);
    if (type != NULL)
        put_format(p, "%s|", type);
    if (type != NULL)
        mode &= ~MODE_TYPE;
    put_format(p, "%s%s%s", mode & 04000 ? "S_ISUID|" : "", mode & 02000 ? "S_ISGID|" : "",
               mode & 01000 ? "S_ISVTX|" : "");
    put_mode(p, mode & ~07000u);
}

void put_device(struct print *p, u64 device)
{
    u64 major = (device >> 8 & 0xFFF) | (device >> 32 & 0xFFFFF000);
    u64 minor = (device & 0xFF) | (device >> 12 & 0xFFFFFF00);
    put_format(p, "makedev(%#llx, %#llx)", (unsigned long long)major, (unsigned long long)(minor & 0xFFFFFFFF));
}

void put_id(struct print *p, u32 id)
{
    if (id == ~0u)
        put_text(p, "-1");
    else
        put_unsigned(p, id);
}
