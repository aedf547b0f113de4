/* SPDX-License-Identifier: MIT
 * Results: numbers, errors, and what some calls say in parentheses.
 */
#include "linux/args.h"

/* Errors that no program sees: the kernel makes the call again, or turns them into EINTR. */
#define ERESTARTSYS 512u
#define ERESTART_LAST 516u
#define ENOIOCTLCMD 515u

static void put_error(struct print *p, unsigned number)
{
    const char *name = linux_error_name(number);
    bool restart = number >= ERESTARTSYS && number <= ERESTART_LAST && number != ENOIOCTLCMD;
    if (name == NULL)
        put_format(p, "-1 (errno %u)", number);
    else
        put_format(p, "%s %s (%s)", restart ? "?" : "-1", name, linux_error_text(number));
}

/* A query gives the commands that the kernel has. */
static void put_membarrier(struct print *p, u32 result)
{
    enum { QUERY = 0 };
    if ((u32)p->arg[0] != QUERY || result == 0) {
        put_unsigned(p, result);
        return;
    }
    put_format(p, "%#x (", result);
    put_flags(p, &names_membarrier, result);
    put_char(p, ')');
}

static void put_success(struct print *p, enum linux_result kind, i64 result)
{
    u32 low = (u32)result;
    switch (kind) {
    case RESULT_ADDRESS: put_hex(p, p->narrow ? low : (u64)result); break;
    case RESULT_OCTAL: put_format(p, "%#o", low); break;
    case RESULT_TICKS: put_unsigned(p, p->narrow ? low : (u64)result); break;
    case RESULT_FCNTL: result_fcntl(p); break;
    case RESULT_PRCTL: result_prctl(p); break;
    case RESULT_POLL:
        put_signed(p, result);
        result_poll(p);
        break;
    case RESULT_SELECT:
        put_signed(p, result);
        result_select(p, p->arg, p->row->kind[4] != KIND_IN_TIMEVAL, p->row->kind[4] == KIND_IN_TIMESPEC64);
        break;
    case RESULT_SELECT_OLD:
        put_signed(p, result);
        result_select_old(p);
        break;
    case RESULT_SCHED:
        put_format(p, "%u (", low);
        put_name(p, &names_sched, low);
        put_char(p, ')');
        break;
    case RESULT_IOPRIO:
        put_format(p, "%#x (", low);
        put_ioprio(p, low);
        put_char(p, ')');
        break;
    case RESULT_PERSONALITY:
        put_format(p, "%#x (", low);
        put_personality(p, low);
        put_char(p, ')');
        break;
    case RESULT_ADJTIMEX:
        put_signed(p, result);
        put_format(p, " (%s)",
                   names_find(&names_adjtimex, low) != NULL ? names_find(&names_adjtimex, low) : "TIME_???");
        break;
    case RESULT_HANDLER:
        put_hex(p, low);
        if (low <= 1) {
            put_text(p, " (");
            put_handler(p, low);
            put_char(p, ')');
        }
        break;
    case RESULT_THREAD_AREA:
        put_signed(p, result);
        result_thread_area(p);
        break;
    case RESULT_SIGMASK:
    case RESULT_OLD_SIGMASK:
        put_format(p, kind == RESULT_SIGMASK ? "%#x (mask " : "%#x (old mask ", low);
        put_sigset(p, low, 32);
        put_char(p, ')');
        break;
    case RESULT_MEMBARRIER: put_membarrier(p, low); break;
    case RESULT_SIGNAL:
        put_signed(p, result);
        if (result > 0) {
            put_text(p, " (");
            put_signal(p, low);
            put_char(p, ')');
        }
        break;
    case RESULT_TIME:
        put_signed(p, result);
        put_text(p, " (");
        put_date(p, result);
        put_char(p, ')');
        break;
    default: put_signed(p, result);
    }
}

void put_result(struct print *p, bool raw)
{
    i64 result = printed_result(p);
    const struct linux_syscall *inner = p->row != NULL && !raw ? multiplexed_row(p) : NULL;
    enum linux_result kind = inner != NULL ? inner->result : p->row != NULL ? p->row->result : RESULT_INT;
    if (!p->call->returned || kind == RESULT_NONE)
        put_char(p, '?');
    else if (!p->ok && raw)
        put_format(p, "-1 (errno %u)", (unsigned)-result);
    else if (!p->ok)
        put_error(p, (unsigned)-result);
    else if (raw)
        put_hex(p, p->narrow ? (u32)result : (u64)result);
    else
        put_success(p, kind, result);
}
