/* SPDX-License-Identifier: MIT
 * Arguments of calls that make, run, wait for and limit processes.
 */
#include "linux/args.h"

enum {
    CLONE_VM = 0x100,
    CLONE_PIDFD = 0x1000,
    CLONE_SETTLS = 0x80000,
    CLONE_PARENT_SETTID = 0x100000,
    CLONE_CHILD_CLEARTID = 0x200000,
    CLONE_CHILD_SETTID = 0x1000000,
    CLONE_SIGNAL = 0xFF,
};

static void put_clone_flags(struct print *p, u64 flags)
{
    u32 signal = flags & CLONE_SIGNAL;
    flags &= ~(u64)CLONE_SIGNAL;
    if (flags != 0)
        put_flags(p, &names_clone, flags);
    if (signal != 0 && flags != 0)
        put_char(p, '|');
    if (signal != 0)
        put_signal(p, signal);
    if (signal == 0 && flags == 0)
        put_char(p, '0');
}

/* A number that the kernel has stored: "[1234]"; else where it is to be. */
static void put_stored_int(struct print *p, u64 address)
{
    u8 number[4];
    mem_use_out(p);
    if (!p->ok)
        put_address(p, address);
    else if (put_or_read(p, address, number, sizeof number))
        put_format(p, "[%d]", (i32)load_le32(number));
}

/* i386: flags, stack, parent's id, TLS, child's id; amd64 has the last two the other way round. */
void arg_clone(struct print *p, unsigned i)
{
    u64 flags = p->arg[i], parent = p->arg[i + 2];
    u64 tls = p->arg[i + (p->narrow ? 3 : 4)], child = p->arg[i + (p->narrow ? 4 : 3)];
    put_text(p, "child_stack=");
    put_address(p, p->arg[i + 1]);
    put_next(p);
    put_text(p, "flags=");
    put_clone_flags(p, flags);
    if (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) {
        put_next(p);
        put_text(p, "parent_tid=");
        put_stored_int(p, parent);
    }
    if (flags & CLONE_SETTLS) {
        put_next(p);
        put_text(p, "tls=");
        if (p->narrow && p->ok)
            put_user_desc_at(p, tls);
        else
            put_hex(p, tls);
    }
    if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
        put_next(p);
        put_text(p, "child_tidptr=");
        put_address(p, child);
    }
}

/* What clone3 has stored, behind its structure. */
static void put_clone3_results(struct print *p, u64 flags, u64 pidfd, u64 parent)
{
    u8 number[4];
    const char *before = " => {";
    mem_use_out(p);
    if (!p->ok)
        return;
    if (flags & CLONE_PIDFD && mem_read(p, pidfd, number, sizeof number)) {
        put_format(p, "%spidfd=[%d]", before, (i32)load_le32(number));
        before = ", ";
    }
    if (flags & CLONE_PARENT_SETTID && mem_read(p, parent, number, sizeof number)) {
        put_format(p, "%sparent_tid=[%d]", before, (i32)load_le32(number));
        before = ", ";
    }
    if (before[0] == ',')
        put_char(p, '}');
}

static void put_clone3_stack(struct print *p, u64 stack, u64 size)
{
    put_text(p, ", stack=");
    put_address(p, stack);
    put_text(p, ", stack_size=");
    put_hex(p, size);
}

/* struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size,
 * cgroup, of 64 bits each. */
void arg_clone3(struct print *p, unsigned i)
{
    enum {
        FLAGS,
        PIDFD,
        CHILD_TID,
        PARENT_TID,
        EXIT_SIGNAL,
        STACK,
        STACK_SIZE,
        TLS,
        SET_TID,
        SET_TID_SIZE,
        CGROUP,
        FIELDS
    };
    enum { FIELDS_LEAST = SET_TID };
    u8 bytes[FIELDS * 8] = {0};
    u64 size = p->arg[i + 1], field[FIELDS];
    if (size < FIELDS_LEAST * 8) {
        put_address(p, p->arg[i]);
        return;
    }
    if (!put_or_read(p, p->arg[i], bytes, size < sizeof bytes ? (size_t)size & ~7ul : sizeof bytes))
        return;
    for (unsigned n = 0; n < FIELDS; n++)
        field[n] = load_le64(bytes + 8 * n);
    put_text(p, "{flags=");
    put_flags(p, &names_clone, field[FLAGS]);
    if (field[FLAGS] & CLONE_PIDFD) {
        put_text(p, ", pidfd=");
        put_address(p, field[PIDFD]);
    }
    if (field[FLAGS] & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
        put_text(p, ", child_tid=");
        put_address(p, field[CHILD_TID]);
    }
    if (field[FLAGS] & CLONE_PARENT_SETTID) {
        put_text(p, ", parent_tid=");
        put_address(p, field[PARENT_TID]);
    }
    put_text(p, ", exit_signal=");
    put_signal(p, (u32)field[EXIT_SIGNAL]);
    put_clone3_stack(p, field[STACK], field[STACK_SIZE]);
    if (field[FLAGS] & CLONE_SETTLS) {
        put_text(p, ", tls=");
        put_address(p, field[TLS]);
    }
    put_text(p, size > sizeof bytes ? ", ...}" : "}");
    put_clone3_results(p, field[FLAGS], field[PIDFD], field[PARENT_TID]);
}

