/* SPDX-License-Identifier: MIT
 * The user network: its options, a lease, and a connection through a forwarded port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bits.h"
#include "net/user.h"

#define MILLISECOND 1000000ull

static u8 stream[NET_FRAME_PREFIX + NET_FRAME_MAX];

static void test_options(void **state)
{
    static const char *const wrong[] = {"hostfwd=",
                                        "hostfwd=tcp",
                                        "hostfwd=tcp::80",
                                        "hostfwd=tcp::80-80",
                                        "hostfwd=icmp::80-:80",
                                        "hostfwd=tcp::0-:80",
                                        "hostfwd=tcp::65536-:80",
                                        "hostfwd=tcp:1.2.3:80-:80",
                                        "hostfwd=tcp:localhost:80-:80",
                                        "hostfwd=tcp::80-:80x",
                                        "hostfwd=tcp::-1-:80",
                                        "restrict=maybe",
                                        "restrict=",
                                        "smb=/tmp",
                                        ""};
    struct net_user_options o = {0};
    struct error err;

    (void)state;
    assert_true(net_user_option(&o, "hostfwd=tcp::2222-:22", &err));
    assert_true(net_user_option(&o, "hostfwd=udp:127.0.0.1:5300-10.0.2.20:53", &err));
    assert_int_equal(o.forwards, 2);
    assert_false(o.forward[0].udp);
    assert_int_equal(o.forward[0].host, 0);
    assert_int_equal(o.forward[0].host_port, 2222);
    assert_int_equal(o.forward[0].guest_port, 22);
    assert_true(o.forward[1].udp);
    assert_int_equal(o.forward[1].host, 0x7F000001);
    assert_int_equal(o.forward[1].guest, 0x0A000214);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(net_user_option(&o, wrong[i], &err));
    assert_int_equal(o.forwards, 2);
    while (o.forwards < NET_FORWARDS_MAX)
        assert_true(net_user_option(&o, "hostfwd=tcp::2222-:22", &err));
    assert_false(net_user_option(&o, "hostfwd=tcp::2222-:22", &err));
    assert_true(net_user_option(&o, "restrict=on", &err));
    assert_true(o.restricted);
}

static void be16(u8 *at, unsigned value)
{
    at[0] = (u8)(value >> 8);
    at[1] = (u8)value;
}

/* RFC 1071. */
static unsigned checksum(const u8 *bytes, size_t size)
{
    u32 sum = 0;

    for (size_t i = 0; i < size; i += 2)
        sum += (u32)bytes[i] << 8 | bytes[i + 1];
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return ~sum & 0xFFFF;
}

/* A DHCPDISCOVER (RFC 2131) in a broadcast frame. */
static size_t discover(u8 frame[512])
{
    static const u8 card[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    u8 *ip = frame + 14, *udp = ip + 20, *dhcp = udp + 8;
    size_t dhcp_size = 300;

    memset(frame, 0, 512);
    memset(frame, 0xFF, 6);
    memcpy(frame + 6, card, 6);
    be16(frame + 12, 0x0800);
    ip[0] = 0x45;
    be16(ip + 2, (unsigned)(28 + dhcp_size));
    ip[8] = 64;
    ip[9] = 17;
    memset(ip + 16, 0xFF, 4);
    be16(ip + 10, checksum(ip, 20));
    be16(udp, 68);
    be16(udp + 2, 67);
    be16(udp + 4, (unsigned)(8 + dhcp_size));
    dhcp[0] = dhcp[1] = 1;
    dhcp[2] = 6;
    memcpy(dhcp + 28, card, 6);
    memcpy(dhcp + 236, "\x63\x82\x53\x63\x35\x01\x01\xFF", 8);
    return 14 + 28 + dhcp_size;
}

static void test_lease(void **state)
{
    struct net_user *u = net_user_new(&(struct net_user_options){0}, NULL);
    u8 frame[512];
    size_t size, n = 0;
    bool offered = false;

    (void)state;
    assert_non_null(u);
    assert_int_equal(net_user_take(u, stream, sizeof stream), 0);
    size = discover(frame);
    net_user_send(u, frame, size);
    for (unsigned i = 0; i < 100 && n == 0; i++) {
        net_user_wait(u, -1, 10 * MILLISECOND);
        n = net_user_take(u, stream, sizeof stream);
    }
    for (size_t at = 0; at < n; at += NET_FRAME_PREFIX + load_le16(stream + at)) {
        const u8 *dhcp = stream + at + NET_FRAME_PREFIX + 42;

        assert_true(at + NET_FRAME_PREFIX + load_le16(stream + at) <= n);
        offered |= load_le16(stream + at) > 300 && dhcp[0] == 2 && memcmp(dhcp + 16, "\x0A\x00\x02\x0F", 4) == 0;
    }
    assert_true(offered);
    net_user_free(u);
}

/* What a guest sends is believed by nobody; a guest that takes nothing costs no more than the queue. */
static void test_hostile_guest(void **state)
{
    struct net_user *u =
        net_user_new(&(struct net_user_options){.restricted = true}, NULL); /* nothing leaves the host */
    static u8 frame[NET_FRAME_MAX];
    u64 random = 1;
    size_t size;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        size = discover(frame);
        for (unsigned k = 0; k < i % 8; k++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            frame[12 + (random >> 33) % 60] = (u8)(random >> 56);
        }
        net_user_send(u, frame, i % 3 ? size : (random >> 40) % size + 1);
    }
    net_user_send(u, frame, NET_FRAME_MAX);
    for (unsigned i = 0; i < 5000; i++) {
        size = discover(frame);
        net_user_send(u, frame, size);
    }
    assert_true(net_user_dropped(u) != 0);
    net_user_free(u);
}

static void test_port_taken(void **state)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct net_user_options o = {.forwards = 1, .forward = {{.host = 0x7F000001, .guest_port = 22}}};
    struct error err;

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &length), 0);
    o.forward[0].host_port = ntohs(here.sin_port);
    assert_null(net_user_new(&o, &err));
    assert_int_equal(err.code, EXIT_FILE);
    close(fd);
}

/* Typing at the console ends a wait. */
static void test_wait_ends(void **state)
{
    struct net_user *u = net_user_new(&(struct net_user_options){0}, NULL);
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    net_user_wait(u, ends[0], 3600 * 1000 * MILLISECOND);
    close(ends[0]);
    close(ends[1]);
    net_user_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),    cmocka_unit_test(test_lease),     cmocka_unit_test(test_hostile_guest),
        cmocka_unit_test(test_port_taken), cmocka_unit_test(test_wait_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
