/* SPDX-License-Identifier: MIT
 * Arguments of calls that control a running task: prctl, futexes, scheduling, personality.
 */
#include "linux/args.h"

enum {
    PR_SET_PDEATHSIG = 1,
    PR_GET_PDEATHSIG = 2,
    PR_GET_DUMPABLE = 3,
    PR_SET_DUMPABLE = 4,
    PR_GET_KEEPCAPS = 7,
    PR_SET_KEEPCAPS = 8,
    PR_GET_TIMING = 13,
    PR_SET_NAME = 15,
    PR_GET_NAME = 16,
    PR_GET_SECCOMP = 21,
    PR_SET_SECCOMP = 22,
    PR_CAPBSET_READ = 23,
    PR_CAPBSET_DROP = 24,
    PR_GET_TSC = 25,
    PR_GET_SECUREBITS = 27,
    PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK = 30,
    PR_MCE_KILL_GET = 34,
    PR_SET_MM = 35,
    PR_SET_VMA = 0x53564D41,
    PR_SET_CHILD_SUBREAPER = 36,
    PR_GET_CHILD_SUBREAPER = 37,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS = 39,
    PR_GET_TID_ADDRESS = 40,
    PR_SET_THP_DISABLE = 41,
    PR_GET_THP_DISABLE = 42,
    PR_CAP_AMBIENT = 47,
    PR_GET_IO_FLUSHER = 58,
};

/* The arguments behind the option that mean something, as plain numbers. */
static void put_prctl_numbers(struct print *p, unsigned i, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        put_next(p);
        put_hex(p, p->arg[i + n]);
    }
}

static void put_prctl_stored(struct print *p, u64 address, bool is_signal)
{
    u8 number[4];
    mem_use_out(p);
    put_next(p);
    if (!p->ok) {
        put_address(p, address);
        return;
    }
    if (!put_or_read(p, address, number, sizeof number))
        return;
    put_char(p, '[');
    if (is_signal)
        put_signal(p, load_le32(number));
    else
        put_signed(p, (i32)load_le32(number));
    put_char(p, ']');
}

static void put_prctl_name(struct print *p, u64 address, bool given)
{
    enum { COMM_LIMIT = 15 };
    put_next(p);
    if (given) {
        mem_use_in(p);
        put_string(p, address, COMM_LIMIT);
        return;
    }
    mem_use_out(p);
    if (p->ok)
        put_string(p, address, p->limit);
    else
        put_address(p, address);
}

/* What is to be set, address, size, and a name. */
static void put_prctl_vma(struct print *p, unsigned i)
{
    enum { ANON_NAME = 0 };
    put_next(p);
    if (p->arg[i] != ANON_NAME) {
        put_hex(p, p->arg[i]);
        put_prctl_numbers(p, i + 1, 3);
        return;
    }
    put_text(p, "PR_SET_VMA_ANON_NAME");
    put_next(p);
    put_address(p, p->arg[i + 1]);
    put_next(p);
    put_unsigned(p, p->arg[i + 2]);
    put_next(p);
    mem_use_in(p);
    put_string(p, p->arg[i + 3], p->limit);
}

void arg_prctl(struct print *p, unsigned i)
{
    u32 option = (u32)p->arg[i];
    u64 argument = p->arg[i + 1];
    put_name(p, &names_prctl, option);
    switch (option) {
    case PR_GET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_GET_TIMING:
    case PR_GET_SECCOMP:
    case PR_GET_SECUREBITS:
    case PR_GET_TIMERSLACK: return;
    case PR_SET_PDEATHSIG:
        put_next(p);
        put_signal(p, (u32)argument);
        return;
    case PR_GET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER: put_prctl_stored(p, argument, option == PR_GET_PDEATHSIG); return;
    case PR_SET_NAME:
    case PR_GET_NAME: put_prctl_name(p, argument, option == PR_SET_NAME); return;
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
        put_next(p);
        put_name(p, &names_capability, argument);
        return;
    case PR_SET_DUMPABLE:
        put_next(p);
        put_name(p, &names_dumpable, argument);
        return;
    case PR_SET_MM:
        put_next(p);
        put_name(p, &names_prctl_mm, argument);
        put_prctl_numbers(p, i + 2, 3);
        return;
    case PR_SET_VMA: put_prctl_vma(p, i + 1); return;
    case PR_SET_SECCOMP:
        put_next(p);
        put_name(p, &names_seccomp_mode, argument);
        if (argument == 2) {
            put_next(p);
            put_address(p, p->arg[i + 2]);
        }
        return;
    case PR_SET_KEEPCAPS:
    case PR_SET_TIMERSLACK:
    case PR_SET_CHILD_SUBREAPER:
        put_next(p);
        put_unsigned(p, argument);
        return;
    case PR_SET_NO_NEW_PRIVS:
    case PR_SET_THP_DISABLE:
        put_next(p);
        put_unsigned(p, argument);
        put_prctl_numbers(p, i + 2, 3);
        return;
    case PR_GET_NO_NEW_PRIVS:
    case PR_GET_THP_DISABLE:
    case PR_MCE_KILL_GET:
    case PR_GET_IO_FLUSHER: put_prctl_numbers(p, i + 1, 4); return;
    default: put_prctl_numbers(p, i + 1, 4);
    }
}

