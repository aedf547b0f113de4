/* SPDX-License-Identifier: MIT
 * Signals: sets, actions, stacks, siginfo.
 */
#include "linux/args.h"

void arg_signal(struct print *p, unsigned i) { put_signal(p, (u32)p->arg[i]); }

static void put_signal_in_set(struct print *p, unsigned number)
{
    enum { RTMIN = 32 };
    const char *name = linux_signal_name(number);
    if (name != NULL)
        put_text(p, name + strlen("SIG"));
    else if (number == RTMIN)
        put_text(p, "RTMIN");
    else
        put_format(p, "RT_%u", number - RTMIN);
}

/* "[INT TERM]"; a set with most signals is shown by those that it lacks: "~[KILL STOP]". */
void put_sigset(struct print *p, u64 mask, unsigned signals)
{
    if (p->out == NULL)
        return;
    if (signals < 64)
        mask &= (1ull << signals) - 1;
    bool most = (unsigned)__builtin_popcountll(mask) >= signals * 2 / 3;
    if (most) {
        put_char(p, '~');
        mask = ~mask;
    }
    put_char(p, '[');
    bool first = true;
    for (unsigned n = 0; n < signals; n++) {
        if (!(mask >> n & 1))
            continue;
        if (!first)
            put_char(p, ' ');
        put_signal_in_set(p, n + 1);
        first = false;
    }
    put_char(p, ']');
}

/* in: size  of the set in bytes, as the caller says; the kernel takes 8 only */
static void put_sigset_at(struct print *p, u64 address, u64 size)
{
    u8 bytes[8] = {0};
    if (size != 4 && size != 8)
        put_address(p, address);
    else if (put_or_read(p, address, bytes, (size_t)size))
        put_sigset(p, load_le64(bytes), (unsigned)size * 8);
}

void arg_sigset_next(struct print *p, unsigned i) { put_sigset_at(p, p->arg[i], p->arg[i + 1]); }

void arg_sigset_3(struct print *p, unsigned i) { put_sigset_at(p, p->arg[i], p->arg[3]); }

void arg_out_sigset_3(struct print *p, unsigned i) { put_sigset_at(p, p->arg[i], p->arg[3]); }

void arg_out_sigset_1(struct print *p, unsigned i) { put_sigset_at(p, p->arg[i], p->arg[1]); }

/* pselect6: a structure of a set's address and its size. */
void arg_sigset_pair(struct print *p, unsigned i)
{
    u8 bytes[16];
    if (!put_or_read(p, p->arg[i], bytes, 2 * p->word))
        return;
    u64 size = get_word(p, bytes + p->word);
    put_text(p, "{sigmask=");
    put_sigset_at(p, get_word(p, bytes), size);
    put_format(p, ", sigsetsize=%llu}", (unsigned long long)size);
}

#define SA_RESTORER 0x4000000u

void put_handler(struct print *p, u64 handler)
{
    static const char *const names[] = {"SIG_DFL", "SIG_IGN"};
    u64 error = p->word == 4 ? 0xFFFFFFFF : ~0ull;
    if (handler < ARRAY_LEN(names))
        put_text(p, names[handler]);
    else if (handler == error)
        put_text(p, "SIG_ERR");
    else
        put_hex(p, handler);
}

void arg_signal_handler(struct print *p, unsigned i) { put_handler(p, p->arg[i]); }

/* in: old  mask in front of the flags, of one word; else behind the restorer, of 8 bytes */
static void put_sigaction(struct print *p, u64 address, bool old)
{
    u8 bytes[32];
    unsigned word = p->word;
    size_t size = old ? 4 * word : 3 * word + 8;
    if (!put_or_read(p, address, bytes, size))
        return;
    u64 flags = get_word(p, bytes + (old ? 2 : 1) * word);
    u64 restorer = get_word(p, bytes + (old ? 3 : 2) * word);
    put_text(p, "{sa_handler=");
    put_handler(p, get_word(p, bytes));
    put_text(p, ", sa_mask=");
    if (old)
        put_sigset(p, get_word(p, bytes + word), 32);
    else
        put_sigset(p, load_le64(bytes + 3 * word), 64);
    put_text(p, ", sa_flags=");
    put_flags(p, &names_sigaction, flags);
    if (flags & SA_RESTORER) {
        put_text(p, ", sa_restorer=");
        put_address(p, restorer);
    }
    put_char(p, '}');
}

void arg_in_sigaction(struct print *p, unsigned i) { put_sigaction(p, p->arg[i], false); }

void arg_out_sigaction(struct print *p, unsigned i) { put_sigaction(p, p->arg[i], false); }

void arg_in_old_sigaction(struct print *p, unsigned i) { put_sigaction(p, p->arg[i], true); }

void arg_out_old_sigaction(struct print *p, unsigned i) { put_sigaction(p, p->arg[i], true); }

void arg_in_old_sigset(struct print *p, unsigned i) { put_sigset_at(p, p->arg[i], 4); }

void arg_out_old_sigset(struct print *p, unsigned i) { put_sigset_at(p, p->arg[i], 4); }

/* Of three arguments the last is the set itself. */
void arg_old_sigsuspend(struct print *p, unsigned i) { put_sigset(p, p->arg[i + 2], 32); }

