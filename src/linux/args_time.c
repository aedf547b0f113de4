/* SPDX-License-Identifier: MIT
 * Time: timespec, timeval and what is made of them, in the caller's layout or with 64-bit fields.
 */
#include <time.h>

#include "linux/args.h"

/* 64-bit code and x32 have 64-bit fields; i386 has a long for each, in its time64 calls 64 bits. */
size_t time_size(const struct print *p, bool wide) { return wide || !p->narrow ? 16 : 8; }

void time_get(const struct print *p, const u8 *bytes, bool wide, struct linux_time *time)
{
    if (time_size(p, wide) == 16)
        *time = (struct linux_time){(i64)load_le64(bytes), (i64)load_le64(bytes + 8)};
    else
        *time = (struct linux_time){(i32)load_le32(bytes), (i32)load_le32(bytes + 4)};
}

bool time_read(struct print *p, u64 address, bool wide, struct linux_time *time)
{
    u8 bytes[16];
    if (!mem_read(p, address, bytes, time_size(p, wide)))
        return false;
    time_get(p, bytes, wide, time);
    return true;
}

void put_timespec(struct print *p, const struct linux_time *time)
{
    put_format(p, "{tv_sec=%lld, tv_nsec=%lld}", (long long)time->seconds, (long long)time->fraction);
}

void put_timeval(struct print *p, const struct linux_time *time)
{
    put_format(p, "{tv_sec=%lld, tv_usec=%lld}", (long long)time->seconds, (long long)time->fraction);
}

static void put_date_part(struct print *p, i64 seconds, const char *format)
{
    time_t time = seconds;
    struct tm parts;
    char text[64];
    if (p->out != NULL && gmtime_r(&time, &parts) != NULL && strftime(text, sizeof text, format, &parts) != 0)
        put_text(p, text);
}

void put_date(struct print *p, i64 seconds) { put_date_part(p, seconds, "%Y-%m-%dT%H:%M:%S+0000"); }

typedef void put_time_fn(struct print *p, const struct linux_time *time);

static void arg_time(struct print *p, unsigned i, bool wide, put_time_fn *put)
{
    struct linux_time time;
    if (time_read(p, p->arg[i], wide, &time))
        put(p, &time);
    else
        put_address(p, p->arg[i]);
}

void arg_in_timespec(struct print *p, unsigned i) { arg_time(p, i, false, put_timespec); }

void arg_out_timespec(struct print *p, unsigned i) { arg_time(p, i, false, put_timespec); }

void arg_in_timespec64(struct print *p, unsigned i) { arg_time(p, i, true, put_timespec); }

void arg_out_timespec64(struct print *p, unsigned i) { arg_time(p, i, true, put_timespec); }

void arg_in_timeval(struct print *p, unsigned i) { arg_time(p, i, false, put_timeval); }

void arg_out_timeval(struct print *p, unsigned i) { arg_time(p, i, false, put_timeval); }

/* The time that is left is filled only when a signal has cut the sleep short. */
#define EINTR 4
#define ERESTART_RESTARTBLOCK 516

static void arg_remaining_time(struct print *p, unsigned i, bool wide)
{
    i64 result = printed_result(p);
    if (p->call->returned && (result == -EINTR || result == -ERESTART_RESTARTBLOCK))
        arg_time(p, i, wide, put_timespec);
    else
        put_address(p, p->arg[i]);
}

void arg_remaining(struct print *p, unsigned i) { arg_remaining_time(p, i, false); }

void arg_remaining64(struct print *p, unsigned i) { arg_remaining_time(p, i, true); }

/* Two times, of which each may stand for now, or for no change. */
static void put_two_times(struct print *p, u64 address, bool wide, bool nanoseconds)
{
    enum { UTIME_NOW = 0x3FFFFFFF, UTIME_OMIT = 0x3FFFFFFE };
    u8 bytes[32];
    size_t size = time_size(p, wide);
    if (!put_or_read(p, address, bytes, 2 * size))
        return;
    for (unsigned n = 0; n < 2; n++) {
        struct linux_time time;
        time_get(p, bytes + n * size, wide, &time);
        put_text(p, n == 0 ? "[" : ", ");
        if (nanoseconds && (time.fraction == UTIME_NOW || time.fraction == UTIME_OMIT)) {
            put_text(p, time.fraction == UTIME_NOW ? "UTIME_NOW" : "UTIME_OMIT");
            continue;
        }
        (nanoseconds ? put_timespec : put_timeval)(p, &time);
        put_text(p, " /* ");
        put_date_part(p, time.seconds, "%Y-%m-%dT%H:%M:%S");
        if (time.fraction != 0)
            put_format(p, nanoseconds ? ".%09lld" : ".%06lld", (long long)time.fraction);
        put_text(p, "+0000 */");
    }
    put_char(p, ']');
}

void arg_timeval2(struct print *p, unsigned i) { put_two_times(p, p->arg[i], false, false); }

void arg_utimens(struct print *p, unsigned i) { put_two_times(p, p->arg[i], false, true); }

void arg_utimens64(struct print *p, unsigned i) { put_two_times(p, p->arg[i], true, true); }

static void put_dated(struct print *p, const char *name, i64 seconds)
{
    put_format(p, "%s%lld /* ", name, (long long)seconds);
    put_date(p, seconds);
    put_text(p, " */");
}

void arg_utimbuf(struct print *p, unsigned i)
{
    u8 bytes[16];
    size_t size = p->narrow ? 4 : 8;
    if (!put_or_read(p, p->arg[i], bytes, 2 * size))
        return;
    put_dated(p, "{actime=", p->narrow ? (i32)load_le32(bytes) : (i64)load_le64(bytes));
    put_dated(p, ", modtime=", p->narrow ? (i32)load_le32(bytes + 4) : (i64)load_le64(bytes + 8));
    put_char(p, '}');
}