void result_prctl(struct print *p)
{
    u32 option = (u32)p->arg[0], result = (u32)printed_result(p);
    const char *name = NULL;
    put_signed(p, printed_result(p));
    if (option == PR_GET_DUMPABLE)
        name = names_find(&names_dumpable, result);
    if (name != NULL)
        put_format(p, " (%s)", name);
}

/* Two descriptors are compared only where files are. */
void arg_kcmp(struct print *p, unsigned i)
{
    enum { FILE = 0 };
    put_name(p, p->names, (u32)p->arg[i]);
    for (unsigned n = 1; n <= 2 && (u32)p->arg[i] == FILE; n++) {
        put_next(p);
        put_signed(p, (i32)p->arg[i + n]);
    }
}

/* Address and data of the requests that have them are numbers here. */
void arg_ptrace(struct print *p, unsigned i)
{
    enum { TRACEME = 0, KILL = 8, ATTACH = 16, INTERRUPT = 0x4207, LISTEN = 0x4208 };
    u32 request = (u32)p->arg[i];
    put_name(p, p->names, request);
    if (request == TRACEME)
        return;
    put_next(p);
    put_signed(p, (i32)p->arg[i + 1]);
    if (request == KILL || request == ATTACH || request == INTERRUPT || request == LISTEN)
        return;
    put_next(p);
    put_address(p, p->arg[i + 2]);
    put_next(p);
    put_address(p, p->arg[i + 3]);
}

enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_FD = 2,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAKE_OP = 5,
    FUTEX_LOCK_PI = 6,
    FUTEX_UNLOCK_PI = 7,
    FUTEX_TRYLOCK_PI = 8,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_WAIT_REQUEUE_PI = 11,
    FUTEX_CMP_REQUEUE_PI = 12,
    FUTEX_LOCK_PI2 = 13,
    FUTEX_PRIVATE = 128,
    FUTEX_CLOCK_REALTIME = 256
};

