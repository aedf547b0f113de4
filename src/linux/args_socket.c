/* SPDX-License-Identifier: MIT
 * Arguments of calls about sockets: addresses, protocols, options.
 */
#include "linux/args.h"

enum { AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17 };
#define SOCK_TYPE_MASK 0xFu
#define SOCKADDR_LIMIT 128u

void arg_socket_type(struct print *p, unsigned i)
{
    u32 type = (u32)p->arg[i];
    put_name(p, &names_socket_type, type & SOCK_TYPE_MASK);
    if (type & ~SOCK_TYPE_MASK) {
        put_char(p, '|');
        put_flags(p, &names_socket_flags, type & ~SOCK_TYPE_MASK);
    }
}

void arg_socket_protocol(struct print *p, unsigned i)
{
    u32 domain = (u32)p->arg[0], protocol = (u32)p->arg[i];
    if (domain == AF_INET || domain == AF_INET6)
        put_name(p, &names_inet_protocol, protocol);
    else if (domain == AF_NETLINK)
        put_name(p, &names_netlink_protocol, protocol);
    else if (domain == AF_PACKET) {
        put_text(p, "htons(");
        put_name(p, &names_ethernet_protocol, (u32)(u16)(protocol >> 8 | protocol << 8));
        put_char(p, ')');
    } else
        put_unsigned(p, protocol);
}

static u16 get_port(const u8 *bytes) { return (u16)(bytes[0] << 8 | bytes[1]); }

static void put_inet(struct print *p, const u8 *a) { put_format(p, "\"%u.%u.%u.%u\"", a[0], a[1], a[2], a[3]); }

/* Groups of hexadecimal digits; the longest run of zero groups, if it has two or more, is "::". */
static void put_inet6(struct print *p, const u8 *a)
{
    unsigned best = 8, best_length = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned length = 0;
        while (i + length < 8 && get_port(a + 2 * (i + length)) == 0)
            length++;
        if (length > best_length) {
            best = i;
            best_length = length;
        }
    }
    /* ::a.b.c.d and ::ffff:a.b.c.d are written with dots */
    bool mapped = best == 0 && best_length == 5 && get_port(a + 10) == 0xFFFF;
    bool compatible = best == 0 && best_length == 6;
    if (mapped || compatible) {
        put_format(p, "\"::%s%u.%u.%u.%u\"", mapped ? "ffff:" : "", a[12], a[13], a[14], a[15]);
        return;
    }
    put_char(p, '"');
    for (unsigned i = 0; i < 8; i++) {
        if (i == best) {
            put_text(p, "::");
            i += best_length - 1;
            continue;
        }
        put_format(p, i == 0 || i == best + best_length ? "%x" : ":%x", get_port(a + 2 * i));
    }
    put_char(p, '"');
}

/* A path, or a name in the kernel's own space: a NUL, then bytes to the end. */
static void put_unix(struct print *p, const u8 *name, size_t size)
{
    if (size == 0)
        return;
    put_text(p, ", sun_path=");
    if (name[0] != 0) {
        const u8 *end = memchr(name, 0, size);
        put_quoted(p, name, end != NULL ? (size_t)(end - name) : size, false);
    } else {
        put_char(p, '@');
        put_quoted(p, name + 1, size - 1, false);
    }
}

static void put_inet6_socket(struct print *p, const u8 *a, size_t size)
{
    put_format(p, ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, ", get_port(a + 2),
               __builtin_bswap32(load_le32(a + 4)));
    put_inet6(p, a + 8);
    put_text(p, ", &sin6_addr)");
    if (size >= 28)
        put_format(p, ", sin6_scope_id=%u", load_le32(a + 24));
}

static void put_packet_socket(struct print *p, const u8 *a, size_t size)
{
    put_text(p, ", sll_protocol=htons(");
    put_name(p, &names_ethernet_protocol, get_port(a + 2));
    put_format(p, "), sll_ifindex=%d, sll_hatype=", (i32)load_le32(a + 4));
    put_name(p, &names_hardware_type, load_le16(a + 8));
    put_text(p, ", sll_pkttype=");
    put_name(p, &names_packet_type, a[10]);
    put_format(p, ", sll_halen=%u", a[11]);
    if (a[11] == 0)
        return;
    put_text(p, ", sll_addr=[");
    for (unsigned n = 0; n < a[11] && 12u + n < size && n < 8; n++)
        put_format(p, n == 0 ? "%#x" : ", %#x", a[12 + n]);
    put_char(p, ']');
}

/* in: size  how much of it there is; longer ones are cut */
void put_sockaddr(struct print *p, u64 address, u64 size)
{
    u8 bytes[SOCKADDR_LIMIT + 1] = {0};
    size_t length = size < SOCKADDR_LIMIT ? (size_t)size : SOCKADDR_LIMIT;
    if (address == 0 || length < 2) {
        put_address(p, address);
        return;
    }
    if (!put_or_read(p, address, bytes, length))
        return;
    u16 family = load_le16(bytes);
    put_text(p, "{sa_family=");
    put_name(p, &names_socket_domain, family);
    if (family == AF_UNIX)
        put_unix(p, bytes + 2, length - 2);
    else if (family == AF_INET && length >= 8) {
        put_format(p, ", sin_port=htons(%u), sin_addr=inet_addr(", get_port(bytes + 2));
        put_inet(p, bytes + 4);
        put_char(p, ')');
    } else if (family == AF_INET6 && length >= 24)
        put_inet6_socket(p, bytes, length);
    else if (family == AF_NETLINK && length >= 12)
        put_format(p, ", nl_pid=%d, nl_groups=%#08x", (i32)load_le32(bytes + 4), load_le32(bytes + 8));
    else if (family == AF_PACKET && length >= 12)
        put_packet_socket(p, bytes, length);
    else if (length > 2) {
        put_text(p, ", sa_data=");
        put_quoted(p, bytes + 2, length - 2, false);
    }
    put_char(p, '}');
}

