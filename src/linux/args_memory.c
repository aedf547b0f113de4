/* SPDX-License-Identifier: MIT
 * Arguments of calls about memory, and about descriptors of i386's segments.
 */
#include "linux/args.h"

#define MAP_TYPE 0xFu
#define MAP_HUGE_SHIFT 26
#define MAP_HUGE_MASK 0x3Fu

/* A type, bits, and the size of huge pages as a power of two. */
void arg_mmap_flags(struct print *p, unsigned i)
{
    u64 flags = p->arg[i], huge = flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    flags &= ~((u64)MAP_HUGE_MASK << MAP_HUGE_SHIFT);
    put_name(p, &names_mmap_type, flags & MAP_TYPE);
    put_more_flags(p, p->names, flags & ~(u64)MAP_TYPE);
    if (huge != 0)
        put_format(p, "|%llu<<MAP_HUGE_SHIFT", (unsigned long long)huge);
}

/* The arguments of mmap in a structure of six longs. */
void arg_old_mmap(struct print *p, unsigned i)
{
    u8 bytes[24];
    if (!put_or_read(p, p->arg[i], bytes, sizeof bytes))
        return;
    for (unsigned n = 0; n < LINUX_ARGS; n++)
        p->arg[n] = load_le32(bytes + 4 * n);
    put_address(p, p->arg[0]);
    put_next(p);
    put_unsigned(p, p->arg[1]);
    put_next(p);
    put_flags(p, &names_prot, p->arg[2]);
    put_next(p);
    p->names = &names_mmap;
    arg_mmap_flags(p, 3);
    put_next(p);
    put_signed(p, (i32)p->arg[4]);
    put_next(p);
    put_hex(p, p->arg[5]);
}

/* mmap2 counts its offset in pages of 4096 bytes. */
void arg_mmap2_offset(struct print *p, unsigned i) { put_hex(p, p->arg[i] << PAGE_SHIFT); }

#define MREMAP_FIXED 2u
#define MREMAP_DONTUNMAP 4u

void arg_mremap_address(struct print *p, unsigned i)
{
    if (p->arg[i - 1] & (MREMAP_FIXED | MREMAP_DONTUNMAP))
        put_address(p, p->arg[i]);
}

static void put_residence(struct print *p, const u8 *bytes) { put_text(p, bytes[0] & 1 ? "1" : "0"); }

void arg_mincore(struct print *p, unsigned i)
{
    u64 pages = p->arg[i - 1] / PAGE_SIZE + (p->arg[i - 1] % PAGE_SIZE != 0);
    put_array(p, p->arg[i], pages, 1, put_residence);
}

/* struct user_desc: entry_number, base_addr, limit, then bits. */
static void put_user_desc(struct print *p, const u8 *bytes)
{
    u32 bits = load_le32(bytes + 12);
    put_text(p, "{entry_number=");
    put_signed(p, (i32)load_le32(bytes));
    put_format(p, ", base_addr=%#08x, limit=%#08x", load_le32(bytes + 4), load_le32(bytes + 8));
    put_format(p, ", seg_32bit=%u, contents=%u, read_exec_only=%u, limit_in_pages=%u, seg_not_present=%u, useable=%u",
               bits & 1, bits >> 1 & 3, bits >> 3 & 1, bits >> 4 & 1, bits >> 5 & 1, bits >> 6 & 1);
    if (!p->narrow)
        put_format(p, ", lm=%u", bits >> 7 & 1);
    put_char(p, '}');
}

/* The kernel chooses an entry when it is asked for -1, and stores it. */
void arg_in_user_desc(struct print *p, unsigned i)
{
    u8 bytes[16];
    if (put_or_read(p, p->arg[i], bytes, sizeof bytes))
        put_user_desc(p, bytes);
}

/* The chosen one is read first: a recorder at the return may see it in place of the -1 too. */
void result_thread_area(struct print *p)
{
    u8 asked[4], chosen[4];
    mem_use_out(p);
    bool known = mem_read(p, p->arg[0], chosen, sizeof chosen);
    mem_use_in(p);
    if (known && mem_read(p, p->arg[0], asked, sizeof asked) && load_le32(asked) == ~0u)
        put_format(p, " (entry_number=%d)", (i32)load_le32(chosen));
}

void put_user_desc_at(struct print *p, u64 address)
{
    u8 bytes[16];
    mem_use_out(p);
    if (put_or_read(p, address, bytes, sizeof bytes))
        put_user_desc(p, bytes);
}

void arg_out_user_desc(struct print *p, unsigned i)
{
    if (p->ok)
        put_user_desc_at(p, p->arg[i]);
    else
        put_address(p, p->arg[i]);
}

enum {
    ARCH_SET_GS = 0x1001,
    ARCH_GET_FS = 0x1003,
    ARCH_GET_GS = 0x1004,
    ARCH_GET_CPUID = 0x1011,
    ARCH_SET_CPUID = 0x1012
};

void arg_arch_prctl(struct print *p, unsigned i)
{
    u32 option = (u32)p->arg[i];
    u64 argument = p->arg[i + 1];
    put_name(p, &names_arch_prctl, option);
    put_next(p);
    if (option == ARCH_GET_CPUID)
        return;
    if (option == ARCH_SET_CPUID)
        put_hex(p, argument);
    else if ((option == ARCH_GET_FS || option == ARCH_GET_GS) && p->ok) {
        u8 base[8];
        if (put_or_read(p, argument, base, p->word)) {
            put_char(p, '[');
            put_hex(p, get_word(p, base));
            put_char(p, ']');
        }
    } else {
        put_address(p, argument);
    }
}

static void put_nodemask_word(struct print *p, const u8 *bytes)
{
    put_format(p, "%#0*llx", (int)p->word * 2, (unsigned long long)get_word(p, bytes));
}

/* Bits of nodes in whole longs; the number of bits, plus one, is the next argument. */
static void arg_nodemask(struct print *p, unsigned i)
{
    u64 bits = p->arg[i + 1], word = p->word * 8;
    put_array(p, p->arg[i], bits == 0 ? 0 : (bits - 1) / word + ((bits - 1) % word != 0), p->word, put_nodemask_word);
}

void arg_in_nodemask(struct print *p, unsigned i) { arg_nodemask(p, i); }

void arg_out_nodemask(struct print *p, unsigned i) { arg_nodemask(p, i); }

void arg_out_mempolicy(struct print *p, unsigned i)
{
    u8 bytes[4];
    if (!put_or_read(p, p->arg[i], bytes, sizeof bytes))
        return;
    put_char(p, '[');
    put_name(p, &names_mempolicy, load_le32(bytes));
    put_char(p, ']');
}
