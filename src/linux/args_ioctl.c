/* SPDX-License-Identifier: MIT
 * ioctl: the commands that ordinary programs use by name, the others by what their number says.
 */
#include "linux/args.h"

/* What the argument of a command is. */
enum ioctl_argument { HEX, INT, FLOW, QUEUE, IN_INT, OUT_INT, WINSIZE_IN, WINSIZE_OUT, TERMIOS_IN, TERMIOS_OUT, NONE };

static const struct ioctl_command {
    u32 number;
    const char *name;
    enum ioctl_argument argument;
} commands[] = {
    {0x5401, "TCGETS", TERMIOS_OUT},
    {0x5402, "SNDCTL_TMR_START or TCSETS", TERMIOS_IN},
    {0x5403, "SNDCTL_TMR_STOP or TCSETSW", TERMIOS_IN},
    {0x5404, "SNDCTL_TMR_CONTINUE or TCSETSF", TERMIOS_IN},
    {0x5405, "TCGETA", HEX},
    {0x5406, "TCSETA", HEX},
    {0x5407, "TCSETAW", HEX},
    {0x5408, "TCSETAF", HEX},
    {0x5409, "TCSBRK", INT},
    {0x540A, "TCXONC", FLOW},
    {0x540B, "TCFLSH", QUEUE},
    {0x540C, "TIOCEXCL", NONE},
    {0x540D, "TIOCNXCL", NONE},
    {0x540E, "TIOCSCTTY", INT},
    {0x540F, "TIOCGPGRP", OUT_INT},
    {0x5410, "TIOCSPGRP", IN_INT},
    {0x5411, "TIOCOUTQ", OUT_INT},
    {0x5412, "TIOCSTI", HEX},
    {0x5413, "TIOCGWINSZ", WINSIZE_OUT},
    {0x5414, "TIOCSWINSZ", WINSIZE_IN},
    {0x5415, "TIOCMGET", HEX},
    {0x5416, "TIOCMBIS", HEX},
    {0x5417, "TIOCMBIC", HEX},
    {0x5418, "TIOCMSET", HEX},
    {0x5419, "TIOCGSOFTCAR", OUT_INT},
    {0x541A, "TIOCSSOFTCAR", IN_INT},
    {0x541B, "FIONREAD", OUT_INT},
    {0x541C, "TIOCLINUX", HEX},
    {0x541D, "TIOCCONS", NONE},
    {0x541E, "TIOCGSERIAL", HEX},
    {0x541F, "TIOCSSERIAL", HEX},
    {0x5420, "TIOCPKT", IN_INT},
    {0x5421, "FIONBIO", IN_INT},
    {0x5422, "TIOCNOTTY", NONE},
    {0x5423, "TIOCSETD", IN_INT},
    {0x5424, "TIOCGETD", OUT_INT},
    {0x5425, "TCSBRKP", INT},
    {0x5427, "TIOCSBRK", NONE},
    {0x5428, "TIOCCBRK", NONE},
    {0x5429, "TIOCGSID", OUT_INT},
    {0x5450, "FIONCLEX", NONE},
    {0x5451, "FIOCLEX", NONE},
    {0x5452, "FIOASYNC", IN_INT},
    {0x80045430, "TIOCGPTN", OUT_INT},
    {0x40045431, "TIOCSPTLCK", IN_INT},
    {0x8901, "FIOSETOWN", IN_INT},
    {0x8903, "FIOGETOWN", OUT_INT},
    {0x8905, "SIOCATMARK", OUT_INT},
    {0x8910, "SIOCGIFNAME", HEX},
    {0x8912, "SIOCGIFCONF", HEX},
    {0x8970, "SIOCGIFMAP", HEX},
    {0x890B, "SIOCADDRT", HEX},
    {0x890C, "SIOCDELRT", HEX},
    {0x1260, "BLKGETSIZE", HEX},
    {0x125D, "BLKROSET", HEX},
    {0x125E, "BLKROGET", HEX},
    {0x1261, "BLKFLSBUF", NONE},
    {0x1268, "BLKSSZGET", OUT_INT},
    {0x80081272, "BLKGETSIZE64", HEX},
    {0x4B3A, "KDSETMODE", HEX},
    {0x4B3B, "KDGETMODE", HEX},
    {0x4B44, "KDGKBMODE", HEX},
    {0x4B45, "KDSKBMODE", HEX},
    {0x4B46, "KDGKBENT", HEX},
    {0x4B33, "KDGKBTYPE", HEX},
    {0x5600, "VT_OPENQRY", HEX},
    {0x5601, "VT_GETMODE", HEX},
    {0x5602, "VT_SETMODE", HEX},
    {0x5603, "VT_GETSTATE", HEX},
    {0x5606, "VT_ACTIVATE", HEX},
    {0x5607, "VT_WAITACTIVE", HEX},
    {0x40049409, "FICLONE", INT},
};