/* Pointers to strings, up to one that is NULL. */
void arg_argv(struct print *p, unsigned i)
{
    u64 address = p->arg[i], string;
    if (address == 0) {
        put_text(p, "NULL");
        return;
    }
    for (unsigned n = 0;; n++, address += p->word) {
        if (!mem_read_word(p, address, &string)) {
            if (n == 0) {
                put_address(p, address);
                return;
            }
            put_format(p, ", ... /* %#llx */", (unsigned long long)address);
            break;
        }
        if (string == 0) {
            if (n == 0)
                put_char(p, '[');
            break;
        }
        put_text(p, n == 0 ? "[" : ", ");
        if (n >= p->limit) {
            put_text(p, "...");
            break;
        }
        put_string(p, string, p->limit);
    }
    put_char(p, ']');
}

/* The environment is counted. */
void arg_envp(struct print *p, unsigned i)
{
    enum { MOST = 4096 };
    u64 address = p->arg[i], string = 0;
    unsigned count = 0;
    put_address(p, address);
    if (address == 0)
        return;
    while (count < MOST) {
        if (!mem_read_word(p, address + (u64)count * p->word, &string)) {
            if (count != 0)
                put_format(p, " /* %u vars, unterminated */", count);
            return;
        }
        if (string == 0)
            break;
        count++;
    }
    put_format(p, string != 0 ? " /* %u vars and more */" : count == 1 ? " /* %u var */" : " /* %u vars */", count);
}

/* "[{WIFEXITED(s) && WEXITSTATUS(s) == 1}]" */
void arg_wait_status(struct print *p, unsigned i)
{
    enum { STOPPED = 0x7F, CONTINUED = 0xFFFF, CORE = 0x80 };
    u8 bytes[4];
    if (printed_result(p) == 0) {
        put_address(p, p->arg[i]);
        return;
    }
    if (!put_or_read(p, p->arg[i], bytes, sizeof bytes))
        return;
    u32 status = load_le32(bytes), code = status >> 8 & 0xFF, end = status & 0x7F;
    if (status == CONTINUED) {
        put_text(p, "[{WIFCONTINUED(s)}]");
    } else if ((status & 0xFF) == STOPPED) {
        put_text(p, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        put_signal(p, code & 0x7F);
        put_text(p, code & 0x80 ? " | 0x80}]" : "}]");
    } else if (end != 0) {
        put_text(p, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        put_signal(p, end);
        put_text(p, status & CORE ? " && WCOREDUMP(s)}]" : "}]");
    } else {
        put_format(p, "[{WIFEXITED(s) && WEXITSTATUS(s) == %u}]", code);
    }
}

void arg_rusage(struct print *p, unsigned i)
{
    u8 bytes[144];
    struct linux_time time;
    size_t size = time_size(p, false);
    if (!put_or_read(p, p->arg[i], bytes, 2 * size + 14 * (p->narrow ? 4 : 8)))
        return;
    put_text(p, "{ru_utime=");
    time_get(p, bytes, false, &time);
    put_timeval(p, &time);
    put_text(p, ", ru_stime=");
    time_get(p, bytes + size, false, &time);
    put_timeval(p, &time);
    put_text(p, ", ...}");
}

/* P_PIDFD waits for a descriptor, the others for a process or group. */
void arg_id(struct print *p, unsigned i) { put_signed(p, (i32)p->arg[i]); }

static void put_limit(struct print *p, u64 limit, bool wide)
{
    u64 infinity = wide ? ~0ull : 0xFFFFFFFF;
    if (limit == infinity)
        put_text(p, wide ? "RLIM64_INFINITY" : "RLIM_INFINITY");
    else if (limit > 1024 && limit % 1024 == 0)
        put_format(p, "%llu*1024", (unsigned long long)(limit / 1024));
    else
        put_unsigned(p, limit);
}

/* in: wide  fields have 64 bits whatever the caller's words are (prlimit64) */
static void put_rlimit(struct print *p, u64 address, bool wide)
{
    u8 bytes[16];
    size_t size = wide || !p->narrow ? 8 : 4;
    if (!put_or_read(p, address, bytes, 2 * size))
        return;
    for (unsigned n = 0; n < 2; n++) {
        u64 limit = size == 8 ? load_le64(bytes + 8 * n) : load_le32(bytes + 4 * n);
        put_text(p, n == 0 ? "{rlim_cur=" : ", rlim_max=");
        put_limit(p, limit, size == 8);
    }
    put_char(p, '}');
}

void arg_in_rlimit(struct print *p, unsigned i) { put_rlimit(p, p->arg[i], false); }

void arg_out_rlimit(struct print *p, unsigned i) { put_rlimit(p, p->arg[i], false); }

void arg_in_rlimit64(struct print *p, unsigned i) { put_rlimit(p, p->arg[i], true); }

void arg_out_rlimit64(struct print *p, unsigned i) { put_rlimit(p, p->arg[i], true); }
