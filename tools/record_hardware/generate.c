/* SPDX-License-Identifier: MIT
 * Making cases: an encoding, the state that it runs from, and now and then something in its way.
 */
#include "generate.h"

#include <string.h>

#include "base/bits.h"
#include "cpu/isa/table.h"
#include "encode.h"
#include "execute.h"
#include "values.h"

#define CODE_OFFSET 0x400u    /* of the case's first byte in the code pages */
#define TARGET_OFFSET 0x1000u /* where branches go: INT3, in the second page */
#define STACK (HARDWARE_DATA + 0x8000u)
#define OPERAND (HARDWARE_DATA + 0x1000u) /* ordinary operands lie in the 8 KiB from here */
#define FS_BASE (HARDWARE_DATA + 0x4000u)
#define GS_BASE (HARDWARE_DATA + 0x6000u)
#define UNMAPPED 0x00200000u

/* ---- what is not recorded */

const char *generate_excuse(const struct insn_row *row)
{
    static const struct {
        const char *mnemonic, *reason;
    } excuses[] = {
        {"syscall", "it would call the host's kernel"},
        {"sysenter", "it would call the host's kernel"},
        {"int1", "a hypervisor that intercepts #DB distorts it"},
        {"cpuid", "its answer is the model's, not the architecture's"},
        {"rdtsc", "it never gives the same twice"},
        {"rdtscp", "it never gives the same twice"},
        {"rdpmc", "whether user code may is the host's choice"},
        {"rdrand", "it never gives the same twice"},
        {"rdseed", "it never gives the same twice"},
        {"rdpid", "its answer is the host's"},
        {"sgdt", "the host's kernel emulates it under UMIP"},
        {"sidt", "the host's kernel emulates it under UMIP"},
        {"sldt", "the host's kernel emulates it under UMIP"},
        {"str", "the host's kernel emulates it under UMIP"},
        {"smsw", "the host's kernel emulates it under UMIP"},
        {"xgetbv", "its answer is the host's"},
        {"xsave", "its size and contents follow the host's features"},
        {"xsave64", "its size and contents follow the host's features"},
        {"xsaveopt", "its contents follow the host's optimisation"},
        {"xsaveopt64", "its contents follow the host's optimisation"},
        {"xsavec", "its size and contents follow the host's features"},
        {"xsavec64", "its size and contents follow the host's features"},
        {"xrstor", "its size and contents follow the host's features"},
        {"xrstor64", "its size and contents follow the host's features"},
        {"monitor", "whether it exists at CPL 3 is the host's choice"},
        {"mwait", "whether it exists at CPL 3 is the host's choice"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(excuses); i++)
        if (strcmp(row->mnemonic, excuses[i].mnemonic) == 0)
            return excuses[i].reason;
    return NULL;
}

/* ---- the pool */

static u32 data_base(enum hardware_mode mode) { return mode == HARDWARE_16 ? HARDWARE_DATA : 0; }

static void pool_segments(enum hardware_mode mode, struct hardware_state *s)
{
    static const u16 code[HARDWARE_MODES] = {SEL_USER64, SEL_USER32, LDT_SELECTOR(LDT_CODE16)};
    u16 data = mode == HARDWARE_64 ? 0 : mode == HARDWARE_32 ? SEL_USER_DATA : LDT_SELECTOR(LDT_DATA16);

    s->selector[CS] = code[mode];
    s->selector[SS] = mode == HARDWARE_16 ? LDT_SELECTOR(LDT_DATA16) : SEL_USER_DATA;
    s->selector[DS] = s->selector[ES] = data;
    if (mode == HARDWARE_64) {
        s->fs_base = FS_BASE;
        s->gs_base = GS_BASE;
    } else {
        s->selector[FS] = LDT_SELECTOR(LDT_FS32);
        s->selector[GS] = LDT_SELECTOR(LDT_DATA32);
        s->fs_base = HARDWARE_DATA + 0x4000;
        s->gs_base = 0;
    }
}

void generate_pool_state(enum hardware_mode mode, unsigned index, struct hardware_state *s)
{
    struct rng rng = {.state = 0x5EED0000u + mode * 1000u + index};
    u32 base = data_base(mode);

    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < (mode == HARDWARE_64 ? 16u : 8u); i++)
        s->gpr[i] = mode == HARDWARE_64 ? value_integer(&rng) : (u32)value_integer(&rng);
    s->gpr[RSP] = STACK - base + 8 * rng_below(&rng, 16);
    s->gpr[RBP] = STACK + 0x400 - base + 8 * rng_below(&rng, 16);
    s->gpr[RSI] = OPERAND + 16 * rng_below(&rng, 64) - base;
    s->gpr[RDI] = OPERAND + 0x1000 + 16 * rng_below(&rng, 64) - base;
    s->gpr[RBX] = OPERAND + 0x800 + 16 * rng_below(&rng, 64) - base;
    s->gpr[RCX] = rng_below(&rng, 6);
    s->rip = CODE_OFFSET + (mode == HARDWARE_16 ? 0 : HARDWARE_CODE);
    s->rflags = 0x202 | (rng_next(&rng) & FLAGS_ARITHMETIC);
    s->mxcsr = 0x1F80;
    s->x87_control = 0x37F;
    s->x87_valid = 0xFF;
    pool_segments(mode, s);
    for (unsigned i = 0; i < 8; i++)
        value_extended(&rng, s->x87[i]);
    for (unsigned i = 0; i < (mode == HARDWARE_64 ? 16u : 8u); i++)
        value_vector(&rng, s->xmm[i]);
}

