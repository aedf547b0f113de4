/* SPDX-License-Identifier: MIT
 * User networking: a network of its own for the guest, behind which this program speaks for it with ordinary sockets.
 * The protocols are libslirp's. The guest gets 10.0.2.15 by DHCP; the host is 10.0.2.2, the name server 10.0.2.3. IPv6
 * is there, too: fec0::/64 by router advertisement, the host fec0::2, the name server fec0::3.
 *
 * All of it is outside the machine: host time and sockets. What it sends to the guest reaches it by the input port
 * only.
 */
#ifndef RINGSIDE_NET_USER_H
#define RINGSIDE_NET_USER_H

#include "base/error.h"
#include "bus/net.h"

#define NET_FORWARDS_MAX 32u

/* A port of the host whose connections go to a port of the guest. Addresses in host byte order. */
struct net_forward {
    bool udp;
    u32 host, guest; /* 0: every address of the host; the guest's first DHCP address */
    u16 host_port, guest_port;
};

struct net_user_options {
    struct net_forward forward[NET_FORWARDS_MAX];
    unsigned forwards;
    bool restricted; /* the guest reaches nothing but what is forwarded to it */
};

/* Read one option of a user network: "hostfwd=tcp:[HOST]:PORT-[GUEST]:PORT", "restrict=on".
 * returns: false with err set (EXIT_USAGE) */
bool net_user_option(struct net_user_options *options, const char *text, struct error *err);

struct net_user;

/* returns: NULL with err set (EXIT_FILE): a port that is to be forwarded is taken */
struct net_user *net_user_new(const struct net_user_options *options, struct error *err);
void net_user_free(struct net_user *user);
/* The guest sent a frame (a net_send; context is the network). Never waits. */
void net_user_send(void *user, const u8 *frame, size_t size);
/* Take frames for the guest, as a stream of whole frames (bus/net.h).
 * in: size  at least NET_FRAME_PREFIX + NET_FRAME_MAX.  returns: bytes; 0 when there are none */
size_t net_user_take(struct net_user *user, u8 *out, size_t size);
/* Let sockets and timers move on. Waits until there is a frame, until fd (-1: none) can be read, until some socket
 * moves, or for timeout_ns of the host's time, whichever comes first; not at all while frames are there. */
void net_user_wait(struct net_user *user, int fd, u64 timeout_ns);
/* Frames that were dropped because the guest did not take those before them. */
u64 net_user_dropped(const struct net_user *user);

#endif
