/* SPDX-License-Identifier: MIT
 * Arguments of calls that wait for descriptors: poll, select, epoll; and what they say behind their results.
 */
#include "linux/args.h"

static void put_pollfd(struct print *p, const u8 *bytes)
{
    i32 fd = (i32)load_le32(bytes);
    put_format(p, "{fd=%d", fd);
    if (fd >= 0) {
        put_text(p, ", events=");
        put_flags(p, &names_poll, load_le16(bytes + 4));
    }
    put_char(p, '}');
}

void arg_pollfds(struct print *p, unsigned i) { put_array(p, p->arg[i], (u32)p->arg[i + 1], 8, put_pollfd); }

/* The time that is left, where the kernel has written it back. */
static void put_time_left(struct print *p, u64 address, bool nanoseconds, bool wide, const char *before)
{
    struct linux_time time;
    if (!time_read(p, address, wide, &time))
        return;
    put_text(p, before);
    (nanoseconds ? put_timespec : put_timeval)(p, &time);
}

/* " (Timeout)", or the descriptors that have something: " ([{fd=0, revents=POLLIN}])", and for ppoll the time left. */
void result_poll(struct print *p)
{
    u64 count = (u32)p->arg[1], shown = 0;
    bool with_time = p->row->kind[2] != KIND_INT;
    mem_use_out(p);
    if (printed_result(p) == 0) {
        put_text(p, " (Timeout)");
        return;
    }
    put_text(p, " ([");
    for (u64 n = 0; n < count && shown < (u64)printed_result(p); n++) {
        u8 bytes[8];
        if (!mem_read(p, p->arg[0] + 8 * n, bytes, sizeof bytes))
            break;
        if (load_le16(bytes + 6) == 0)
            continue;
        if (shown != 0)
            put_text(p, ", ");
        if (shown++ >= p->limit) {
            put_text(p, "...");
            break;
        }
        put_format(p, "{fd=%d, revents=", (i32)load_le32(bytes));
        put_flags(p, &names_poll, load_le16(bytes + 6));
        put_char(p, '}');
    }
    put_char(p, ']');
    if (with_time)
        put_time_left(p, p->arg[2], true, p->row->kind[2] == KIND_IN_TIMESPEC64, ", left ");
    put_char(p, ')');
}

#define FD_SETSIZE 1024u

/* Bytes of a set for nfds descriptors; the kernel moves whole longs. */
static size_t fdset_size(const struct print *p, i32 nfds)
{
    u32 count = nfds < 0 ? 0 : (u32)nfds > FD_SETSIZE ? FD_SETSIZE : (u32)nfds;
    return (count + p->word * 8 - 1) / (p->word * 8) * p->word;
}

/* "3 5" between brackets. */
static void put_fdset_bits(struct print *p, const u8 *set, i32 nfds)
{
    const char *space = "";
    for (i32 fd = 0; fd < nfds && fd < (i32)FD_SETSIZE && p->out != NULL; fd++)
        if (set[fd / 8] >> (fd % 8) & 1) {
            put_format(p, "%s%d", space, fd);
            space = " ";
        }
}

static void put_fdset(struct print *p, u64 address, i32 nfds)
{
    u8 set[FD_SETSIZE / 8];
    if (address == 0 || !mem_read(p, address, set, fdset_size(p, nfds))) {
        put_address(p, address);
        return;
    }
    put_char(p, '[');
    put_fdset_bits(p, set, nfds);
    put_char(p, ']');
}

void arg_fdset(struct print *p, unsigned i) { put_fdset(p, p->arg[i], (i32)p->arg[0]); }

static bool fdset_is_empty(const u8 *set, i32 nfds)
{
    for (i32 fd = 0; fd < nfds && fd < (i32)FD_SETSIZE; fd++)
        if (set[fd / 8] >> (fd % 8) & 1)
            return false;
    return true;
}

/* " (in [3], left {tv_sec=0, tv_usec=999998})" or " (Timeout)". */
void result_select(struct print *p, const u64 *args, bool nanoseconds, bool wide)
{
    static const char *const names[] = {"in", "out", "except"};
    const char *before = " (";
    i32 nfds = (i32)args[0];
    mem_use_out(p);
    if (printed_result(p) == 0) {
        put_text(p, " (Timeout)");
        return;
    }
    for (unsigned n = 0; n < ARRAY_LEN(names); n++) {
        u8 set[FD_SETSIZE / 8];
        if (!mem_read(p, args[1 + n], set, fdset_size(p, nfds)) || fdset_is_empty(set, nfds))
            continue;
        put_format(p, "%s%s [", before, names[n]);
        put_fdset_bits(p, set, nfds);
        put_char(p, ']');
        before = ", ";
    }
    struct linux_time left;
    if (time_read(p, args[4], wide, &left)) {
        put_format(p, "%sleft ", before);
        (nanoseconds ? put_timespec : put_timeval)(p, &left);
        before = ", ";
    }
    if (before[0] == ',')
        put_char(p, ')');
}

/* i386's first select: its five arguments in a structure. */
static bool read_old_select(struct print *p, u64 address, u64 *args)
{
    u8 bytes[20];
    if (!mem_read(p, address, bytes, sizeof bytes))
        return false;
    for (unsigned n = 0; n < 5; n++)
        args[n] = load_le32(bytes + 4 * n);
    return true;
}

void arg_old_select(struct print *p, unsigned i)
{
    u64 args[5];
    struct linux_time time;
    if (!read_old_select(p, p->arg[i], args)) {
        put_address(p, p->arg[i]);
        return;
    }
    put_signed(p, (i32)args[0]);
    for (unsigned n = 1; n < 4; n++) {
        put_next(p);
        put_fdset(p, args[n], (i32)args[0]);
    }
    put_next(p);
    if (time_read(p, args[4], false, &time))
        put_timeval(p, &time);
    else
        put_address(p, args[4]);
}

void result_select_old(struct print *p)
{
    u64 args[5];
    mem_use_in(p);
    if (read_old_select(p, p->arg[0], args))
        result_select(p, args, false, false);
}

/* struct epoll_event: events, then 64 bits of data without padding. */
static void put_epoll_event(struct print *p, const u8 *bytes)
{
    put_text(p, "{events=");
    put_flags(p, &names_epoll_events, load_le32(bytes));
    put_format(p, ", data={u32=%u, u64=%llu}}", load_le32(bytes + 4), (unsigned long long)load_le64(bytes + 4));
}

void arg_epoll_event(struct print *p, unsigned i)
{
    enum { EPOLL_CTL_DEL = 2, SIZE = 12 };
    u8 bytes[SIZE];
    if ((u32)p->arg[1] == EPOLL_CTL_DEL)
        put_address(p, p->arg[i]);
    else if (put_or_read(p, p->arg[i], bytes, SIZE))
        put_epoll_event(p, bytes);
}

void arg_epoll_events(struct print *p, unsigned i)
{
    put_array(p, p->arg[i], (u64)printed_result(p), 12, put_epoll_event);
}
