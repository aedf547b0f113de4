/* SPDX-License-Identifier: MIT
 * Arguments of calls that open, read, write and control files.
 */
#include "linux/args.h"

#define O_ACCMODE 3u
#define O_CREAT 0100u
#define O_TMPFILE_BIT 020000000u

void put_open_flags(struct print *p, u32 flags)
{
    put_name(p, &names_open_access, flags & O_ACCMODE);
    put_more_flags(p, &names_open, flags & ~O_ACCMODE);
}

void arg_open_flags(struct print *p, unsigned i) { put_open_flags(p, (u32)p->arg[i]); }

/* There is a mode only where a file may be made. */
void arg_open_mode(struct print *p, unsigned i)
{
    if (p->arg[i - 1] & (O_CREAT | O_TMPFILE_BIT))
        put_mode(p, (u16)p->arg[i]);
}

void arg_open_how(struct print *p, unsigned i)
{
    u8 how[24];
    if (p->arg[i + 1] < sizeof how) {
        put_address(p, p->arg[i]);
        return;
    }
    if (!put_or_read(p, p->arg[i], how, sizeof how))
        return;
    put_text(p, "{flags=");
    put_open_flags(p, load_le32(how));
    if (load_le32(how) & (O_CREAT | O_TMPFILE_BIT) || load_le64(how + 8) != 0) {
        put_text(p, ", mode=");
        put_mode(p, load_le32(how + 8));
    }
    put_text(p, ", resolve=");
    put_flags(p, &names_open_resolve, load_le64(how + 16));
    put_text(p, p->arg[i + 1] > sizeof how ? ", ...}" : "}");
}

/* in: data  bytes that the buffers hold in all */
void put_iovec(struct print *p, u64 address, u64 count, u64 data)
{
    u8 bytes[16];
    if (address == 0 || count == 0) {
        put_text(p, address == 0 ? "NULL" : "[]");
        return;
    }
    for (u64 i = 0; i < count; i++, address += 2 * p->word) {
        if (i >= p->limit) {
            put_text(p, ", ...");
            break;
        }
        if (!mem_read(p, address, bytes, 2 * p->word)) {
            if (i == 0) {
                put_address(p, address);
                return;
            }
            put_format(p, ", ... /* %#llx */", (unsigned long long)address);
            break;
        }
        u64 base = get_word(p, bytes), length = get_word(p, bytes + p->word);
        u64 held = length < data ? length : data;
        put_text(p, i == 0 ? "[{iov_base=" : ", {iov_base=");
        put_buffer(p, base, held);
        put_format(p, ", iov_len=%llu}", (unsigned long long)length);
        data -= held;
    }
    put_char(p, ']');
}

void arg_in_iovec(struct print *p, unsigned i) { put_iovec(p, p->arg[i], p->arg[i + 1], ~0ull); }

void arg_out_iovec(struct print *p, unsigned i) { put_iovec(p, p->arg[i], p->arg[i + 1], (u64)printed_result(p)); }

static void put_iovec_address(struct print *p, const u8 *bytes)
{
    put_text(p, "{iov_base=");
    put_address(p, get_word(p, bytes));
    put_format(p, ", iov_len=%llu}", (unsigned long long)get_word(p, bytes + p->word));
}

/* Buffers of another process: where they are. */
void arg_iovec_addresses(struct print *p, unsigned i)
{
    put_array(p, p->arg[i], p->arg[i + 1], 2 * p->word, put_iovec_address);
}

/* fd, high, low, where the offset goes, whence. The offset is one number. */
void arg_llseek(struct print *p, unsigned i)
{
    u8 result[8];
    put_signed(p, (i64)(p->arg[i] << 32 | (u32)p->arg[i + 1]));
    put_next(p);
    mem_use_out(p);
    if (!p->ok)
        put_address(p, p->arg[i + 2]);
    else if (put_or_read(p, p->arg[i + 2], result, sizeof result))
        put_format(p, "[%lld]", (long long)load_le64(result));
    put_next(p);
    put_name(p, &names_whence, (u32)p->arg[i + 3]);
}

/* An offset that the call reads and moves: "[0] => [4096]". */
static void put_moved_offset(struct print *p, u64 address, size_t size)
{
    u8 before[8] = {0}, after[8] = {0};
    if (!put_or_read(p, address, before, size))
        return;
    i64 was = size == 4 ? (i32)load_le32(before) : (i64)load_le64(before);
    put_format(p, "[%lld]", (long long)was);
    mem_use_out(p);
    if (!p->ok || !mem_read(p, address, after, size))
        return;
    i64 is = size == 4 ? (i32)load_le32(after) : (i64)load_le64(after);
    if (is != was)
        put_format(p, " => [%lld]", (long long)is);
}

void arg_in_offset64(struct print *p, unsigned i)
{
    u8 bytes[8];
    if (put_or_read(p, p->arg[i], bytes, sizeof bytes))
        put_format(p, "[%lld]", (long long)load_le64(bytes));
}

void arg_offset_pointer(struct print *p, unsigned i) { put_moved_offset(p, p->arg[i], p->word); }

void arg_offset64_pointer(struct print *p, unsigned i) { put_moved_offset(p, p->arg[i], 8); }

void arg_memfd(struct print *p, unsigned i)
{
    enum { SIZE_SHIFT = 26, SIZE_MASK = 0x3F };
    u32 flags = (u32)p->arg[i], size = flags >> SIZE_SHIFT & SIZE_MASK;
    put_flags(p, p->names, size != 0 ? flags & ~((u32)SIZE_MASK << SIZE_SHIFT) : flags);
    if (size != 0)
        put_format(p, "|%u<<MFD_HUGE_SHIFT", size);
}