/* ---- a case under construction */

struct making {
    struct rng *rng;
    const struct cpu_model *model;
    struct hardware_case *c;
    struct encoding e;
    enum hardware_mode mode;
    bool ac;     /* alignment is checked */
    u32 operand; /* linear address of the memory operand; 0: none */
};

static bool is_named(const struct making *m, const char *mnemonic) { return strcmp(m->e.row->mnemonic, mnemonic) == 0; }
static bool chance(struct making *m, u32 percent) { return rng_chance(m->rng, percent); }
static u32 below(struct making *m, u32 limit) { return rng_below(m->rng, limit); }

static void set_gpr(struct making *m, unsigned number, u64 value)
{
    m->c->before.gpr[number] = m->mode == HARDWARE_64 ? value : (u32)value;
}

/* Bytes of memory that differ from the background; what lies outside of the places is left out. */
static void put_memory(struct making *m, u32 address, const u8 *bytes, u16 size)
{
    struct hardware_case *c = m->c;

    if (c->runs_before == HARDWARE_RUNS_MAX || address < HARDWARE_DATA || address >= HARDWARE_READ_ONLY_END)
        return;
    if (size > HARDWARE_READ_ONLY_END - address)
        size = (u16)(HARDWARE_READ_ONLY_END - address);
    if (address < HARDWARE_DATA_END && size > HARDWARE_DATA_END - address)
        size = (u16)(HARDWARE_DATA_END - address);
    c->before_run[c->runs_before++] = (struct hardware_bytes){address, size, c->bytes_used};
    memcpy(c->bytes + c->bytes_used, bytes, size);
    c->bytes_used = (u16)(c->bytes_used + size);
}

/* Where a branch may go, as an offset. */
static u64 branch_target(struct making *m)
{
    u64 base = m->mode == HARDWARE_16 ? 0 : HARDWARE_CODE;

    if (chance(m, 85))
        return base + TARGET_OFFSET + below(m, 0x800);
    switch (below(m, 4)) {
    case 0: return UNMAPPED + below(m, 0x1000);
    case 1: return HARDWARE_DATA + below(m, 0x1000); /* not executable */
    case 2: return m->mode == HARDWARE_64 ? BIT(47) + (rng_next(m->rng) & 0xFFFFFFFFFFF) : 0xFFFF0000u;
    default: return base + below(m, 0x2000);
    }
}

static unsigned operand_bytes(const struct making *m) { return 1u << m->e.insn.width; }

/* ---- operands in memory */

static u64 segment_base(const struct making *m, unsigned segment)
{
    const struct hardware_state *s = &m->c->before;

    if (segment == FS)
        return s->fs_base;
    if (segment == GS)
        return s->gs_base;
    return m->mode == HARDWARE_16 && segment != CS ? HARDWARE_DATA : m->mode == HARDWARE_16 ? HARDWARE_CODE : 0;
}

