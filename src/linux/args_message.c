/* SPDX-License-Identifier: MIT
 * Message headers: sendmsg, recvmsg and the calls that move several.
 */
#include "linux/args.h"

size_t msghdr_size(const struct print *p) { return p->word == 8 ? 56 : 28; }

enum { SOL_SOCKET = 1, SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };

static void put_rights(struct print *p, const u8 *data, size_t size)
{
    put_char(p, '[');
    for (size_t n = 0; n + 4 <= size; n += 4)
        put_format(p, n == 0 ? "%d" : ", %d", (i32)load_le32(data + n));
    put_char(p, ']');
}

/* Control messages, each with a header of length, level and type. What is cut by the buffer ends the list. */
static void put_control(struct print *p, u64 address, u64 size)
{
    enum { LIMIT = 1024 };
    u8 bytes[LIMIT];
    size_t length = size < LIMIT ? (size_t)size : LIMIT, header = p->word + 8, at = 0;
    if (!put_or_read(p, address, bytes, length))
        return;
    while (at + header <= length) {
        u64 claimed = get_word(p, bytes + at);
        u32 level = load_le32(bytes + at + p->word), type = load_le32(bytes + at + p->word + 4);
        size_t held = claimed < header ? header : claimed < length - at ? (size_t)claimed : length - at;
        const u8 *data = bytes + at + header;
        put_format(
            p, at == 0 ? "[{cmsg_len=%llu, cmsg_level=" : ", {cmsg_len=%llu, cmsg_level=", (unsigned long long)claimed);
        put_name(p, &names_socket_level, level);
        put_text(p, ", cmsg_type=");
        if (level == SOL_SOCKET)
            put_name(p, &names_scm, type);
        else
            put_hex(p, type);
        if (held > header) {
            put_text(p, ", cmsg_data=");
            if (level == SOL_SOCKET && type == SCM_RIGHTS)
                put_rights(p, data, held - header);
            else if (level == SOL_SOCKET && type == SCM_CREDENTIALS && held - header >= 12)
                put_credentials(p, data);
            else
                put_quoted(p, data, held - header < p->limit ? held - header : p->limit, held - header > p->limit);
        }
        put_char(p, '}');
        if (claimed < header)
            break;
        at += (held + p->word - 1) / p->word * p->word;
    }
    put_text(p, at == 0 ? "[]" : "]");
}

/* struct msghdr: name and its length, buffers and their number, control messages and their length, flags. */
void put_msghdr(struct print *p, const u8 *bytes, u64 data, i32 room)
{
    unsigned word = p->word;
    u64 name = get_word(p, bytes), iov = get_word(p, bytes + 2 * word), count = get_word(p, bytes + 3 * word);
    u64 control = get_word(p, bytes + 4 * word), control_size = get_word(p, bytes + 5 * word);
    u32 name_size = load_le32(bytes + word);
    put_text(p, "{msg_name=");
    put_sockaddr(p, name, (i32)name_size < 0 ? 0 : room >= 0 && (u32)room < name_size ? (u32)room : name_size);
    if (room >= 0 && (u32)room != name_size)
        put_format(p, ", msg_namelen=%d => %d, msg_iov=", room, (i32)name_size);
    else
        put_format(p, ", msg_namelen=%d, msg_iov=", (i32)name_size);
    put_iovec(p, iov, count, data);
    put_format(p, ", msg_iovlen=%llu", (unsigned long long)count);
    if (control_size != 0) {
        put_text(p, ", msg_control=");
        put_control(p, control, control_size);
    }
    put_format(p, ", msg_controllen=%llu, msg_flags=", (unsigned long long)control_size);
    put_flags(p, &names_msg, load_le32(bytes + 6 * word));
    put_char(p, '}');
}

void arg_in_msghdr(struct print *p, unsigned i)
{
    u8 bytes[56];
    if (put_or_read(p, p->arg[i], bytes, msghdr_size(p)))
        put_msghdr(p, bytes, ~0ull, -1);
}

/* The room for a name is what the header said at the entry: "msg_namelen=128 => 16". */
void arg_out_msghdr(struct print *p, unsigned i)
{
    u8 bytes[56];
    i32 room = mem_read(p, p->arg[i] + p->word, bytes, 4) ? (i32)load_le32(bytes) : -1;
    if (!p->ok) {
        if (room >= 0)
            put_format(p, "{msg_namelen=%d}", room);
        else
            put_address(p, p->arg[i]);
        return;
    }
    mem_use_out(p);
    if (put_or_read(p, p->arg[i], bytes, msghdr_size(p)))
        put_msghdr(p, bytes, (u64)printed_result(p), room);
}

/* struct mmsghdr: a header and how many bytes of it were moved; as many as the call moved, or was asked to. */
static void put_mmsghdr(struct print *p, u64 address, u64 count, bool received)
{
    u8 bytes[64];
    size_t size = msghdr_size(p) + p->word;
    for (u64 n = 0; n < count; n++, address += size) {
        if (n >= p->limit) {
            put_text(p, ", ...");
            break;
        }
        if (!mem_read(p, address, bytes, size)) {
            if (n == 0) {
                put_address(p, address);
                return;
            }
            put_format(p, ", ... /* %#llx */", (unsigned long long)address);
            break;
        }
        u32 moved = load_le32(bytes + msghdr_size(p));
        put_text(p, n == 0 ? "[{msg_hdr=" : ", {msg_hdr=");
        put_msghdr(p, bytes, received ? moved : ~0ull, -1);
        if (p->ok)
            put_format(p, ", msg_len=%u", moved);
        put_char(p, '}');
    }
    put_text(p, count == 0 ? "[]" : "]");
}

void arg_in_mmsghdr(struct print *p, unsigned i)
{
    u64 count = (u32)p->arg[i + 1];
    if (p->ok) {
        mem_use_out(p);
        count = (u64)printed_result(p) < count ? (u64)printed_result(p) : count;
    }
    put_mmsghdr(p, p->arg[i], count, false);
}

void arg_out_mmsghdr(struct print *p, unsigned i)
{
    if (!p->ok) {
        put_address(p, p->arg[i]);
        return;
    }
    mem_use_out(p);
    put_mmsghdr(p, p->arg[i], (u64)printed_result(p), true);
}