void arg_old_sigmask(struct print *p, unsigned i) { put_sigset(p, p->arg[i], 32); }

static void put_sigaltstack(struct print *p, u64 address)
{
    u8 bytes[24];
    if (!put_or_read(p, address, bytes, 3 * p->word))
        return;
    put_text(p, "{ss_sp=");
    put_address(p, get_word(p, bytes));
    put_text(p, ", ss_flags=");
    put_flags(p, &names_sigaltstack, load_le32(bytes + p->word));
    put_format(p, ", ss_size=%llu}", (unsigned long long)get_word(p, bytes + 2 * p->word));
}

void arg_in_sigaltstack(struct print *p, unsigned i) { put_sigaltstack(p, p->arg[i]); }

void arg_out_sigaltstack(struct print *p, unsigned i) { put_sigaltstack(p, p->arg[i]); }

#define SIGCHLD 17u
#define SI_TIMER (-2)
#define SI_QUEUE (-1)
#define SIGINFO_SIZE 128u

static void put_si_code(struct print *p, u32 number, i32 code)
{
    put_text(p, ", si_code=");
    if (number == SIGCHLD && names_find(&names_si_code_chld, (u32)code) != NULL)
        put_name(p, &names_si_code_chld, (u32)code);
    else
        put_name(p, &names_si_code, (u32)code);
}

/* What a child's end says: status by its kind, and times in ticks. */
static void put_si_child(struct print *p, const u8 *fields, i32 code)
{
    enum { CLD_EXITED = 1 };
    i32 status = (i32)load_le32(fields + 8);
    put_text(p, ", si_status=");
    if (code == CLD_EXITED)
        put_signed(p, status);
    else
        put_signal(p, (u32)status);
    const u8 *times = fields + (p->word == 8 ? 16 : 12);
    put_text(p, ", si_utime=");
    put_ticks(p, p->word == 8 ? (i64)load_le64(times) : (i32)load_le32(times));
    put_text(p, ", si_stime=");
    put_ticks(p, p->word == 8 ? (i64)load_le64(times + 8) : (i32)load_le32(times + 4));
}

/* A number and a pointer in one place; nothing when it is 0. in: prefix  of the two names */
static void put_sigval(struct print *p, const char *before, const char *prefix, const u8 *bytes)
{
    u64 pointer = get_word(p, bytes);
    if (pointer == 0)
        return;
    put_format(p, "%s%s_int=%d, %s_ptr=", before, prefix, (i32)load_le32(bytes), prefix);
    put_address(p, pointer);
}

void put_siginfo(struct print *p, u64 address)
{
    u8 bytes[SIGINFO_SIZE];
    if (!put_or_read(p, address, bytes, sizeof bytes))
        return;
    u32 number = load_le32(bytes);
    i32 error = (i32)load_le32(bytes + 4), code = (i32)load_le32(bytes + 8);
    const u8 *fields = bytes + (p->word == 8 ? 16 : 12);
    if (number == 0) {
        put_text(p, "{}");
        return;
    }
    put_text(p, "{si_signo=");
    put_signal(p, number);
    put_si_code(p, number, code);
    if (error != 0)
        put_format(p, linux_error_name((u32)error) != NULL ? ", si_errno=%s" : ", si_errno=%s?",
                   linux_error_name((u32)error) != NULL ? linux_error_name((u32)error) : "E");
    if (code == SI_TIMER)
        put_format(p, ", si_timerid=%#x, si_overrun=%d", load_le32(fields), (i32)load_le32(fields + 4));
    else
        put_format(p, ", si_pid=%d, si_uid=%u", (i32)load_le32(fields), load_le32(fields + 4));
    if (number == SIGCHLD && code > 0)
        put_si_child(p, fields, code);
    else if (code == SI_QUEUE)
        put_sigval(p, ", ", "si", fields + 8);
    put_char(p, '}');
}

void arg_in_siginfo(struct print *p, unsigned i) { put_siginfo(p, p->arg[i]); }

void arg_out_siginfo(struct print *p, unsigned i) { put_siginfo(p, p->arg[i]); }

/* struct sigevent: a value, signal, how, then what "how" needs. */
void arg_sigevent(struct print *p, unsigned i)
{
    enum { THREAD = 2, THREAD_ID = 4 };
    u8 bytes[32];
    unsigned word = p->word;
    if (!put_or_read(p, p->arg[i], bytes, word + 8 + 2 * word))
        return;
    u32 number = load_le32(bytes + word), how = load_le32(bytes + word + 4);
    const u8 *rest = bytes + word + 8;
    put_char(p, '{');
    if (get_word(p, bytes) != 0) {
        put_sigval(p, "sigev_value={", "sival", bytes);
        put_text(p, "}, ");
    }
    put_text(p, "sigev_signo=");
    put_signal(p, number);
    put_text(p, ", sigev_notify=");
    put_name(p, &names_sigevent, how);
    if (how == THREAD_ID)
        put_format(p, ", sigev_notify_thread_id=%d", (i32)load_le32(rest));
    if (how == THREAD) {
        put_text(p, ", sigev_notify_function=");
        put_address(p, get_word(p, rest));
        put_text(p, ", sigev_notify_attributes=");
        put_address(p, get_word(p, rest + word));
    }
    put_char(p, '}');
}
