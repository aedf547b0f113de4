/* SPDX-License-Identifier: MIT
 * What calls say about files: stat and its relatives, statfs, directories; and arguments of calls about file systems.
 */
#include "linux/args.h"

/* The fields of a stat that are shown. */
struct stat_fields {
    u32 mode;
    u64 device, size;
};

#define MODE_TYPE 0170000u
#define MODE_CHARACTER 0020000u
#define MODE_BLOCK 0060000u

static void put_stat(struct print *p, const struct stat_fields *stat)
{
    u32 type = stat->mode & MODE_TYPE;
    put_text(p, "{st_mode=");
    put_file_mode(p, stat->mode);
    if (type == MODE_CHARACTER || type == MODE_BLOCK) {
        put_text(p, ", st_rdev=");
        put_device(p, stat->device);
    } else {
        put_format(p, ", st_size=%lld", (long long)stat->size);
    }
    put_text(p, ", ...}");
}

/* struct stat: 144 bytes for 64-bit code, 64 for i386. */
void arg_out_stat(struct print *p, unsigned i)
{
    u8 bytes[144];
    if (!put_or_read(p, p->arg[i], bytes, p->narrow ? 64 : 144))
        return;
    struct stat_fields stat =
        p->narrow ? (struct stat_fields){load_le16(bytes + 8), load_le32(bytes + 16), load_le32(bytes + 20)}
                  : (struct stat_fields){load_le32(bytes + 24), load_le64(bytes + 40), load_le64(bytes + 48)};
    put_stat(p, &stat);
}

/* The first struct stat: 16-bit fields. */
void arg_out_old_stat(struct print *p, unsigned i)
{
    u8 bytes[32];
    if (!put_or_read(p, p->arg[i], bytes, sizeof bytes))
        return;
    struct stat_fields stat = {load_le16(bytes + 4), load_le16(bytes + 12), load_le32(bytes + 16)};
    put_stat(p, &stat);
}

/* struct stat64 of i386: 64-bit fields stand at multiples of 4. */
void arg_out_stat64(struct print *p, unsigned i)
{
    u8 bytes[96];
    if (!put_or_read(p, p->arg[i], bytes, sizeof bytes))
        return;
    struct stat_fields stat = {load_le32(bytes + 16), load_le64(bytes + 32), load_le64(bytes + 44)};
    put_stat(p, &stat);
}

#define STATX_SYNC_MASK 0x6000u

void arg_statx_flags(struct print *p, unsigned i)
{
    u32 flags = (u32)p->arg[i];
    put_name(p, &names_statx_sync, flags & STATX_SYNC_MASK);
    put_more_flags(p, p->names, flags & ~STATX_SYNC_MASK);
}

void arg_out_statx(struct print *p, unsigned i)
{
    u8 bytes[256];
    if (!put_or_read(p, p->arg[i], bytes, sizeof bytes))
        return;
    put_text(p, "{stx_mask=");
    put_flags(p, &names_statx_mask, load_le32(bytes));
    put_text(p, ", stx_attributes=");
    put_flags(p, &names_statx_attribute, load_le64(bytes + 8));
    put_text(p, ", stx_mode=");
    put_file_mode(p, load_le16(bytes + 28));
    put_format(p, ", stx_size=%llu, ...}", (unsigned long long)load_le64(bytes + 40));
}

/* A number of blocks or files: an unsigned long, or 64 bits. */
static u64 statfs_count(const struct print *p, const u8 *bytes, size_t size)
{
    return size == 4 ? load_le32(bytes) : size == 8 ? load_le64(bytes) : get_word(p, bytes);
}

/* struct statfs: type and block size, five counts, f_fsid, then three of the first width. */
static void put_statfs(struct print *p, u64 address, size_t width, size_t count)
{
    static const char *const counts[] = {"f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"};
    u8 bytes[120];
    size_t fsid = 2 * width + 5 * count;
    if (!put_or_read(p, address, bytes, fsid + 8 + 3 * width))
        return;
    put_text(p, "{f_type=");
    put_name(p, &names_statfs_type, statfs_count(p, bytes, width));
    put_format(p, ", f_bsize=%llu", (unsigned long long)statfs_count(p, bytes + width, width));
    for (size_t n = 0; n < ARRAY_LEN(counts); n++)
        put_format(p, ", %s=%llu", counts[n],
                   (unsigned long long)statfs_count(p, bytes + 2 * width + n * count, count));
    put_format(p, ", f_fsid={val=[%#x, %#x]}", load_le32(bytes + fsid), load_le32(bytes + fsid + 4));
    const u8 *rest = bytes + fsid + 8;
    put_format(p, ", f_namelen=%llu, f_frsize=%llu, f_flags=", (unsigned long long)statfs_count(p, rest, width),
               (unsigned long long)statfs_count(p, rest + width, width));
    put_flags(p, &names_statfs_flags, statfs_count(p, rest + 2 * width, width));
    put_char(p, '}');
}

