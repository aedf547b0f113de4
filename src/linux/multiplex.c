/* SPDX-License-Identifier: MIT
 * i386's calls that are many: socketcall and ipc. They are printed as the call inside.
 */
#include "linux/args.h"

enum { SYS_LAST = 20 };

static const char *const socket_calls[SYS_LAST + 1] = {
    NULL,          "socket",     "bind",    "connect", "listen",  "accept",   "getsockname",
    "getpeername", "socketpair", "send",    "recv",    "sendto",  "recvfrom", "shutdown",
    "setsockopt",  "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg"};

enum {
    IPC_SEMOP = 1,
    IPC_SEMGET = 2,
    IPC_SEMCTL = 3,
    IPC_SEMTIMEDOP = 4,
    IPC_MSGSND = 11,
    IPC_MSGRCV = 12,
    IPC_MSGGET = 13,
    IPC_MSGCTL = 14,
    IPC_SHMAT = 21,
    IPC_SHMDT = 22,
    IPC_SHMGET = 23,
    IPC_SHMCTL = 24,
    IPC_LAST = 24
};

static const char *const ipc_calls[IPC_LAST + 1] = {
    [IPC_SEMOP] = "semop",   [IPC_SEMGET] = "semget", [IPC_SEMCTL] = "semctl", [IPC_SEMTIMEDOP] = "semtimedop",
    [IPC_MSGSND] = "msgsnd", [IPC_MSGRCV] = "msgrcv", [IPC_MSGGET] = "msgget", [IPC_MSGCTL] = "msgctl",
    [IPC_SHMAT] = "shmat",   [IPC_SHMDT] = "shmdt",   [IPC_SHMGET] = "shmget", [IPC_SHMCTL] = "shmctl"};
#define IPC_CALL 0xFFFFu

/* The arguments of a socketcall are words in memory. returns: false when they are not known */
static bool read_socket_args(struct print *p, const struct linux_syscall *row, u64 address, u64 *args)
{
    u8 bytes[4 * LINUX_ARGS];
    mem_use_in(p);
    if (!mem_read(p, address, bytes, row->args * 4ul))
        return false;
    for (unsigned n = 0; n < row->args; n++)
        args[n] = load_le32(bytes + 4 * n);
    return true;
}

const struct linux_syscall *multiplexed_row(struct print *p)
{
    u64 call = p->arg[0], args[LINUX_ARGS];
    const char *name = NULL;
    if (p->row->kind[0] == KIND_SOCKETCALL && call <= SYS_LAST)
        name = socket_calls[call];
    else if (p->row->kind[0] == KIND_IPC && (call & IPC_CALL) <= IPC_LAST)
        name = ipc_calls[call & IPC_CALL];
    const struct linux_syscall *row = name != NULL ? linux_syscall_by_name(name) : NULL;
    bool known = row != NULL && (p->row->kind[0] == KIND_IPC || read_socket_args(p, row, p->arg[1], args));
    return known ? row : NULL;
}

void arg_socketcall(struct print *p, unsigned i)
{
    const struct linux_syscall *row = multiplexed_row(p);
    u64 args[LINUX_ARGS] = {0};
    if (row != NULL && read_socket_args(p, row, p->arg[i + 1], args)) {
        put_inner_call(p, row, args);
        return;
    }
    if (names_find(&names_socketcall, p->arg[i]) != NULL)
        put_name(p, &names_socketcall, p->arg[i]);
    else
        put_unsigned(p, p->arg[i]);
    put_next(p);
    put_address(p, p->arg[i + 1]);
}

/* call and version, first, second, third, ptr, fifth: into the order of the call inside. */
void arg_ipc(struct print *p, unsigned i)
{
    const struct linux_syscall *row = multiplexed_row(p);
    u64 first = p->arg[i + 1], second = p->arg[i + 2], third = p->arg[i + 3], pointer = p->arg[i + 4],
        fifth = p->arg[i + 5];
    u64 args[LINUX_ARGS] = {first, second, third, pointer, 0, 0};
    if (row == NULL) {
        for (unsigned n = 0; n < LINUX_ARGS; n++) {
            put_next(p);
            put_hex(p, p->arg[i + n]);
        }
        return;
    }
    switch (p->arg[i] & IPC_CALL) {
    case IPC_SEMOP:
    case IPC_SEMTIMEDOP: args[1] = pointer, args[2] = second, args[3] = fifth; break;
    case IPC_MSGSND: args[1] = pointer, args[2] = second, args[3] = third; break;
    case IPC_MSGRCV: args[1] = pointer, args[2] = second, args[3] = fifth, args[4] = third; break;
    case IPC_MSGCTL:
    case IPC_SHMCTL: args[2] = pointer; break;
    case IPC_SHMAT: args[1] = pointer, args[2] = second; break;
    case IPC_SHMDT: args[0] = pointer; break;
    default: break;
    }
    put_inner_call(p, row, args);
}