enum {
    F_DUPFD = 0,
    F_GETFD = 1,
    F_SETFD = 2,
    F_GETFL = 3,
    F_SETFL = 4,
    F_GETLK = 5,
    F_SETLK = 6,
    F_SETLKW = 7,
    F_SETSIG = 10,
    F_GETSIG = 11,
    F_GETLK64 = 12,
    F_SETLK64 = 13,
    F_SETLKW64 = 14,
    F_GETOWN = 9,
    F_SETOWN_EX = 15,
    F_GETOWN_EX = 16,
    F_OFD_GETLK = 36,
    F_OFD_SETLK = 37,
    F_OFD_SETLKW = 38,
    F_SETLEASE = 1024,
    F_GETLEASE = 1025,
    F_NOTIFY = 1026,
    F_DUPFD_CLOEXEC = 1030,
    F_GETPIPE_SZ = 1032,
    F_ADD_SEALS = 1033,
    F_GET_SEALS = 1034,
    F_SETOWN = 8,
    F_SETPIPE_SZ = 1031
};

/* struct flock, or flock64. in: asked  the process that holds the lock is part of the answer */
static void put_lock(struct print *p, u64 address, bool wide, bool asked)
{
    u8 lock[32];
    size_t offset = wide ? 8 : p->word; /* of l_start, and its size */
    if (wide && p->word == 4)
        offset = p->narrow ? 4 : 8; /* 64-bit fields have an alignment of 4 bytes on i386 */
    size_t field = wide ? 8 : p->word;
    if (!put_or_read(p, address, lock, offset + 2 * field + 4))
        return;
    put_text(p, "{l_type=");
    put_name(p, &names_lock_type, load_le16(lock));
    put_text(p, ", l_whence=");
    put_name(p, &names_whence, load_le16(lock + 2));
    i64 start = field == 8 ? (i64)load_le64(lock + offset) : (i32)load_le32(lock + offset);
    i64 length = field == 8 ? (i64)load_le64(lock + offset + 8) : (i32)load_le32(lock + offset + 4);
    put_format(p, ", l_start=%lld, l_len=%lld", (long long)start, (long long)length);
    if (asked)
        put_format(p, ", l_pid=%d", (i32)load_le32(lock + offset + 2 * field));
    put_char(p, '}');
}

static void put_lock_argument(struct print *p, u32 command, u64 address)
{
    bool asks = command == F_GETLK || command == F_GETLK64 || command == F_OFD_GETLK;
    bool wide = command >= F_GETLK64 || p->word == 8;
    if (asks && !p->ok) {
        put_address(p, address);
        return;
    }
    if (asks)
        mem_use_out(p);
    put_lock(p, address, wide, asks);
}

static void put_owner(struct print *p, u64 address)
{
    u8 owner[8];
    if (!put_or_read(p, address, owner, sizeof owner))
        return;
    put_text(p, "{type=");
    put_name(p, &names_lock_owner, load_le32(owner));
    put_format(p, ", pid=%d}", (i32)load_le32(owner + 4));
}

static void put_fcntl_argument(struct print *p, u32 command, u64 value)
{
    switch (command) {
    case F_GETFD:
    case F_GETFL:
    case F_GETOWN:
    case F_GETSIG:
    case F_GETLEASE:
    case F_GETPIPE_SZ:
    case F_GET_SEALS: return;
    case F_SETFD: put_flags(p, &names_fd_flags, (u32)value); return;
    case F_SETFL: put_open_flags(p, (u32)value); return;
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_SETOWN:
    case F_SETPIPE_SZ: put_signed(p, (i32)value); return;
    case F_SETSIG: put_signal(p, (u32)value); return;
    case F_ADD_SEALS: put_flags(p, &names_seal, (u32)value); return;
    case F_NOTIFY: put_flags(p, &names_notify, (u32)value); return;
    case F_SETLEASE: put_name(p, &names_lock_type, (u32)value); return;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_GETLK64:
    case F_SETLK64:
    case F_SETLKW64:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: put_lock_argument(p, command, value); return;
    case F_GETOWN_EX:
        mem_use_out(p);
        if (!p->ok)
            put_address(p, value);
        else
            put_owner(p, value);
        return;
    case F_SETOWN_EX: put_owner(p, value); return;
    default: put_hex(p, value);
    }
}

void arg_fcntl(struct print *p, unsigned i)
{
    u32 command = (u32)p->arg[i];
    put_name(p, &names_fcntl, command);
    put_next(p);
    put_fcntl_argument(p, command, p->arg[i + 1]);
}

void result_fcntl(struct print *p)
{
    u32 command = (u32)p->arg[1], result = (u32)printed_result(p);
    bool named = command == F_GETFD || command == F_GETFL || command == F_GET_SEALS || command == F_GETLEASE;
    if (!named || (command == F_GETFD && result == 0)) {
        put_signed(p, (i32)result);
        if (command == F_GETSIG && result != 0) {
            put_text(p, " (");
            put_signal(p, result);
            put_char(p, ')');
        }
        return;
    }
    put_hex(p, result);
    if (command == F_GETFL) {
        put_text(p, " (flags ");
        put_open_flags(p, result);
    } else if (command == F_GETLEASE) {
        put_text(p, " (");
        put_name(p, &names_lock_type, result);
    } else {
        put_text(p, command == F_GETFD ? " (flags " : " (seals ");
        put_flags(p, command == F_GETFD ? &names_fd_flags : &names_seal, result);
    }
    put_char(p, ')');
}