static u32 choose_operand_address(struct making *m)
{
    u32 plain = OPERAND + below(m, 0x200) * 16;

    if (m->ac)
        return plain + below(m, 16);
    if (chance(m, 82))
        return chance(m, 85) ? plain : plain + below(m, 16);
    switch (below(m, 5)) {
    case 0: return HARDWARE_DATA_END - below(m, 17); /* into the read-only page */
    case 1: return HARDWARE_READ_ONLY + below(m, 0xF00);
    case 2: return HARDWARE_READ_ONLY_END - below(m, 17); /* into nothing */
    case 3: return HARDWARE_DATA - below(m, 17);          /* from code into data */
    default: return UNMAPPED + below(m, 0x1000);
    }
}

static u64 address_mask(const struct making *m)
{
    return m->e.insn.address_width == W16 ? 0xFFFF : m->e.insn.address_width == W32 ? 0xFFFFFFFF : ~0ull;
}

static void store_number(u8 *at, u64 value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (u8)(value >> (8 * i));
}

/* Make the addressing form give `offset`. returns: false when it cannot */
static bool solve_address(struct making *m, u64 offset)
{
    struct insn *i = &m->e.insn;
    u64 index = 0, need;
    bool moffs = m->e.modrm_at == 0 || m->e.disp_at == 0;

    if (moffs) {
        unsigned size = 1u << i->address_width;

        store_number(m->e.bytes + m->e.length - size, offset & address_mask(m), size);
        return encode_again(&m->e, m->model, m->mode);
    }
    if (i->index != REG_NONE) {
        if (i->index == i->base || i->index == RSP)
            return false;
        set_gpr(m, i->index, below(m, 24));
        if (i->address_width == W16)
            set_gpr(m, i->index, (m->c->before.gpr[i->index] & 0xFFFF) | (u32)below(m, 2) << 20);
        index = m->c->before.gpr[i->index] << i->scale;
    }
    if (i->base == REG_RIP || i->base == REG_NONE) {
        u64 from = i->base == REG_RIP ? m->c->before.rip + m->e.length : 0;

        store_number(m->e.bytes + m->e.disp_at, offset - from - index, m->e.disp_size);
        return m->e.disp_size != 0 && encode_again(&m->e, m->model, m->mode);
    }
    need = (offset - index - (u64)(i64)i->disp) & address_mask(m);
    if (i->address_width == W16)
        need |= below(m, 4) == 0 ? (u64)below(m, 0xFFFF) << 16 : 0;
    else if (m->mode == HARDWARE_64 && i->address_width == W32)
        need |= below(m, 4) == 0 ? rng_next(m->rng) << 32 : 0;
    set_gpr(m, i->base, need);
    return true;
}

static void put_far_pointer(struct making *m, u8 *bytes)
{
    unsigned size = operand_bytes(m);
    bool code = is_named(m, "callf") || is_named(m, "jmpf");

    store_number(bytes, code ? branch_target(m) : value_integer(m->rng), size);
    store_le16(bytes + size, code ? value_code_selector(m->rng, m->mode) : value_selector(m->rng));
}

static void fill_operand(struct making *m, u8 *bytes)
{
    const struct insn_row *row = m->e.row;

    value_vector(m->rng, bytes);
    if (row->operand[0] == M_p || row->operand[1] == M_p)
        put_far_pointer(m, bytes);
    else if (row->attributes & BRANCH ||
             ((row->opcode == 0xFF && row->map == M1) && (is_named(m, "call") || is_named(m, "jmp"))))
        store_le64(bytes, branch_target(m));
    else if (is_named(m, "mov") && row->operand[0] == S_w)
        store_le16(bytes, value_selector(m->rng));
    else if (is_named(m, "lar") || is_named(m, "lsl") || is_named(m, "verr") || is_named(m, "verw") ||
             is_named(m, "arpl"))
        store_le16(bytes, value_selector(m->rng));
    else if (row->attributes & X87 && chance(m, 60))
        value_extended(m->rng, bytes);
    else if (!(row->attributes & (X87 | MMX | SSE)) || chance(m, 25))
        store_le64(bytes, value_integer(m->rng));
    if (is_named(m, "ldmxcsr"))
        store_le32(bytes, chance(m, 80) ? (u32)rng_next(m->rng) & 0xFFFF : (u32)rng_next(m->rng));
    if (is_named(m, "fldcw"))
        store_le16(bytes, (u16)(chance(m, 50) ? rng_next(m->rng) : 0x37F));
}

