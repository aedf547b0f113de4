/* SPDX-License-Identifier: MIT
 * ioctl on network interfaces: struct ifreq, a name of 16 bytes and what the command is about.
 */
#include "linux/args.h"

enum { NAME = 16, SIZE = 32 };

/* What a command is about. */
enum ifreq_value {
    IFREQ_FLAGS,
    IFREQ_ADDRESS,
    IFREQ_NETMASK,
    IFREQ_BROADCAST,
    IFREQ_DESTINATION,
    IFREQ_HARDWARE,
    IFREQ_METRIC,
    IFREQ_MTU,
    IFREQ_INDEX,
    IFREQ_QUEUE,
};

static const struct interface_command {
    u32 number;
    const char *name;
    enum ifreq_value value;
    bool is_set; /* the caller gives the value, else the kernel fills it */
} commands[] = {
    {0x8913, "SIOCGIFFLAGS", IFREQ_FLAGS, false},
    {0x8914, "SIOCSIFFLAGS", IFREQ_FLAGS, true},
    {0x8915, "SIOCGIFADDR", IFREQ_ADDRESS, false},
    {0x8916, "SIOCSIFADDR", IFREQ_ADDRESS, true},
    {0x8917, "SIOCGIFDSTADDR", IFREQ_DESTINATION, false},
    {0x8918, "SIOCSIFDSTADDR", IFREQ_DESTINATION, true},
    {0x8919, "SIOCGIFBRDADDR", IFREQ_BROADCAST, false},
    {0x891A, "SIOCSIFBRDADDR", IFREQ_BROADCAST, true},
    {0x891B, "SIOCGIFNETMASK", IFREQ_NETMASK, false},
    {0x891C, "SIOCSIFNETMASK", IFREQ_NETMASK, true},
    {0x891D, "SIOCGIFMETRIC", IFREQ_METRIC, false},
    {0x8921, "SIOCGIFMTU", IFREQ_MTU, false},
    {0x8922, "SIOCSIFMTU", IFREQ_MTU, true},
    {0x8927, "SIOCGIFHWADDR", IFREQ_HARDWARE, false},
    {0x8933, "SIOCGIFINDEX", IFREQ_INDEX, false},
    {0x8942, "SIOCGIFTXQLEN", IFREQ_QUEUE, false},
    {0x8943, "SIOCSIFTXQLEN", IFREQ_QUEUE, true},
};

static void put_hardware_address(struct print *p, const u8 *address)
{
    enum { BYTES = 6 };
    put_text(p, "{sa_family=");
    put_name(p, &names_hardware_type, load_le16(address));
    put_text(p, ", sa_data=");
    for (unsigned n = 0; n < BYTES; n++)
        put_format(p, n == 0 ? "%02x" : ":%02x", address[2 + n]);
    put_char(p, '}');
}

static void put_ifreq_value(struct print *p, enum ifreq_value value, u64 address, const u8 *bytes)
{
    static const char *const names[] = {[IFREQ_FLAGS] = "ifr_flags=",         [IFREQ_ADDRESS] = "ifr_addr=",
                                        [IFREQ_NETMASK] = "ifr_netmask=",     [IFREQ_BROADCAST] = "ifr_broadaddr=",
                                        [IFREQ_DESTINATION] = "ifr_dstaddr=", [IFREQ_HARDWARE] = "ifr_hwaddr=",
                                        [IFREQ_METRIC] = "ifr_metric=",       [IFREQ_MTU] = "ifr_mtu=",
                                        [IFREQ_INDEX] = "ifr_ifindex=",       [IFREQ_QUEUE] = "ifr_qlen="};
    put_text(p, names[value]);
    switch (value) {
    case IFREQ_FLAGS: put_flags(p, &names_interface_flags, load_le16(bytes)); return;
    case IFREQ_ADDRESS:
    case IFREQ_NETMASK:
    case IFREQ_BROADCAST:
    case IFREQ_DESTINATION: put_sockaddr(p, address + NAME, NAME); return;
    case IFREQ_HARDWARE: put_hardware_address(p, bytes); return;
    default: put_signed(p, (i32)load_le32(bytes));
    }
}

static void put_ifreq(struct print *p, u64 address, enum ifreq_value value, bool is_set)
{
    u8 bytes[SIZE];
    if (!put_or_read(p, address, bytes, sizeof bytes))
        return;
    const u8 *end = memchr(bytes, 0, NAME);
    put_text(p, "{ifr_name=");
    put_quoted(p, bytes, end != NULL ? (size_t)(end - bytes) : NAME, false);
    if (!is_set) {
        mem_use_out(p);
        if (!p->ok) {
            put_char(p, '}');
            return;
        }
        if (!mem_read(p, address, bytes, sizeof bytes)) {
            put_text(p, ", ...}");
            return;
        }
    }
    put_text(p, ", ");
    put_ifreq_value(p, value, address, bytes + NAME);
    put_char(p, '}');
}

bool put_interface_command(struct print *p, u32 command, u64 argument)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].number == command) {
            put_text(p, commands[i].name);
            put_next(p);
            put_ifreq(p, argument, commands[i].value, commands[i].is_set);
            return true;
        }
    return false;
}