void arg_out_statfs(struct print *p, unsigned i) { put_statfs(p, p->arg[i], p->narrow ? 4 : 8, p->narrow ? 4 : 8); }

void arg_out_statfs64(struct print *p, unsigned i) { put_statfs(p, p->arg[i], p->narrow ? 4 : 8, 8); }

/* Directory entries are counted, not shown: "0x5566... / * 12 entries * /". Each begins with its inode and offset, then
 * its length in 16 bits. */
void arg_out_dirents(struct print *p, unsigned i)
{
    bool wide = p->row->kind[i] == KIND_OUT_DIRENTS64;
    u64 address = p->arg[i], size = (u64)printed_result(p);
    size_t header = wide ? 18 : 2 * p->word + 2;
    u64 entries = 0;
    for (u64 at = 0; at + header <= size;) {
        u8 length[2];
        if (!mem_read(p, address + at + header - 2, length, 2)) {
            put_address(p, address);
            return;
        }
        if (load_le16(length) < header)
            break;
        at += load_le16(length);
        entries++;
    }
    put_format(p, "%#llx /* %llu entries */", (unsigned long long)address, (unsigned long long)entries);
}

/* A device number counts only for a device's file. */
void arg_mknod_device(struct print *p, unsigned i)
{
    u32 type = (u32)p->arg[i - 1] & MODE_TYPE;
    if (type == MODE_CHARACTER || type == MODE_BLOCK)
        put_device(p, (u32)p->arg[i]);
}

#define MS_MAGIC 0xC0ED0000u
#define MS_MAGIC_MASK 0xFFFF0000u
#define MS_REMOUNT 32u
#define MS_BIND 4096u
#define MS_MOVE 8192u
#define MS_PROPAGATION (0xE0000u | 0x100000u) /* unbindable, private, slave, shared */

/* source, target, type, flags, data: type and data mean nothing where the flags say so. */
void arg_mount(struct print *p, unsigned i)
{
    u64 flags = p->arg[i + 3];
    bool magic = (flags & MS_MAGIC_MASK) == MS_MAGIC;
    if (magic)
        flags &= ~(u64)MS_MAGIC_MASK;
    bool old_tree = flags & (MS_BIND | MS_MOVE | MS_PROPAGATION);
    put_path(p, p->arg[i]);
    put_next(p);
    put_path(p, p->arg[i + 1]);
    put_next(p);
    if (old_tree || (flags & MS_REMOUNT))
        put_address(p, p->arg[i + 2]);
    else
        put_string(p, p->arg[i + 2], p->limit);
    put_next(p);
    if (magic)
        put_text(p, flags != 0 ? "MS_MGC_VAL|" : "MS_MGC_VAL");
    if (!magic || flags != 0)
        put_flags(p, &names_mount, flags);
    put_next(p);
    if (flags & (MS_MOVE | MS_PROPAGATION) || (flags & (MS_BIND | MS_REMOUNT)) == MS_BIND)
        put_address(p, p->arg[i + 4]);
    else
        put_string(p, p->arg[i + 4], p->limit);
}

void arg_swap_flags(struct print *p, unsigned i)
{
    enum { PRIORITY = 0x7FFF };
    u32 flags = (u32)p->arg[i];
    if (flags & ~(u32)PRIORITY) {
        put_flags(p, p->names, flags & ~(u32)PRIORITY);
        put_format(p, "|%u", flags & PRIORITY);
    } else {
        put_unsigned(p, flags);
    }
}

void arg_fanotify_mask_pair(struct print *p, unsigned i) { put_flags(p, &names_fanotify_mask, arg_pair(p, i)); }