/* Images of the whole x87 or SSE state. */
static void fill_image(struct making *m)
{
    u8 image[512];

    for (unsigned i = 0; i < sizeof image; i += 2)
        store_le16(image + i, (u16)rng_next(m->rng));
    if (is_named(m, "fxrstor") || is_named(m, "fxrstor64")) {
        store_le16(image, (u16)(0x37F | (rng_next(m->rng) & 0xC00)));
        store_le16(image + 2, (u16)rng_next(m->rng) & 0x7F7F & 0x7FC0); /* no exception pends: its pointers differ */
        image[5] = 0;
        store_le16(image + 6, 0);
        memset(image + 8, 0, 16);
        store_le32(image + 24, chance(m, 85) ? (u32)rng_next(m->rng) & 0xFFBF : (u32)rng_next(m->rng));
        for (unsigned i = 0; i < 8; i++)
            value_extended(m->rng, image + 32 + 16 * i);
    } else {
        bool wide = m->e.insn.width != W16;

        memset(image, 0, 28); /* pointers stay zero: what they hold is no register that is compared */
        store_le16(image, (u16)(0x37F | (rng_next(m->rng) & 0xC00)));
        store_le16(image + (wide ? 4 : 2), (u16)rng_next(m->rng) & 0x7F00);
        store_le16(image + (wide ? 8 : 4), (u16)rng_next(m->rng));
    }
    put_memory(m, m->operand, image, sizeof image);
}

static bool restores_image(const struct making *m)
{
    return is_named(m, "fxrstor") || is_named(m, "fxrstor64") || is_named(m, "fldenv") || is_named(m, "frstor");
}

static bool put_operand(struct making *m)
{
    u8 bytes[16];
    u32 address = choose_operand_address(m);
    u64 offset = (address - segment_base(m, m->e.insn.seg)) & (m->mode == HARDWARE_64 ? ~0ull : 0xFFFFFFFF);

    if (m->e.insn.address_width == W16 && offset > 0xFFFF) {
        address = (u32)segment_base(m, m->e.insn.seg) + 0xFFF0 + below(m, 16); /* over the end of a 16-bit offset */
        offset = (u16)(0xFFF0 + (address & 15));
    }
    if (m->mode == HARDWARE_64 && m->e.insn.address_width == W64 && m->e.insn.base < 16 && chance(m, 3)) {
        offset = BIT(47) + (rng_next(m->rng) & 0xFFFFFFFFFF); /* not canonical */
        address = UNMAPPED;
    }
    if (!solve_address(m, offset))
        return false;
    m->operand = address;
    if (restores_image(m)) {
        fill_image(m);
        return true;
    }
    fill_operand(m, bytes);
    put_memory(m, address, bytes, sizeof bytes);
    return true;
}

/* ---- operands in registers */

static u64 register_value(struct making *m)
{
    if (is_named(m, "lar") || is_named(m, "lsl") || is_named(m, "verr") || is_named(m, "verw") || is_named(m, "arpl") ||
        (is_named(m, "mov") && m->e.row->operand[0] == S_w))
        return value_selector(m->rng) | (chance(m, 20) ? rng_next(m->rng) << 16 : 0);
    if (m->e.row->opcode == 0xFF && (is_named(m, "call") || is_named(m, "jmp")))
        return branch_target(m);
    if ((is_named(m, "wrfsbase") || is_named(m, "wrgsbase")) && chance(m, 70))
        return rng_next(m->rng) & (BIT(47) - 1);
    return value_integer(m->rng);
}

