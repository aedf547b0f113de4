/* SPDX-License-Identifier: MIT
 * User networking on libslirp: its callbacks, its sockets, and the frames that wait for the guest.
 */
#define _GNU_SOURCE /* ppoll */
#include "net/user.h"

#include <errno.h>
#include <libslirp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bits.h"

#define NANOSECONDS 1000000000ull
#define QUEUE_BYTES                                                                                                    \
    (1u << 20) /* of frames that the guest has not taken; more are dropped, and TCP sends them again                   \
                */

struct wakeup {
    struct wakeup *next;
    SlirpTimerCb fire;
    void *context;
    i64 when; /* milliseconds of the host's clock; 0: not armed */
};

struct net_user {
    Slirp *slirp;
    struct wakeup *wakeups;
    struct pollfd *polls;
    size_t poll_count, poll_room;
    u8 *queue; /* frames behind their lengths, oldest first */
    size_t queued;
    u64 dropped;
};

/* ---- what libslirp asks for */

static i64 host_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (i64)now.tv_sec * (i64)NANOSECONDS + now.tv_nsec;
}

static ssize_t to_guest(const void *frame, size_t size, void *context)
{
    struct net_user *u = context;

    if (size > NET_FRAME_MAX || NET_FRAME_PREFIX + size > QUEUE_BYTES - u->queued) {
        u->dropped++;
        return (ssize_t)size;
    }
    store_le16(u->queue + u->queued, (u16)size);
    memcpy(u->queue + u->queued + NET_FRAME_PREFIX, frame, size);
    u->queued += NET_FRAME_PREFIX + size;
    return (ssize_t)size;
}

/* What a guest sends is its own affair. */
static void guest_error(const char *message, void *context) { (void)message, (void)context; }

static int64_t clock_get(void *context)
{
    (void)context;
    return host_ns();
}

static void *timer_new(SlirpTimerCb fire, void *fire_context, void *context)
{
    struct net_user *u = context;
    struct wakeup *w = calloc(1, sizeof *w);

    if (w == NULL)
        abort();
    *w = (struct wakeup){.next = u->wakeups, .fire = fire, .context = fire_context};
    u->wakeups = w;
    return w;
}

static void timer_free(void *timer, void *context)
{
    struct net_user *u = context;

    for (struct wakeup **at = &u->wakeups; *at != NULL; at = &(*at)->next)
        if (*at == timer) {
            *at = (*at)->next;
            break;
        }
    free(timer);
}

static void timer_mod(void *timer, int64_t expire_ms, void *context)
{
    struct wakeup *w = timer;

    (void)context;
    w->when = expire_ms > 0 ? expire_ms : 1;
}

static void register_fd(int fd, void *context) { (void)fd, (void)context; }
static void unregister_fd(int fd, void *context) { (void)fd, (void)context; }
static void notify(void *context) { (void)context; } /* the next wait looks anyway */

/* ---- sockets */

static int add_poll(int fd, int events, void *context)
{
    struct net_user *u = context;
    short wanted = 0;

    if (u->poll_count == u->poll_room) {
        u->poll_room = u->poll_room != 0 ? 2 * u->poll_room : 16;
        u->polls = realloc(u->polls, u->poll_room * sizeof *u->polls);
        if (u->polls == NULL)
            abort();
    }
    wanted |= events & SLIRP_POLL_IN ? POLLIN : 0;
    wanted |= events & SLIRP_POLL_OUT ? POLLOUT : 0;
    wanted |= events & SLIRP_POLL_PRI ? POLLPRI : 0;
    u->polls[u->poll_count] = (struct pollfd){.fd = fd, .events = wanted};
    return (int)u->poll_count++;
}

