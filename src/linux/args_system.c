/* SPDX-License-Identifier: MIT
 * Arguments of System V and POSIX communication, and of calls about the system as a whole.
 */
#include "linux/args.h"

#define MODE_BITS 0777u

void arg_ipc_key(struct print *p, unsigned i)
{
    if ((u32)p->arg[i] == 0)
        put_text(p, "IPC_PRIVATE");
    else
        put_hex(p, (u32)p->arg[i]);
}

/* Bits, then a mode: "IPC_CREAT|0600". */
static void put_ipc_get(struct print *p, const struct linux_names *names, u32 flags)
{
    if (flags & ~MODE_BITS) {
        put_flags(p, names, flags & ~MODE_BITS);
        put_char(p, '|');
    }
    put_mode(p, flags & MODE_BITS);
}

void arg_ipc_get(struct print *p, unsigned i) { put_ipc_get(p, &names_ipc_get, (u32)p->arg[i]); }

void arg_shm_get(struct print *p, unsigned i) { put_ipc_get(p, &names_shm_get, (u32)p->arg[i]); }

/* i386's structures have 16-bit fields unless IPC_64 is asked for. */
void arg_ipc_command(struct print *p, unsigned i)
{
    enum { IPC_64 = 0x100 };
    u32 command = (u32)p->arg[i];
    if (command & IPC_64)
        put_text(p, "IPC_64|");
    put_name(p, p->names, command & ~(u32)IPC_64);
}

/* A number or an address; ipc, around this call, has the address of it. */
void arg_semctl_argument(struct print *p, unsigned i)
{
    u64 word;
    if (p->depth == 0) {
        put_address(p, p->arg[i]);
        return;
    }
    mem_use_in(p);
    if (!mem_read_word(p, p->arg[i], &word)) {
        put_address(p, p->arg[i]);
        return;
    }
    put_char(p, '[');
    put_hex(p, word);
    put_char(p, ']');
}

static void put_sembuf(struct print *p, const u8 *bytes)
{
    put_format(p, "{sem_num=%u, sem_op=%d, sem_flg=", load_le16(bytes), (i16)load_le16(bytes + 2));
    put_flags(p, &names_semop_flags, load_le16(bytes + 4));
    put_char(p, '}');
}

void arg_sembuf(struct print *p, unsigned i) { put_array(p, p->arg[i], (u32)p->arg[i + 1], 6, put_sembuf); }

/* A long that is the message's type, then size bytes. */
static void put_msgbuf(struct print *p, u64 address, u64 size)
{
    u64 type;
    if (!mem_read_word(p, address, &type)) {
        put_address(p, address);
        return;
    }
    put_format(p, "{mtype=%lld, mtext=", p->word == 4 ? (long long)(i32)type : (long long)type);
    put_buffer(p, address + p->word, size);
    put_char(p, '}');
}

void arg_in_msgbuf(struct print *p, unsigned i) { put_msgbuf(p, p->arg[i], p->arg[i + 1]); }

void arg_out_msgbuf(struct print *p, unsigned i) { put_msgbuf(p, p->arg[i], (u64)printed_result(p)); }

static void arg_mq_attr(struct print *p, unsigned i)
{
    u8 bytes[32];
    if (!put_or_read(p, p->arg[i], bytes, 4 * p->word))
        return;
    put_text(p, "{mq_flags=");
    put_flags(p, &names_open, get_word(p, bytes));
    put_format(p, ", mq_maxmsg=%lld, mq_msgsize=%lld, mq_curmsgs=%lld}", (long long)get_signed_word(p, bytes + p->word),
               (long long)get_signed_word(p, bytes + 2 * p->word), (long long)get_signed_word(p, bytes + 3 * p->word));
}

void arg_in_mq_attr(struct print *p, unsigned i) { arg_mq_attr(p, i); }

void arg_out_mq_attr(struct print *p, unsigned i) { arg_mq_attr(p, i); }

/* Six names of 65 bytes, of which two are shown. */
void arg_utsname(struct print *p, unsigned i)
{
    enum { NAME = 65, LIMIT = NAME - 1 };
    u8 first[2][NAME];
    if (!mem_read(p, p->arg[i], first, sizeof first)) {
        put_address(p, p->arg[i]);
        return;
    }
    for (unsigned n = 0; n < 2; n++) {
        const u8 *end = memchr(first[n], 0, LIMIT);
        put_text(p, n == 0 ? "{sysname=" : ", nodename=");
        put_quoted(p, first[n], end != NULL ? (size_t)(end - first[n]) : LIMIT, false);
    }
    put_text(p, ", ...}");
}