static void put_register(struct making *m, u8 kind, u8 number)
{
    switch (kind) {
    case E_b:
    case G_b:
    case Z_b:
    case AL_:
        number = (u8)(number >= REG8_HIGH ? number - REG8_HIGH : number); /* AH is in RAX */
        set_gpr(m, number & 15, value_integer(m->rng));
        break;
    case E_w:
    case E_d:
    case E_q:
    case E_v:
    case E_y:
    case E_v64:
    case G_w:
    case G_d:
    case G_q:
    case G_v:
    case G_y:
    case G_z:
    case R_v:
    case R_y:
    case R_d:
    case R_q:
    case Z_v:
    case Z_v64:
    case Z_y:
    case AX_:
    case rAX:
        if ((number & 15) != RSP || chance(m, 50))
            set_gpr(m, number & 15, register_value(m));
        break;
    case CL_: set_gpr(m, RCX, chance(m, 70) ? below(m, 70) : value_integer(m->rng)); break;
    case V_x:
    case W_x:
    case W_d:
    case W_q:
    case U_x: value_vector(m->rng, m->c->before.xmm[number & 15]); break;
    default: break;
    }
}

static bool is_memory_kind(const struct making *m, unsigned operand)
{
    return encode_has_memory(&m->e) && (operand == (m->e.insn.form == FORM_RM ? 1u : 0u));
}

static void put_registers(struct making *m)
{
    const u8 numbers[3] = {m->e.insn.dst, m->e.insn.src, m->e.insn.reg3};

    if (chance(m, 35))
        set_gpr(m, RAX, value_integer(m->rng));
    if (chance(m, 20))
        set_gpr(m, RDX, value_integer(m->rng));
    for (unsigned i = 0; i < 3; i++)
        if (!is_memory_kind(m, i))
            put_register(m, m->e.row->operand[i], numbers[i]);
}

/* ---- x87, MMX and SSE state */

static void put_mmx(struct making *m)
{
    struct hardware_state *s = &m->c->before;

    for (unsigned i = 0; i < 8; i++) {
        store_le64(s->x87[i], value_integer(m->rng));
        store_le16(s->x87[i] + 8, 0xFFFF);
    }
    s->x87_valid = chance(m, 80) ? 0xFF : (u8)rng_next(m->rng);
    s->x87_status = (u16)(chance(m, 20) ? below(m, 8) << 11 : 0);
}

/* Exception flags with an unmasked one among them make the summary bits. SDM 1, "x87 FPU Status Register" */
static void pend(struct hardware_state *s, u16 flags)
{
    s->x87_status |= flags & 0x3F;
    if (s->x87_status & ~s->x87_control & 0x3F)
        s->x87_status |= 0x8080;
}

static void put_x87(struct making *m)
{
    struct hardware_state *s = &m->c->before;

    s->x87_status = (u16)(below(m, 8) << 11 | (below(m, 16) & 7) << 8 | (below(m, 2) << 14));
    s->x87_valid = chance(m, 70) ? 0xFF : (u8)rng_next(m->rng);
    for (unsigned i = 0; i < 4; i++)
        if (chance(m, i == 0 ? 90 : 40))
            value_extended(m->rng, s->x87[i]);
    if (chance(m, 35))
        s->x87_control = (u16)(0x37F ^ (below(m, 4) << 10) ^ (chance(m, 50) ? below(m, 4) << 8 : 0));
    if (chance(m, 18))
        s->x87_control &= (u16)~below(m, 64);
    if (chance(m, 8))
        pend(s, (u16)below(m, 64));
}

static void put_simd(struct making *m)
{
    struct hardware_state *s = &m->c->before;

    if (chance(m, 60))
        value_vector(m->rng, s->xmm[0]); /* an operand that no encoding names */
    if (chance(m, 40))
        s->mxcsr = 0x1F80 ^ (below(m, 4) << 13) ^ (chance(m, 30) ? 0x8000 : 0) ^ (chance(m, 30) ? 0x40 : 0) ^
                   (chance(m, 40) ? below(m, 64) << 7 : 0) ^ (chance(m, 20) ? below(m, 64) : 0);
}

/* ---- the stack, strings, and what else has operands of its own */