void arg_in_sockaddr(struct print *p, unsigned i)
{
    i32 size = (i32)p->arg[i + 1];
    put_sockaddr(p, p->arg[i], size < 0 ? 0 : (u64)size);
}

/* A length that the caller gives and the kernel changes. returns: false when it is not known */
static bool read_length(struct print *p, u64 address, bool at_return, u32 *length)
{
    u8 bytes[4];
    if (at_return)
        mem_use_out(p);
    else
        mem_use_in(p);
    bool known = mem_read(p, address, bytes, sizeof bytes);
    *length = known ? load_le32(bytes) : 0;
    return known;
}

/* The kernel fills as much as the caller has room for. */
void arg_out_sockaddr(struct print *p, unsigned i)
{
    u32 room, length;
    bool room_known = read_length(p, p->arg[i + 1], false, &room);
    if (!p->ok || !read_length(p, p->arg[i + 1], true, &length)) {
        put_address(p, p->arg[i]);
        return;
    }
    if (room_known && room < length)
        length = room;
    mem_use_out(p);
    put_sockaddr(p, p->arg[i], length);
}

/* "[16]", and "[128 => 16]" when the kernel has changed it. */
void arg_length_pointer(struct print *p, unsigned i)
{
    u32 before, after;
    if (!read_length(p, p->arg[i], false, &before)) {
        put_address(p, p->arg[i]);
        return;
    }
    if (p->ok && read_length(p, p->arg[i], true, &after) && after != before)
        put_format(p, "[%d => %d]", (i32)before, (i32)after);
    else
        put_format(p, "[%d]", (i32)before);
}

enum { SOL_IP = 0, SOL_SOCKET = 1, SOL_TCP = 6, SOL_IPV6 = 41, SOL_PACKET = 263, SOL_NETLINK = 270 };
enum { SO_ERROR = 4, SO_LINGER = 13, SO_PEERCRED = 17, SO_BINDTODEVICE = 25, SO_ATTACH_FILTER = 26 };

static const struct linux_names *option_names(u32 level)
{
    switch (level) {
    case SOL_IP: return &names_so_ip;
    case SOL_SOCKET: return &names_so;
    case SOL_TCP: return &names_so_tcp;
    case SOL_IPV6: return &names_so_ipv6;
    case SOL_PACKET: return &names_so_packet;
    case SOL_NETLINK: return &names_so_netlink;
    default: return NULL;
    }
}

void arg_socket_option(struct print *p, unsigned i)
{
    const struct linux_names *names = option_names((u32)p->arg[i - 1]);
    if (names != NULL)
        put_name(p, names, (u32)p->arg[i]);
    else
        put_unsigned(p, (u32)p->arg[i]);
}

void put_credentials(struct print *p, const u8 *bytes)
{
    put_format(p, "{pid=%d, uid=", (i32)load_le32(bytes));
    put_id(p, load_le32(bytes + 4));
    put_text(p, ", gid=");
    put_id(p, load_le32(bytes + 8));
    put_char(p, '}');
}

/* The value of an option of size bytes: of SOL_SOCKET a few structures, else an int. */
static void put_option_value(struct print *p, u32 level, u32 option, u64 address, u32 size)
{
    u8 bytes[16];
    if (level == SOL_SOCKET && option == SO_LINGER && size >= 8) {
        if (put_or_read(p, address, bytes, 8))
            put_format(p, "{l_onoff=%d, l_linger=%d}", (i32)load_le32(bytes), (i32)load_le32(bytes + 4));
    } else if (level == SOL_SOCKET && option == SO_PEERCRED && size >= 12) {
        if (put_or_read(p, address, bytes, 12))
            put_credentials(p, bytes);
    } else if (size == 4) {
        if (!put_or_read(p, address, bytes, 4))
            return;
        if (level == SOL_SOCKET && option == SO_ERROR && linux_error_name(load_le32(bytes)) != NULL)
            put_format(p, "[%s]", linux_error_name(load_le32(bytes)));
        else
            put_format(p, "[%d]", (i32)load_le32(bytes));
    } else {
        put_buffer(p, address, size);
    }
}

void arg_in_socket_value(struct print *p, unsigned i)
{
    i32 size = (i32)p->arg[i + 1];
    const struct linux_names *names = option_names((u32)p->arg[1]);
    bool known = names != NULL && names_find(names, (u32)p->arg[2]) != NULL && (u32)p->arg[2] != SO_BINDTODEVICE;
    if (size < 0 || (known && size < 4) || ((u32)p->arg[1] == SOL_SOCKET && (u32)p->arg[2] == SO_ATTACH_FILTER))
        put_address(p, p->arg[i]);
    else
        put_option_value(p, (u32)p->arg[1], (u32)p->arg[2], p->arg[i], (u32)size);
}

void arg_out_socket_value(struct print *p, unsigned i)
{
    u32 length;
    if (!p->ok || !read_length(p, p->arg[i + 1], true, &length)) {
        put_address(p, p->arg[i]);
        return;
    }
    put_option_value(p, (u32)p->arg[1], (u32)p->arg[2], p->arg[i], length);
}
