/* SPDX-License-Identifier: MIT
 * The script's part about sockets: Unix and Internet, streams and datagrams, messages with vectors and descriptors.
 */
#include "exercise.h"

#include <linux/in.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <linux/un.h>

enum { UNIX = 1, INET = 2, INET6 = 10, STREAM = 1, DATAGRAM = 2, SEQPACKET = 5, CLOEXEC = 02000000, NONBLOCK = 04000 };
enum {
    LEVEL_SOCKET = 1,
    REUSEADDR = 2,
    ERROR = 4,
    RCVBUF = 8,
    RCVTIMEO = 20,
    DONTWAIT = 0x40,
    NOSIGNAL = 0x4000,
    PEEK = 2
};

struct message {
    void *name;
    unsigned name_size;
    struct iovec *vector;
    word count;
    void *control;
    word control_size;
    unsigned flags;
};

static char buffer[512];

static struct sockaddr_in loopback(unsigned short port)
{
    return (struct sockaddr_in){
        .sin_family = INET, .sin_port = __builtin_bswap16(port), .sin_addr.s_addr = __builtin_bswap32(0x7F000001)};
}

static void unix_sockets(void)
{
    int fd[2];
    struct iovec out[] = {{"one ", 4}, {"two", 3}}, in[] = {{buffer, 3}, {buffer + 64, 64}};
    struct message sent = {.vector = out, .count = 2}, got = {.vector = in, .count = 2};
    struct sockaddr_un address = {.sun_family = UNIX, .sun_path = "/tmp/exercise.socket"};

    S(socketpair, UNIX, STREAM | CLOEXEC, 0, fd);
    S(sendto, fd[0], "a message", 9, NOSIGNAL, 0, 0);
    S(recvfrom, fd[1], buffer, 3, PEEK, 0, 0);
    S(recvfrom, fd[1], buffer, sizeof buffer, 0, 0, 0);
    S(sendmsg, fd[0], &sent, 0);
    S(recvmsg, fd[1], &got, 0);
    S(recvfrom, fd[1], buffer, sizeof buffer, DONTWAIT, 0, 0);
    S(shutdown, fd[0], 1);
    S(read, fd[1], buffer, sizeof buffer);
    S(close, fd[0]);
    S(sendto, fd[1], "x", 1, NOSIGNAL, 0, 0);
    S(close, fd[1]);

    fd[0] = (int)S(socket, UNIX, STREAM, 0);
    S(bind, fd[0], &address, 2 + 20 + 1);
    S(listen, fd[0], 4);
    fd[1] = (int)S(socket, UNIX, STREAM | NONBLOCK, 0);
    S(connect, fd[1], &address, sizeof address);
    S(close, fd[1]);
    S(close, fd[0]);
    S(connect, 96, &address, sizeof address);
    S(unlink, "/tmp/exercise.socket");
}

static void datagrams(void)
{
    struct sockaddr_in to = loopback(4711), from;
    struct iovec out[] = {{"datagram ", 9}, {"in parts", 8}}, in = {buffer, sizeof buffer};
    struct message sent = {.name = &to, .name_size = sizeof to, .vector = out, .count = 2};
    struct message got = {.name = &from, .name_size = sizeof from, .vector = &in, .count = 1};
    unsigned size = sizeof from;
    int one = 1, receiver = (int)S(socket, INET, DATAGRAM, 0), sender = (int)S(socket, INET, DATAGRAM | CLOEXEC, 17);

    S(setsockopt, receiver, LEVEL_SOCKET, REUSEADDR, &one, sizeof one);
    S(bind, receiver, &to, sizeof to);
    S(sendto, sender, "to loopback", 11, 0, &to, sizeof to);
    S(recvfrom, receiver, buffer, sizeof buffer, 0, &from, &size);
    S(sendmsg, sender, &sent, 0);
    S(recvmsg, receiver, &got, 0);
    S(recvmsg, receiver, &got, DONTWAIT);
    size = sizeof from;
    S(getsockname, receiver, &from, &size);
    size = sizeof from;
    S(getpeername, receiver, &from, &size);
    S(connect, sender, &to, sizeof to);
    size = sizeof from;
    S(getpeername, sender, &from, &size);
    S(close, sender);
    S(close, receiver);
}

static void streams(void)
{
    struct sockaddr_in address = loopback(4712), peer;
    unsigned size = sizeof peer;
    int value = 1, listener = (int)S(socket, INET, STREAM, 6), client, server;

    S(setsockopt, listener, LEVEL_SOCKET, REUSEADDR, &value, sizeof value);
    S(bind, listener, &address, sizeof address);
    S(bind, listener, &address, sizeof address);
    S(listen, listener, 1);
    client = (int)S(socket, INET, STREAM, 0);
    S(connect, client, &address, sizeof address);
    server = (int)S(accept4, listener, &peer, &size, CLOEXEC);
    S(sendto, client, "GET / HTTP/1.0\r\n\r\n", 18, 0, 0, 0);
    S(recvfrom, server, buffer, sizeof buffer, 0, 0, 0);
    S(write, server, "200 OK\r\n", 8);
    S(read, client, buffer, sizeof buffer);
    size = sizeof value;
    S(getsockopt, client, LEVEL_SOCKET, ERROR, &value, &size);
    S(shutdown, server, 2);
    S(close, server);
    S(close, client);
    S(close, listener);
    client = (int)S(socket, INET, STREAM, 0);
    address.sin_port = __builtin_bswap16(9);
    S(connect, client, &address, sizeof address);
    S(close, client);
    S(socket, INET, SEQPACKET, 0);
    S(socket, 77, STREAM, 0);
    S(accept4, 95, 0, 0, 0);
#ifndef __x86_64__
    word arguments[3] = {UNIX, DATAGRAM, 0};
    server = (int)S(socketcall, 1, arguments);
    S(close, server);
#endif
}

void exercise_sockets(void)
{
    unix_sockets();
    datagrams();
    streams();
}
