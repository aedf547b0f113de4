/* SPDX-License-Identifier: MIT
 * Arguments that are numbers, names, strings and buffers.
 */
#include "linux/args.h"

void arg_int(struct print *p, unsigned i) { put_signed(p, (i32)p->arg[i]); }

void arg_uint(struct print *p, unsigned i) { put_unsigned(p, (u32)p->arg[i]); }

void arg_slong(struct print *p, unsigned i) { put_signed(p, arg_signed(p, i)); }

void arg_ulong(struct print *p, unsigned i) { put_unsigned(p, p->arg[i]); }

void arg_hex(struct print *p, unsigned i) { put_hex(p, p->arg[i]); }

void arg_hex32(struct print *p, unsigned i) { put_hex(p, (u32)p->arg[i]); }

void arg_offset_pair(struct print *p, unsigned i) { put_signed(p, (i64)arg_pair(p, i)); }

void arg_u64_pair(struct print *p, unsigned i) { put_unsigned(p, arg_pair(p, i)); }

/* A file offset in two longs, of which the second counts where a long has 32 bits only. */
void arg_offset_words(struct print *p, unsigned i) { put_signed(p, p->narrow ? (i64)arg_pair(p, i) : (i64)p->arg[i]); }

void arg_address(struct print *p, unsigned i) { put_address(p, p->arg[i]); }

void arg_uid(struct print *p, unsigned i) { put_id(p, (u32)p->arg[i]); }

void arg_uid16(struct print *p, unsigned i)
{
    u16 id = (u16)p->arg[i];
    put_id(p, id == 0xFFFF ? ~0u : id);
}

void arg_mode(struct print *p, unsigned i) { put_mode(p, (u16)p->arg[i]); }

void arg_file_mode(struct print *p, unsigned i) { put_file_mode(p, (u16)p->arg[i]); }

void arg_device(struct print *p, unsigned i) { put_device(p, (u32)p->arg[i]); }

void arg_fd(struct print *p, unsigned i) { put_signed(p, (i32)p->arg[i]); }

#define AT_FDCWD (-100)

void arg_dirfd(struct print *p, unsigned i)
{
    if ((i32)p->arg[i] == AT_FDCWD)
        put_text(p, "AT_FDCWD");
    else
        arg_fd(p, i);
}

void arg_name(struct print *p, unsigned i) { put_name(p, p->names, (u32)p->arg[i]); }

void arg_flags(struct print *p, unsigned i) { put_flags(p, p->names, (u32)p->arg[i]); }

void arg_flags_word(struct print *p, unsigned i) { put_flags(p, p->names, p->arg[i]); }

void arg_path(struct print *p, unsigned i) { put_path(p, p->arg[i]); }

void arg_string(struct print *p, unsigned i) { put_string(p, p->arg[i], p->limit); }

/* Its size is the next argument. */
void arg_in_buffer(struct print *p, unsigned i) { put_buffer(p, p->arg[i], p->arg[i + 1]); }

/* Its size is the argument before. */
void arg_in_buffer_before(struct print *p, unsigned i) { put_buffer(p, p->arg[i], p->arg[i - 1]); }

/* What has arrived is as long as the result; a result beyond the buffer (a size that was only asked for) shows none. */
void arg_out_buffer(struct print *p, unsigned i)
{
    u64 size = (u64)printed_result(p);
    if (size > p->arg[i + 1])
        put_address(p, p->arg[i]);
    else
        put_buffer(p, p->arg[i], size);
}

/* Random bytes: all in hexadecimal. */
void arg_out_random(struct print *p, unsigned i)
{
    u8 bytes[STRING_LIMIT];
    u64 size = (u64)printed_result(p), shown = size < p->limit ? size : p->limit;
    if (!put_or_read(p, p->arg[i], bytes, (size_t)shown))
        return;
    put_char(p, '"');
    for (u64 n = 0; n < shown && p->out != NULL; n++)
        put_format(p, "\\x%02x", bytes[n]);
    put_text(p, size > shown ? "\"..." : "\"");
}

/* The path that getcwd() gives; its result counts the NUL. */
void arg_out_cwd(struct print *p, unsigned i) { put_path(p, p->arg[i]); }

static void put_element_word(struct print *p, const u8 *bytes) { put_hex(p, get_word(p, bytes)); }

void arg_out_word(struct print *p, unsigned i) { put_array(p, p->arg[i], 1, p->word, put_element_word); }

static void put_element_size(struct print *p, const u8 *bytes) { put_unsigned(p, get_word(p, bytes)); }

void arg_out_word_size(struct print *p, unsigned i) { put_array(p, p->arg[i], 1, p->word, put_element_size); }

static void put_element_uint(struct print *p, const u8 *bytes) { put_id(p, load_le32(bytes)); }

static void put_element_u16(struct print *p, const u8 *bytes)
{
    u16 id = load_le16(bytes);
    put_id(p, id == 0xFFFF ? ~0u : id);
}

void arg_out_uint(struct print *p, unsigned i) { put_array(p, p->arg[i], 1, 4, put_element_uint); }

void arg_out_u16(struct print *p, unsigned i) { put_array(p, p->arg[i], 1, 2, put_element_u16); }

void arg_out_fds(struct print *p, unsigned i) { put_array(p, p->arg[i], 2, 4, put_element_int); }

/* Groups: as many as the argument before, or as the result. */
static void put_groups(struct print *p, unsigned i, u64 count, size_t size)
{
    put_array(p, p->arg[i], count, size, size == 2 ? put_element_u16 : put_element_uint);
}

#define GROUPS_LIMIT 65536u

void arg_in_groups(struct print *p, unsigned i)
{
    if ((u32)p->arg[i - 1] > GROUPS_LIMIT)
        put_address(p, p->arg[i]);
    else
        put_groups(p, i, (u32)p->arg[i - 1], 4);
}

void arg_in_groups16(struct print *p, unsigned i)
{
    if ((u32)p->arg[i - 1] > GROUPS_LIMIT)
        put_address(p, p->arg[i]);
    else
        put_groups(p, i, (u32)p->arg[i - 1], 2);
}

/* Asked with room for none, the call gives their number and fills nothing. */
void arg_out_groups(struct print *p, unsigned i)
{
    put_groups(p, i, (u32)p->arg[i - 1] == 0 ? 0 : (u64)printed_result(p), 4);
}

void arg_out_groups16(struct print *p, unsigned i)
{
    put_groups(p, i, (u32)p->arg[i - 1] == 0 ? 0 : (u64)printed_result(p), 2);
}