static const struct ioctl_command *find_command(u32 number)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].number == number)
            return &commands[i];
    return NULL;
}

/* "_IOC(_IOC_READ, 0x54, 0x30, 0x4)": direction, type, number and size of the argument are in the command. */
static void put_unknown_command(struct print *p, u32 command)
{
    static const char *const directions[] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"};
    put_format(p, "_IOC(%s, %#x, %#x, %#x)", directions[command >> 30], command >> 8 & 0xFF, command & 0xFF,
               command >> 16 & 0x3FFF);
}

static void put_int_at(struct print *p, u64 address)
{
    u8 bytes[4];
    if (put_or_read(p, address, bytes, sizeof bytes))
        put_format(p, "[%d]", (i32)load_le32(bytes));
}

static void put_winsize(struct print *p, u64 address)
{
    u8 bytes[8];
    if (put_or_read(p, address, bytes, sizeof bytes))
        put_format(p, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", load_le16(bytes), load_le16(bytes + 2),
                   load_le16(bytes + 4), load_le16(bytes + 6));
}

/* struct termios: four words of flags, the line discipline, 19 control characters. */
static void put_termios(struct print *p, u64 address)
{
    enum { SIZE = 36, SPEED = 0x100F, CHARACTER_SIZE = 0x30, INPUT_SPEED_SHIFT = 16 };
    u8 bytes[SIZE];
    if (!put_or_read(p, address, bytes, sizeof bytes))
        return;
    u32 output = load_le32(bytes + 4), control = load_le32(bytes + 8);
    put_text(p, "{c_iflag=");
    put_flags(p, &names_termios_input, load_le32(bytes));
    put_text(p, ", c_oflag=");
    /* delays, each a field of its own, then bits */
    static const struct {
        u32 mask;
        const struct linux_names *names;
    } delays[] = {{0x0100, &names_termios_nl}, {0x0600, &names_termios_cr}, {0x1800, &names_termios_tab},
                  {0x2000, &names_termios_bs}, {0x4000, &names_termios_vt}, {0x8000, &names_termios_ff}};
    for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
        put_text(p, i == 0 ? "" : "|");
        put_name(p, delays[i].names, output & delays[i].mask);
    }
    put_more_flags(p, &names_termios_output, output & 0xFFFF00FFu);
    put_text(p, ", c_cflag=");
    put_name(p, &names_termios_speed, control & SPEED);
    if (control >> INPUT_SPEED_SHIFT & SPEED) {
        put_char(p, '|');
        put_name(p, &names_termios_speed, control >> INPUT_SPEED_SHIFT & SPEED);
        put_text(p, "<<IBSHIFT");
    }
    put_char(p, '|');
    put_name(p, &names_termios_size, control & CHARACTER_SIZE);
    put_more_flags(p, &names_termios_control,
                   control & ~(u32)(SPEED | CHARACTER_SIZE | (u32)SPEED << INPUT_SPEED_SHIFT));
    put_text(p, ", c_lflag=");
    put_flags(p, &names_termios_local, load_le32(bytes + 12));
    put_text(p, ", ...}");
}

static void put_argument(struct print *p, enum ioctl_argument kind, u64 argument)
{
    bool out = kind == OUT_INT || kind == WINSIZE_OUT || kind == TERMIOS_OUT;
    if (out)
        mem_use_out(p);
    if (out && !p->ok) {
        put_address(p, argument);
        return;
    }
    switch (kind) {
    case NONE: return;
    case INT: put_signed(p, (i32)argument); return;
    case FLOW: put_name(p, &names_tcxonc, (u32)argument); return;
    case QUEUE: put_name(p, &names_tcflsh, (u32)argument); return;
    case IN_INT:
    case OUT_INT: put_int_at(p, argument); return;
    case WINSIZE_IN:
    case WINSIZE_OUT: put_winsize(p, argument); return;
    case TERMIOS_IN:
    case TERMIOS_OUT: put_termios(p, argument); return;
    default: put_hex(p, argument);
    }
}

void arg_ioctl(struct print *p, unsigned i)
{
    u32 number = (u32)p->arg[i];
    if (put_interface_command(p, number, p->arg[i + 1]))
        return;
    const struct ioctl_command *command = find_command(number);
    if (command != NULL)
        put_text(p, command->name);
    else
        put_unknown_command(p, number);
    put_next(p);
    put_argument(p, command != NULL ? command->argument : HEX, p->arg[i + 1]);
}