static void arg_seconds(struct print *p, unsigned i)
{
    u8 bytes[8];
    if (!put_or_read(p, p->arg[i], bytes, p->narrow ? 4 : 8))
        return;
    put_dated(p, "[", p->narrow ? (i32)load_le32(bytes) : (i64)load_le64(bytes));
    put_char(p, ']');
}

void arg_in_time(struct print *p, unsigned i) { arg_seconds(p, i); }

void arg_out_time(struct print *p, unsigned i) { arg_seconds(p, i); }

static void arg_timezone(struct print *p, unsigned i)
{
    u8 bytes[8];
    if (put_or_read(p, p->arg[i], bytes, sizeof bytes))
        put_format(p, "{tz_minuteswest=%d, tz_dsttime=%d}", (i32)load_le32(bytes), (i32)load_le32(bytes + 4));
}

void arg_in_timezone(struct print *p, unsigned i) { arg_timezone(p, i); }

void arg_out_timezone(struct print *p, unsigned i) { arg_timezone(p, i); }

/* struct itimerval, itimerspec: the interval, then the value. */
static void arg_itimer(struct print *p, unsigned i, bool wide, put_time_fn *put)
{
    u8 bytes[32];
    size_t size = time_size(p, wide);
    struct linux_time time;
    if (!put_or_read(p, p->arg[i], bytes, 2 * size))
        return;
    put_text(p, "{it_interval=");
    time_get(p, bytes, wide, &time);
    put(p, &time);
    put_text(p, ", it_value=");
    time_get(p, bytes + size, wide, &time);
    put(p, &time);
    put_char(p, '}');
}

void arg_in_itimerval(struct print *p, unsigned i) { arg_itimer(p, i, false, put_timeval); }

void arg_out_itimerval(struct print *p, unsigned i) { arg_itimer(p, i, false, put_timeval); }

void arg_in_itimerspec(struct print *p, unsigned i) { arg_itimer(p, i, false, put_timespec); }

void arg_out_itimerspec(struct print *p, unsigned i) { arg_itimer(p, i, false, put_timespec); }

void arg_in_itimerspec64(struct print *p, unsigned i) { arg_itimer(p, i, true, put_timespec); }

void arg_out_itimerspec64(struct print *p, unsigned i) { arg_itimer(p, i, true, put_timespec); }

void put_ticks(struct print *p, i64 ticks)
{
    put_signed(p, ticks);
    if (ticks > 0) /* a hundred of them are a second on every x86 */
        put_format(p, " /* %lld.%02lld s */", (long long)ticks / 100, (long long)ticks % 100);
}

void arg_tms(struct print *p, unsigned i)
{
    static const char *const names[] = {"{tms_utime=", ", tms_stime=", ", tms_cutime=", ", tms_cstime="};
    u8 bytes[32];
    size_t size = p->narrow ? 4 : 8;
    if (!put_or_read(p, p->arg[i], bytes, 4 * size))
        return;
    for (unsigned n = 0; n < ARRAY_LEN(names); n++) {
        i64 ticks = p->narrow ? (i32)load_le32(bytes + n * 4) : (i64)load_le64(bytes + n * 8);
        put_text(p, names[n]);
        put_ticks(p, ticks);
    }
    put_char(p, '}');
}

void arg_out_timer(struct print *p, unsigned i) { put_array(p, p->arg[i], 1, 4, put_element_int); }

/* struct timex: an int of modes, then longs but for a status in the middle and an int behind padding at the end. */
static void put_timex(struct print *p, u64 address, bool wide)
{
    static const char *const counts[] = {
        ", ppsfreq=", ", jitter=", ", shift=", ", stabil=", ", jitcnt=", ", calcnt=", ", errcnt=", ", stbcnt="};
    enum { SHIFT = 2, FIELDS = 20, COUNTS = 12 };
    unsigned word = wide || !p->narrow ? 8 : 4;
    u8 bytes[208];
    i64 field[FIELDS]; /* by words; an int takes one */
    if (!put_or_read(p, address, bytes, word == 8 ? 208 : 128))
        return;
    for (unsigned n = 0; n < FIELDS; n++)
        field[n] = word == 8 ? (i64)load_le64(bytes + 8 * n) : (i32)load_le32(bytes + 4 * n);
    put_text(p, "{modes=");
    put_flags(p, &names_adjtimex_modes, (u32)field[0]);
    put_format(p, ", offset=%lld, freq=%lld, maxerror=%llu, esterror=%lld, status=", (long long)field[1],
               (long long)field[2], (unsigned long long)field[3], (long long)field[4]);
    put_flags(p, &names_adjtimex_status, (u32)field[5]);
    put_format(p, ", constant=%lld, precision=%llu, tolerance=%lld, time=", (long long)field[6],
               (unsigned long long)field[7], (long long)field[8]);
    put_timeval(p, &(struct linux_time){field[9], field[10]});
    put_format(p, ", tick=%lld", (long long)field[11]);
    for (unsigned n = 0; n < ARRAY_LEN(counts); n++)
        put_format(p, "%s%lld", counts[n], (long long)(n == SHIFT ? (i32)field[COUNTS + n] : field[COUNTS + n]));
    put_format(p, ", tai=%d}", (i32)load_le32(bytes + FIELDS * word));
}

void arg_timex(struct print *p, unsigned i) { put_timex(p, p->arg[i], false); }

void arg_timex64(struct print *p, unsigned i) { put_timex(p, p->arg[i], true); }