static void put_on_stack(struct making *m, const u64 *words, unsigned count, unsigned size)
{
    u8 bytes[64];
    u32 at = (u32)m->c->before.gpr[RSP] + data_base(m->mode);

    for (unsigned i = 0; i < count; i++)
        store_number(bytes + i * size, words[i], size);
    put_memory(m, at, bytes, (u16)(count * size));
}

/* TF would trap behind the instruction. */
static u64 any_flags(struct making *m) { return rng_next(m->rng) & ~0x100ull; }

static u64 stack_pointer(struct making *m)
{
    if (m->mode == HARDWARE_64 && chance(m, 10))
        return BIT(47) + below(m, 0x10000);
    return STACK - data_base(m->mode) + 8 * below(m, 32);
}

static void put_stack(struct making *m)
{
    static const char *const far_returns[] = {"retf", "iret"};
    unsigned size = operand_bytes(m) < 2 ? 2 : operand_bytes(m);
    u16 stack = m->mode == HARDWARE_16 ? LDT_SELECTOR(LDT_DATA16) : SEL_USER_DATA;
    u64 words[6] = {branch_target(m), value_code_selector(m->rng, m->mode),           any_flags(m),
                    stack_pointer(m), chance(m, 70) ? stack : value_selector(m->rng), 0};

    if (is_named(m, "ret")) {
        put_on_stack(m, words, 1, size);
    } else if (is_named(m, far_returns[0]) || is_named(m, far_returns[1])) {
        put_on_stack(m, words, 5, size);
    } else if (is_named(m, "popf")) {
        put_on_stack(m, words + 2, 1, size);
    } else if (is_named(m, "pop")) {
        words[0] = m->e.row->operand[0] == S_w ? value_selector(m->rng) : value_integer(m->rng);
        put_on_stack(m, words, 1, size);
    }
    if (m->e.row->attributes & STACK || is_named(m, "enter") || is_named(m, "leave") || is_named(m, "pusha")) {
        if (chance(m, 6)) /* at the edges of data: below lies code, above nothing to write to */
            set_gpr(m, RSP,
                    (chance(m, 50) ? HARDWARE_DATA + below(m, 40) : HARDWARE_READ_ONLY_END - below(m, 40)) -
                        data_base(m->mode));
        else if (chance(m, 3))
            set_gpr(m, RSP, m->mode == HARDWARE_64 ? BIT(47) + 8 * below(m, 16) : below(m, 16));
    }
}

static void put_string(struct making *m)
{
    u32 base = data_base(m->mode), same = chance(m, 50) ? 8 : 0;
    u8 bytes[16];
    u32 from = OPERAND + below(m, 0x400), to = OPERAND + 0x1000 + below(m, 0x400);

    if (chance(m, 10))
        from = HARDWARE_READ_ONLY_END - below(m, 24); /* the end comes in the middle */
    if (chance(m, 10))
        to = chance(m, 50) ? HARDWARE_DATA_END - below(m, 24) : HARDWARE_DATA + below(m, 24);
    memset(bytes, (int)below(m, 4), sizeof bytes);
    set_gpr(m, RSI, from - base);
    set_gpr(m, RDI, to - base);
    set_gpr(m, RCX, chance(m, 90) ? below(m, 7) : 40 + below(m, 40));
    if (same != 0) {
        put_memory(m, from, bytes, 16);
        bytes[same + below(m, 8)] ^= 1;
        put_memory(m, to, bytes, 16);
        set_gpr(m, RAX, bytes[0] * 0x0101010101010101ull);
    }
    if (chance(m, 40))
        m->c->before.rflags |= FLAG_DF;
}

static bool is_string(const struct making *m) { return (m->e.row->attributes & REPABLE) != 0; }