/* "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME" */
static void put_futex_operation(struct print *p, u32 operation)
{
    u32 command = operation & ~(u32)(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    const char *name = names_find(&names_futex, command);
    if (name == NULL) {
        put_name(p, &names_futex, operation);
        return;
    }
    put_format(p, "%s%s%s", name, operation & FUTEX_PRIVATE ? "_PRIVATE" : "",
               operation & FUTEX_CLOCK_REALTIME ? "|FUTEX_CLOCK_REALTIME" : "");
}

static void put_futex_timeout(struct print *p, u64 address)
{
    struct linux_time time;
    put_next(p);
    if (time_read(p, address, p->call->number == 422 && p->narrow, &time))
        put_timespec(p, &time);
    else
        put_address(p, address);
}

static void put_futex_unsigned(struct print *p, u64 value)
{
    put_next(p);
    put_unsigned(p, (u32)value);
}

static void put_futex_address(struct print *p, u64 address)
{
    put_next(p);
    put_address(p, address);
}

/* "FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_GT<<24|0x1" */
static void put_futex_wake_operation(struct print *p, u32 value)
{
    put_next(p);
    if (value >> 31 & 1)
        put_text(p, "FUTEX_OP_OPARG_SHIFT<<28|");
    put_name(p, &names_futex_operation, value >> 28 & 7);
    put_format(p, "<<28|%#x<<12|", value >> 12 & 0xFFF);
    put_name(p, &names_futex_compare, value >> 24 & 0xF);
    put_format(p, "<<24|%#x", value & 0xFFF);
}

static void put_futex_bitset(struct print *p, u32 bits)
{
    put_next(p);
    const char *name = names_find(&names_futex_bitset, bits);
    if (name != NULL)
        put_text(p, name);
    else
        put_hex(p, bits);
}

/* uaddr, operation, val, timeout or val2, uaddr2, val3: which of them count depends on the operation. */
void arg_futex(struct print *p, unsigned i)
{
    const u64 *arg = p->arg + i;
    u32 operation = (u32)arg[1];
    put_address(p, arg[0]);
    put_next(p);
    put_futex_operation(p, operation);
    switch (operation & ~(u32)(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) {
    case FUTEX_WAIT:
        put_futex_unsigned(p, arg[2]);
        put_futex_timeout(p, arg[3]);
        return;
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: put_futex_timeout(p, arg[3]); return;
    case FUTEX_WAKE:
    case FUTEX_FD:
        put_next(p);
        put_signed(p, (i32)arg[2]);
        return;
    case FUTEX_UNLOCK_PI:
    case FUTEX_TRYLOCK_PI: return;
    case FUTEX_REQUEUE:
        put_futex_unsigned(p, arg[2]);
        put_futex_unsigned(p, arg[3]);
        put_futex_address(p, arg[4]);
        return;
    case FUTEX_CMP_REQUEUE:
    case FUTEX_CMP_REQUEUE_PI:
        put_futex_unsigned(p, arg[2]);
        put_futex_unsigned(p, arg[3]);
        put_futex_address(p, arg[4]);
        put_futex_unsigned(p, arg[5]);
        return;
    case FUTEX_WAKE_OP:
        put_futex_unsigned(p, arg[2]);
        put_futex_unsigned(p, arg[3]);
        put_futex_address(p, arg[4]);
        put_futex_wake_operation(p, (u32)arg[5]);
        return;
    case FUTEX_WAIT_BITSET:
        put_futex_unsigned(p, arg[2]);
        put_futex_timeout(p, arg[3]);
        put_futex_bitset(p, (u32)arg[5]);
        return;
    case FUTEX_WAKE_BITSET:
        put_futex_unsigned(p, arg[2]);
        put_futex_bitset(p, (u32)arg[5]);
        return;
    case FUTEX_WAIT_REQUEUE_PI:
        put_futex_unsigned(p, arg[2]);
        put_futex_timeout(p, arg[3]);
        put_futex_address(p, arg[4]);
        return;
    default:
        put_futex_unsigned(p, arg[2]);
        put_futex_address(p, arg[3]);
        put_futex_address(p, arg[4]);
        put_next(p);
        put_hex(p, (u32)arg[5]);
    }
}

static void put_sched_param(struct print *p, const u8 *bytes) { put_signed(p, (i32)load_le32(bytes)); }

void arg_in_sched_param(struct print *p, unsigned i) { put_array(p, p->arg[i], 1, 4, put_sched_param); }

void arg_out_sched_param(struct print *p, unsigned i) { put_array(p, p->arg[i], 1, 4, put_sched_param); }

/* "[0 1 3]": processors of a set of size bytes; only the first 4096 processors are looked at. */
static void put_cpu_set(struct print *p, u64 address, u64 size)
{
    u8 bytes[512];
    size = size < sizeof bytes ? size : sizeof bytes;
    if (!put_or_read(p, address, bytes, (size_t)size))
        return;
    put_char(p, '[');
    bool first = true;
    for (unsigned n = 0; n < size * 8 && p->out != NULL; n++) {
        if (!(bytes[n / 8] >> (n % 8) & 1))
            continue;
        put_format(p, first ? "%u" : " %u", n);
        first = false;
    }
    put_char(p, ']');
}

void arg_in_cpu_set(struct print *p, unsigned i) { put_cpu_set(p, p->arg[i], (u32)p->arg[i - 1]); }

/* The result says how many bytes were filled. */
void arg_out_cpu_set(struct print *p, unsigned i) { put_cpu_set(p, p->arg[i], (u64)printed_result(p)); }

void put_ioprio(struct print *p, u32 priority)
{
    enum { CLASS_SHIFT = 13, DATA = 0x1FFF };
    put_text(p, "IOPRIO_PRIO_VALUE(");
    put_name(p, &names_ioprio_class, priority >> CLASS_SHIFT);
    put_format(p, ", %u)", priority & DATA);
}

void arg_ioprio(struct print *p, unsigned i) { put_ioprio(p, (u32)p->arg[i]); }

void put_personality(struct print *p, u32 personality)
{
    enum { TYPE = 0xFF };
    put_name(p, &names_personality, personality & TYPE);
    put_more_flags(p, &names_personality_flags, personality & ~(u32)TYPE);
}

/* Asked for 0xffffffff the call changes nothing. */
void arg_personality(struct print *p, unsigned i)
{
    if ((u32)p->arg[i] == ~0u)
        put_hex(p, 0xFFFFFFFF);
    else
        put_personality(p, (u32)p->arg[i]);
}
