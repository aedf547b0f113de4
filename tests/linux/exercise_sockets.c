/* SPDX-License-Identifier: MIT
 * Calls about sockets.
 */
#include "exercise.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static char buffer[4096];
static struct sockaddr_storage peer;
static socklen_t length;

static void addresses(void)
{
    static struct sockaddr_un path = {AF_UNIX, "/nonexistent/socket"}, hidden = {AF_UNIX, "\0hidden\1"};
    static struct sockaddr_in here = {.sin_family = AF_INET};
    static struct sockaddr_in6 there = {.sin6_family = AF_INET6};
    static struct sockaddr_nl netlink = {.nl_family = AF_NETLINK, .nl_pid = 5, .nl_groups = 17};
    static struct sockaddr_ll packet = {.sll_family = AF_PACKET, .sll_ifindex = 9999, .sll_protocol = 0x0300};
    static struct sockaddr other = {77, "\1\2\3"};
    here.sin_port = htons(9);
    here.sin_addr.s_addr = htonl(0x7F000001);
    there.sin6_port = htons(443);
    A64(socket, AF_INET, SOCK_STREAM, 0);
    A64(socket, AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    A64(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    A64(socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    A64(socket, AF_PACKET, SOCK_RAW, 0x300);
    A64(socket, 99, 9, 9);
    A64(socket, AF_INET, SOCK_RAW | 0x100000, 77);
    A64(bind, -1, P(&path), sizeof path);
    A64(bind, -1, P(&path), 5);
    A64(bind, -1, P(&hidden), 10);
    A64(bind, -1, P(&hidden), 2);
    A64(connect, -1, P(&here), sizeof here);
    A64(connect, -1, P(&there), sizeof there);
    inet_pton(AF_INET6, "fe80::1:0:0:5", &there.sin6_addr);
    there.sin6_scope_id = 9999;
    A64(connect, -1, P(&there), sizeof there);
    inet_pton(AF_INET6, "::ffff:1.2.3.4", &there.sin6_addr);
    A64(connect, -1, P(&there), sizeof there);
    inet_pton(AF_INET6, "::1", &there.sin6_addr);
    A64(connect, -1, P(&there), sizeof there);
    inet_pton(AF_INET6, "2001:db8:0:1:2:3:4:5", &there.sin6_addr);
    A64(connect, -1, P(&there), 24);
    inet_pton(AF_INET6, "1:0:0:2::", &there.sin6_addr);
    A64(connect, -1, P(&there), sizeof there);
    A64(bind, -1, P(&netlink), sizeof netlink);
    A64(bind, -1, P(&packet), sizeof packet);
    packet.sll_halen = 6;
    memcpy(packet.sll_addr, "\1\2\3\4\5\6", 6);
    A64(bind, -1, P(&packet), sizeof packet);
    A64(connect, -1, P(&other), sizeof other);
    A64(connect, -1, P(&other), 2);
    A64(connect, -1, P(&other), 0);
    A64(connect, -1, P(bad_page), 16);
    A64(connect, -1, 0, 16);
}

static void streams(void)
{
    static struct sockaddr_in here = {.sin_family = AF_INET};
    static int fds[2];
    long server = A64(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    here.sin_addr.s_addr = htonl(0x7F000001);
    A64(bind, server, P(&here), sizeof here);
    A64(listen, server, 5);
    length = sizeof here;
    getsockname((int)server, (struct sockaddr *)&here, &length);
    long client = A64(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    A64(connect, client, P(&here), sizeof here);
    length = sizeof peer;
    long accepted = A64(accept, server, P(&peer), P(&length));
    A64(accept4, -1, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
    length = sizeof peer;
    A64(getsockname, client, P(&peer), P(&length));
    length = 4;
    A64(getpeername, client, P(&peer), P(&length));
    length = 100;
    A64(getpeername, server, P(&peer), P(&length));
    A64(sendto, client, P("hello"), 5, MSG_NOSIGNAL, 0, 0);
    length = sizeof peer;
    A64(recvfrom, accepted, P(buffer), sizeof buffer, 0, P(&peer), P(&length));
    A64(recvfrom, accepted, P(buffer), sizeof buffer, MSG_DONTWAIT, 0, 0);
    A64(shutdown, client, SHUT_RDWR);
    A64(shutdown, client, 9);
    A64(socketpair, AF_UNIX, SOCK_DGRAM, 0, P(fds));
    A64(socketpair, AF_UNIX, SOCK_DGRAM, 0, P(bad_page));
    length = sizeof peer;
    A64(getsockname, fds[0], P(&peer), P(&length));
    long datagram = A64(socket, AF_INET, SOCK_DGRAM, 0);
    here.sin_port = htons(9);
    A64(sendto, datagram, P("datagram"), 8, 0, P(&here), sizeof here);
    A64(recvfrom, datagram, P(buffer), 10, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC, P(&peer), P(&length));
}

static void options(void)
{
    static int value = 1;
    static struct linger linger = {1, 5};
    static struct timeval time = {2, 3};
    static struct ucred credentials;
    long fd = A64(socket, AF_INET, SOCK_STREAM, 0);
    A64(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, P(&value), 4);
    A64(setsockopt, fd, SOL_SOCKET, SO_LINGER, P(&linger), sizeof linger);
    A64(setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, P(&time), sizeof time);
    A64(setsockopt, fd, SOL_SOCKET, SO_BINDTODEVICE, P("lo"), 3);
    A64(setsockopt, fd, SOL_SOCKET, 999, P("abc"), 3);
    A64(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, P(&value), 4);
    A64(setsockopt, fd, IPPROTO_IP, IP_TTL, P(&value), 4);
    A64(setsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, P(&value), 4);
    A64(setsockopt, fd, SOL_NETLINK, 10, P(&value), 4);
    A64(setsockopt, fd, 9999, 5, P(&value), 4);
    A64(setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, P(bad_page), 4);
    A64(setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, P(&value), 2);
    length = 4;
    A64(getsockopt, fd, SOL_SOCKET, SO_ERROR, P(&value), P(&length));
    A64(getsockopt, fd, SOL_SOCKET, SO_TYPE, P(&value), P(&length));
    A64(getsockopt, fd, IPPROTO_TCP, TCP_MAXSEG, P(&value), P(&length));
    length = sizeof linger;
    A64(getsockopt, fd, SOL_SOCKET, SO_LINGER, P(&linger), P(&length));
    length = sizeof credentials;
    A64(getsockopt, fd, SOL_SOCKET, SO_PEERCRED, P(&credentials), P(&length));
    length = 64;
    A64(getsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, P(buffer), P(&length));
    length = 64;
    A64(getsockopt, fd, SOL_SOCKET, SO_RCVBUF, P(buffer), P(&length));
    A64(getsockopt, -1, SOL_SOCKET, SO_RCVBUF, P(buffer), P(&length));
    A64(getsockopt, fd, SOL_SOCKET, SO_RCVBUF, P(buffer), P(bad_page));
}

static void messages(void)
{
    static struct iovec parts[2] = {{(void *)"first", 5}, {(void *)"second", 6}},
                        room[2] = {{buffer, 8}, {buffer + 100, 50}};
    static union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr header;
    } control;
    static struct sockaddr_in here = {.sin_family = AF_INET};
    static struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2}, received = {.msg_iov = room, .msg_iovlen = 2};
    static struct mmsghdr several[2], arrived[2];
    static struct timespec time;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0)
        return;
    A64(sendmsg, fds[0], P(&message), 0);
    received.msg_name = &peer;
    received.msg_namelen = sizeof peer;
    A64(recvmsg, fds[1], P(&received), 0);
    control.header.cmsg_len = CMSG_LEN(2 * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    ((int *)CMSG_DATA(&control.header))[1] = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    A64(sendmsg, fds[0], P(&message), MSG_NOSIGNAL);
    received.msg_control = buffer + 1000;
    received.msg_controllen = 100;
    received.msg_name = NULL;
    A64(recvmsg, fds[1], P(&received), MSG_CMSG_CLOEXEC);
    A64(recvmsg, fds[1], P(&received), MSG_DONTWAIT);
    A64(sendmsg, fds[0], P(bad_page), 0);
    message.msg_control = NULL;
    message.msg_name = &here;
    message.msg_namelen = sizeof here;
    A64(sendmsg, -1, P(&message), 0);
    message.msg_name = NULL;
    several[0].msg_hdr.msg_iov = parts;
    several[0].msg_hdr.msg_iovlen = 2;
    several[1].msg_hdr.msg_iov = parts;
    several[1].msg_hdr.msg_iovlen = 1;
    A64(sendmmsg, fds[0], P(several), 2, 0);
    A64(sendmmsg, -1, P(several), 2, 0);
    arrived[0].msg_hdr.msg_iov = room;
    arrived[0].msg_hdr.msg_iovlen = 2;
    arrived[1].msg_hdr.msg_iov = room;
    arrived[1].msg_hdr.msg_iovlen = 1;
    A64(recvmmsg, fds[1], P(arrived), 2, MSG_DONTWAIT, 0);
    A64(recvmmsg, fds[1], P(arrived), 2, MSG_DONTWAIT, P(&time));
}

static void interfaces(void)
{
    static struct ifreq request = {.ifr_name = "lo"}, none = {.ifr_name = "nosuch0"};
    long fd = A64(socket, AF_INET, SOCK_DGRAM, 0);
    A64(ioctl, fd, SIOCGIFFLAGS, P(&request));
    A64(ioctl, fd, SIOCGIFADDR, P(&request));
    A64(ioctl, fd, SIOCGIFNETMASK, P(&request));
    A64(ioctl, fd, SIOCGIFHWADDR, P(&request));
    A64(ioctl, fd, SIOCGIFMTU, P(&request));
    A64(ioctl, fd, SIOCGIFMETRIC, P(&request));
    A64(ioctl, fd, SIOCGIFTXQLEN, P(&request));
    A64(ioctl, fd, SIOCGIFINDEX, P(&request));
    A64(ioctl, fd, SIOCGIFFLAGS, P(&none));
    none.ifr_mtu = 1500;
    A64(ioctl, fd, SIOCSIFMTU, P(&none));
    A64(ioctl, fd, SIOCSIFFLAGS, P(&none));
    A64(ioctl, fd, SIOCGIFFLAGS, P(bad_page));
}

void exercise_sockets(void)
{
    interfaces();
    addresses();
    streams();
    options();
    messages();
}