/* Immediates that must mean something. */
static bool put_immediates(struct making *m)
{
    u8 *end = m->e.bytes + m->e.length;
    const u8 *operand = m->e.row->operand;
    unsigned size = m->e.insn.width == W16 ? 2 : 4;

    if (operand[0] == A_p) {
        store_number(end - 2 - size, branch_target(m), size);
        store_le16(end - 2, value_code_selector(m->rng, m->mode));
    } else if (operand[0] == J_z) {
        bool narrow = m->e.insn.width == W16;
        i32 displacement = chance(m, 85) ? (i32)below(m, 0x600) - 0x300 : (i32)below(m, 0x100000);

        store_number(end - (narrow ? 2 : 4), (u64)(i64)displacement, narrow ? 2 : 4);
    } else if (is_named(m, "enter")) {
        store_le16(end - 3, (u16)(chance(m, 85) ? below(m, 0x100) : rng_next(m->rng)));
        end[-1] = (u8)(chance(m, 50) ? 0 : below(m, 64));
    } else if (is_named(m, "int") && end[-1] == 0x80) {
        end[-1] = 0x81; /* Linux's own */
    } else if (operand[0] == I_w && (is_named(m, "ret") || is_named(m, "retf"))) {
        store_le16(end - 2, (u16)below(m, 0x80));
    }
    return encode_again(&m->e, m->model, m->mode);
}

static void put_special(struct making *m)
{
    struct hardware_state *s = &m->c->before;

    if (is_named(m, "div") || is_named(m, "idiv")) {
        if (chance(m, 60))
            set_gpr(m, RDX, chance(m, 50) ? 0 : ~0ull);
        if (m->e.insn.width == W8 && chance(m, 60))
            set_gpr(m, RAX, below(m, 0x400));
    } else if (is_named(m, "xlat")) {
        set_gpr(m, RBX, OPERAND - (u32)segment_base(m, m->e.insn.seg));
    } else if (is_named(m, "maskmovq") || is_named(m, "maskmovdqu")) {
        set_gpr(m, RDI, OPERAND + below(m, 0x400) - (u32)segment_base(m, m->e.insn.seg));
    } else if (is_named(m, "cmpxchg8b") || is_named(m, "cmpxchg16b") || is_named(m, "cmpxchg")) {
        u64 value = value_integer(m->rng), upper = value_integer(m->rng);
        u8 bytes[16];

        if (!chance(m, 50))
            return;
        set_gpr(m, RAX, value); /* equal: the exchange takes place */
        set_gpr(m, RDX, is_named(m, "cmpxchg8b") ? value >> 32 : upper);
        store_le64(bytes, value);
        store_le64(bytes + 8, upper);
        if (m->operand != 0)
            put_memory(m, m->operand, bytes, 16);
    } else if (is_named(m, "pcmpestri") || is_named(m, "pcmpestrm")) {
        set_gpr(m, RAX, below(m, 40) - 20u);
        set_gpr(m, RDX, below(m, 40) - 20u);
    } else if (is_named(m, "loop") || is_named(m, "loope") || is_named(m, "loopne") || is_named(m, "jrcxz")) {
        set_gpr(m, RCX, chance(m, 80) ? below(m, 3) : value_integer(m->rng));
    }
    (void)s;
}

/* ---- the whole */

static void put_flags(struct making *m)
{
    struct hardware_state *s = &m->c->before;

    s->rflags = (s->rflags & ~(u32)FLAGS_ARITHMETIC) | (u32)(rng_next(m->rng) & FLAGS_ARITHMETIC);
    m->ac = chance(m, 4);
    if (m->ac)
        s->rflags |= FLAG_AC;
}

/* Another data segment, where segments have limits and types. */
static void change_segment(struct making *m)
{
    static const u16 data[] = {0,
                               3,
                               SEL_USER_DATA,
                               SEL_USER32,
                               LDT_SELECTOR(LDT_READ_ONLY),
                               LDT_SELECTOR(LDT_DOWN),
                               LDT_SELECTOR(LDT_DOWN16),
                               LDT_SELECTOR(LDT_SMALL_DATA),
                               LDT_SELECTOR(LDT_SMALL_CODE),
                               LDT_SELECTOR(LDT_CODE16),
                               LDT_SELECTOR(LDT_DATA32)};

    if (m->mode != HARDWARE_64 && chance(m, 7))
        m->c->before.selector[chance(m, 70) ? DS : ES] = data[below(m, ARRAY_LEN(data))];
}

/* The instruction's last bytes lie on a page that is not there. */
static void move_to_the_end(struct making *m)
{
    struct hardware_case *c = m->c;

    c->before.rip = (m->mode == HARDWARE_16 ? 0 : HARDWARE_CODE) + (HARDWARE_CODE_END - HARDWARE_CODE) - 1 -
                    below(m, c->length + 1u);
}