static int returned_events(int index, void *context)
{
    const struct net_user *u = context;
    short got = u->polls[index].revents;

    return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (got & POLLPRI ? SLIRP_POLL_PRI : 0) | (got & POLLERR ? SLIRP_POLL_ERR : 0) |
           (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static void run_wakeups(struct net_user *u)
{
    i64 now = host_ns() / 1000000;

    for (struct wakeup *w = u->wakeups; w != NULL; w = w->next)
        if (w->when != 0 && w->when <= now) {
            w->when = 0;
            w->fire(w->context);
            break; /* the list may have changed; the next look takes the next */
        }
}

static u64 until_wakeup(const struct net_user *u, u64 timeout_ns)
{
    i64 now = host_ns();

    for (const struct wakeup *w = u->wakeups; w != NULL; w = w->next) {
        i64 left = w->when * 1000000 - now;

        if (w->when != 0 && (left <= 0 || (u64)left < timeout_ns))
            timeout_ns = left <= 0 ? 0 : (u64)left;
    }
    return timeout_ns;
}

void net_user_wait(struct net_user *u, int fd, u64 timeout_ns)
{
    u64 rounded = timeout_ns / 1000000 + 1;
    u32 milliseconds = rounded < 1000000 ? (u32)rounded : 1000000;
    struct timespec timeout;
    int ready;

    u->poll_count = 0;
    slirp_pollfds_fill(u->slirp, &milliseconds, add_poll, u);
    if (timeout_ns > milliseconds * 1000000ull)
        timeout_ns = milliseconds * 1000000ull;
    timeout_ns = u->queued != 0 ? 0 : until_wakeup(u, timeout_ns);
    if (fd >= 0)
        add_poll(fd, SLIRP_POLL_IN, u); /* the last: libslirp does not ask for it */
    timeout =
        (struct timespec){.tv_sec = (time_t)(timeout_ns / NANOSECONDS), .tv_nsec = (long)(timeout_ns % NANOSECONDS)};
    ready = ppoll(u->polls, u->poll_count, &timeout, NULL);
    slirp_pollfds_poll(u->slirp, ready < 0, returned_events, u);
    run_wakeups(u);
}

/* ---- frames */

void net_user_send(void *user, const u8 *frame, size_t size)
{
    struct net_user *u = user;

    slirp_input(u->slirp, frame, (int)size);
}

size_t net_user_take(struct net_user *u, u8 *out, size_t size)
{
    size_t taken = 0;

    while (taken < u->queued) {
        size_t next = NET_FRAME_PREFIX + load_le16(u->queue + taken);

        if (next > size - taken)
            break;
        taken += next;
    }
    memcpy(out, u->queue, taken);
    u->queued -= taken;
    memmove(u->queue, u->queue + taken, u->queued);
    return taken;
}

u64 net_user_dropped(const struct net_user *u) { return u->dropped; }

/* ---- life */

static struct in_addr address(u32 host_order) { return (struct in_addr){.s_addr = htonl(host_order)}; }

/* fec0::LAST */
static struct in6_addr address6(u8 last) { return (struct in6_addr){.s6_addr = {[0] = 0xFE, [1] = 0xC0, [15] = last}}; }

static Slirp *make_slirp(struct net_user *u, const struct net_user_options *options)
{
    static const SlirpCb callbacks = {.send_packet = to_guest,
                                      .guest_error = guest_error,
                                      .clock_get_ns = clock_get,
                                      .timer_new = timer_new,
                                      .timer_free = timer_free,
                                      .timer_mod = timer_mod,
                                      .register_poll_fd = register_fd,
                                      .unregister_poll_fd = unregister_fd,
                                      .notify = notify};
    SlirpConfig config = {.version = 1,
                          .restricted = options->restricted,
                          .in_enabled = true,
                          .vnetwork = address(0x0A000200),
                          .vnetmask = address(0xFFFFFF00),
                          .vhost = address(0x0A000202),
                          .vdhcp_start = address(0x0A00020F),
                          .vnameserver = address(0x0A000203),
                          .in6_enabled = true,
                          .vprefix_addr6 = address6(0),
                          .vprefix_len = 64,
                          .vhost6 = address6(2),
                          .vnameserver6 = address6(3),
                          .vhostname = "guest"};

    return slirp_new(&config, &callbacks, u);
}

struct net_user *net_user_new(const struct net_user_options *options, struct error *err)
{
    struct net_user *u = calloc(1, sizeof *u);

    if (u == NULL || (u->queue = malloc(QUEUE_BYTES)) == NULL)
        abort();
    u->slirp = make_slirp(u, options);
    if (u->slirp == NULL) {
        error_set(err, EXIT_FILE, "the user network could not be made");
        net_user_free(u);
        return NULL;
    }
    for (unsigned i = 0; i < options->forwards; i++) {
        const struct net_forward *f = &options->forward[i];

        if (slirp_add_hostfwd(u->slirp, f->udp, address(f->host), f->host_port, address(f->guest), f->guest_port) < 0) {
            error_set(err, EXIT_FILE, "the host's %s port %u cannot be forwarded: %s", f->udp ? "UDP" : "TCP",
                      f->host_port, strerror(errno));
            net_user_free(u);
            return NULL;
        }
    }
    return u;
}

void net_user_free(struct net_user *u)
{
    if (u == NULL)
        return;
    if (u->slirp != NULL)
        slirp_cleanup(u->slirp);
    while (u->wakeups != NULL) {
        struct wakeup *next = u->wakeups->next;

        free(u->wakeups);
        u->wakeups = next;
    }
    free(u->polls);
    free(u->queue);
    free(u);
}