/* struct sysinfo: longs but for procs, a u16 behind the first ten, and mem_unit at the end. */
void arg_sysinfo(struct print *p, unsigned i)
{
    static const char *const sizes[] = {
        ", totalram=", ", freeram=", ", sharedram=", ", bufferram=", ", totalswap=", ", freeswap="};
    u8 bytes[112];
    unsigned word = p->word;
    if (!put_or_read(p, p->arg[i], bytes, word == 8 ? 112 : 64))
        return;
    put_format(p, "{uptime=%lld, loads=[", (long long)get_signed_word(p, bytes));
    for (unsigned n = 1; n <= 3; n++)
        put_format(p, n == 1 ? "%llu" : ", %llu", (unsigned long long)get_word(p, bytes + n * word));
    put_char(p, ']');
    for (unsigned n = 0; n < ARRAY_LEN(sizes); n++)
        put_format(p, "%s%llu", sizes[n], (unsigned long long)get_word(p, bytes + (4 + n) * word));
    const u8 *procs = bytes + 10 * word;
    put_format(p, ", procs=%u", load_le16(procs));
    const u8 *high = procs + word; /* pad, then totalhigh, freehigh, mem_unit */
    put_format(p, ", totalhigh=%llu, freehigh=%llu, mem_unit=%u}", (unsigned long long)get_word(p, high),
               (unsigned long long)get_word(p, high + word), load_le32(high + 2 * word));
}

/* Only a restart with a command has one. */
void arg_reboot_argument(struct print *p, unsigned i)
{
    enum { RESTART2 = 0xA1B2C3D4 };
    if ((u32)p->arg[i - 1] == RESTART2)
        put_string(p, p->arg[i], p->limit);
}

void arg_keyring(struct print *p, unsigned i)
{
    const char *name = names_find(&names_keyring, (u32)p->arg[i]);
    if (name != NULL)
        put_text(p, name);
    else
        put_signed(p, (i32)p->arg[i]);
}

/* Only the actions that read have a buffer, and the level of the console a number. */
void arg_syslog(struct print *p, unsigned i)
{
    enum { READ = 2, READ_CLEAR = 4, CONSOLE_LEVEL = 8 };
    u32 action = (u32)p->arg[i];
    const char *name = names_find(p->names, action);
    put_format(p, "%d /* %s */", (i32)action, name != NULL ? name : "SYSLOG_ACTION_???");
    bool reads = action >= READ && action <= READ_CLEAR;
    if (!reads && action != CONSOLE_LEVEL)
        return;
    put_next(p);
    if (reads && p->ok)
        put_buffer(p, p->arg[i + 1], (u64)printed_result(p));
    else
        put_address(p, p->arg[i + 1]);
    put_next(p);
    put_signed(p, (i32)p->arg[i + 2]);
}

#define CAP_VERSION_1 0x19980330u

void arg_cap_header(struct print *p, unsigned i)
{
    u8 bytes[8];
    if (!put_or_read(p, p->arg[i], bytes, sizeof bytes))
        return;
    put_text(p, "{version=");
    put_name(p, &names_cap_version, load_le32(bytes));
    put_format(p, ", pid=%d}", (i32)load_le32(bytes + 4));
}

/* "1<<CAP_CHOWN|1<<CAP_KILL" */
static void put_capabilities(struct print *p, u64 set)
{
    bool first = true;
    if (p->out == NULL)
        return;
    if (set == 0)
        put_char(p, '0');
    for (unsigned n = 0; n < 64; n++) {
        if (!(set >> n & 1))
            continue;
        const char *name = names_find(&names_capability, n);
        if (name == NULL)
            continue;
        put_format(p, first ? "1<<%s" : "|1<<%s", name);
        first = false;
        set &= ~(1ull << n);
    }
    if (set != 0)
        put_format(p, first ? "%#llx" : "|%#llx", (unsigned long long)set);
}

/* Three sets of 32 bits; later versions have three more with the upper halves. The header says which. */
static void put_cap_data(struct print *p, unsigned i)
{
    static const char *const names[] = {"{effective=", ", permitted=", ", inheritable="};
    u8 header[4] = {0}, bytes[24];
    const struct linux_memory *where = p->memory;
    mem_use_in(p);
    bool old = mem_read(p, p->arg[i - 1], header, sizeof header) && load_le32(header) == CAP_VERSION_1;
    p->memory = where;
    if (!put_or_read(p, p->arg[i], bytes, old ? 12 : 24))
        return;
    for (unsigned n = 0; n < ARRAY_LEN(names); n++) {
        put_text(p, names[n]);
        put_capabilities(p, load_le32(bytes + 4 * n) | (old ? 0 : (u64)load_le32(bytes + 12 + 4 * n) << 32));
    }
    put_char(p, '}');
}

void arg_in_cap_data(struct print *p, unsigned i) { put_cap_data(p, i); }

void arg_out_cap_data(struct print *p, unsigned i)
{
    mem_use_out(p);
    if (p->ok)
        put_cap_data(p, i);
    else
        put_address(p, p->arg[i]);
}