static bool uses_rip(const struct making *m)
{
    return m->e.insn.base == REG_RIP || m->e.row->operand[0] == J_b || m->e.row->operand[0] == J_z;
}

/* Prefixes that later processors have given a meaning: TZCNT is a BSF that ignores its prefix where there is none. */
static bool means_more_elsewhere(const struct encoding *e)
{
    return (e->insn.prefixes & PREFIX_REP) && strcmp(e->row->mnemonic, "bsf") == 0;
}

static bool is_gpr_kind(u8 kind)
{
    return (kind >= E_w && kind <= E_y) || (kind >= G_w && kind <= G_z) || (kind >= R_v && kind <= R_q) ||
           kind == E_v64 || kind == Z_v || kind == Z_v64 || kind == Z_y;
}

/* A return to a 16-bit stack leaves bits of the kernel's own stack pointer in the upper half of ESP (Linux's espfix
 * moves them, and does not hide them): no result may depend on it. */
static bool reads_upper_stack_pointer(const struct making *m)
{
    const u8 numbers[3] = {m->e.insn.dst, m->e.insn.src, m->e.insn.reg3};

    if (m->mode != HARDWARE_16)
        return false;
    if (encode_has_memory(&m->e) && m->e.insn.base == RSP)
        return true;
    for (unsigned i = 0; i < 3; i++)
        if (is_gpr_kind(m->e.row->operand[i]) && !is_memory_kind(m, i) && numbers[i] == RSP)
            return true;
    return is_named(m, "pusha") || is_named(m, "enter") ? m->e.insn.width != W16 : false;
}

bool generate_case(struct rng *rng, const struct cpu_model *model, unsigned row, enum hardware_mode mode,
                   struct hardware_case *c)
{
    struct making m = {.rng = rng, .model = model, .c = c, .mode = mode};

    memset(c, 0, sizeof *c);
    c->mode = mode;
    if (!encode_row(rng, model, row, mode, &m.e) || means_more_elsewhere(&m.e) || reads_upper_stack_pointer(&m))
        return false;
    generate_pool_state(mode, rng_below(rng, GENERATE_POOL), &c->before);
    put_flags(&m);
    if (!put_immediates(&m))
        return false;
    put_registers(&m);
    if (m.e.row->attributes & MMX)
        put_mmx(&m);
    else if (m.e.row->attributes & X87)
        put_x87(&m);
    if (m.e.row->attributes & SSE)
        put_simd(&m);
    if (is_string(&m))
        put_string(&m);
    else if (encode_has_memory(&m.e) && !put_operand(&m))
        return false;
    put_stack(&m);
    put_special(&m);
    change_segment(&m);
    c->length = m.e.length;
    memcpy(c->code, m.e.bytes, c->length);
    if (!uses_rip(&m) && chance(&m, 1))
        move_to_the_end(&m);
    return true;
}

bool generate_undefined(struct rng *rng, const struct cpu_model *model, enum hardware_mode mode,
                        struct hardware_case *c)
{
    static const u8 first[] = {0x0F, 0x0F, 0x0F, 0x66, 0xF3, 0xF2, 0xD9, 0xDB, 0xDD, 0xDF, 0xFF, 0xFE, 0xC6, 0xC7, 0x8F,
                               0x8E, 0xF0, 0x06, 0x60, 0xD6, 0x9A, 0xEA, 0x62, 0x82, 0xCE, 0xD4, 0xF6, 0x80, 0x00};
    struct insn insn;

    memset(c, 0, sizeof *c);
    c->mode = mode;
    c->length = 15;
    for (unsigned i = 0; i < 15; i++)
        c->code[i] = (u8)rng_next(rng);
    c->code[0] = first[rng_below(rng, sizeof first)];
    if (c->code[0] == 0x66 || c->code[0] >= 0xF0)
        c->code[1] = 0x0F;
    generate_pool_state(mode, rng_below(rng, GENERATE_POOL), &c->before);
    return insn_decode(&insn, c->code, 15, generate_key(mode), model) == DECODE_OK && insn.row == insn_row_count;
}
