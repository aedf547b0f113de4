/* SPDX-License-Identifier: MIT
 * The architectural state as text: what the state hash covers, word by word, for people and for tools/bisect.
 */
#include "cli/checkpoints.h"
#include "cpu/flags.h"

/* Where a member of the MSR file stands, in words. */
#define MSR(name) #name, offsetof(struct msr_file, name) / 8, sizeof((struct msr_file *)0)->name / 8

static const struct {
    const char *name;
    size_t first, count; /* in words of the MSR file */
} msrs[] = {
    {MSR(efer)},        {MSR(star)},         {MSR(lstar)},        {MSR(cstar)},          {MSR(fmask)},
    {MSR(sysenter_cs)}, {MSR(sysenter_esp)}, {MSR(sysenter_eip)}, {MSR(kernel_gs_base)}, {MSR(tsc_offset)},
    {MSR(tsc_aux)},     {MSR(tsc_adjust)},   {MSR(apic_base)},    {MSR(misc_enable)},    {MSR(feature_control)},
    {MSR(spec_ctrl)},   {MSR(pat)},          {MSR(debugctl)},     {MSR(platform_info)},  {MSR(mtrr_def_type)},
    {MSR(mtrr_fixed)},  {MSR(mtrr_base)},    {MSR(mtrr_mask)},    {MSR(mcg_status)},     {MSR(syscfg)},
    {MSR(hwcr)},        {MSR(patch_level)},  {MSR(top_mem)},      {MSR(top_mem2)},       {MSR(nb_cfg)},
    {MSR(de_cfg)},      {MSR(perf_select)},  {MSR(perf_count)},
};

static void word(FILE *out, const char *name, u64 value) { fprintf(out, " %s=%llx", name, (unsigned long long)value); }

static void print_general(FILE *out, struct cpu *cpu)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    const struct cpu_arch *a = &cpu->arch;

    fprintf(out, "  mode=%s cpl=%u", cpu_mode_name(cpu->d.mode), a->cpl);
    word(out, "rip", a->rip);
    word(out, "rflags", flags_get(cpu));
    fputs("\n ", out);
    for (unsigned i = 0; i < 16; i++)
        word(out, names[i], a->gpr[i]);
    fputc('\n', out);
}

static void print_segments(FILE *out, const struct cpu_arch *a)
{
    static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};

    fputc(' ', out);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        const struct segment *s = i < 6 ? &a->seg[i] : i == 6 ? &a->ldtr : &a->tr;

        fprintf(out, " %s=%x:%llx:%x:%x", names[i], s->selector, (unsigned long long)s->base, s->limit, s->attr);
    }
    fprintf(out, " gdtr=%llx:%x idtr=%llx:%x\n", (unsigned long long)a->gdtr.base, a->gdtr.limit,
            (unsigned long long)a->idtr.base, a->idtr.limit);
}

static void print_system(FILE *out, const struct cpu_arch *a)
{
    const u64 *file = (const u64 *)&a->msr;

    fputc(' ', out);
    word(out, "cr0", a->cr0);
    word(out, "cr2", a->cr2);
    word(out, "cr3", a->cr3);
    word(out, "cr4", a->cr4);
    word(out, "xcr0", a->xcr0);
    for (unsigned i = 0; i < 8; i++)
        fprintf(out, " dr%u=%llx", i, (unsigned long long)a->dr[i]);
    for (unsigned i = 0; i < 4; i++)
        fprintf(out, " pdpte%u=%llx", i, (unsigned long long)a->pdpte[i]);
    word(out, "pending_debug", a->pending_debug);
    word(out, "activity", a->activity);
    word(out, "shadow", a->shadow);
    word(out, "nmi_pending", a->nmi_pending);
    word(out, "nmi_blocked", a->nmi_blocked);
    word(out, "init_pending", a->init_pending);
    word(out, "smi_pending", a->smi_pending);
    word(out, "smbase", a->smbase);
    word(out, "monitor_address", a->monitor_address);
    word(out, "monitor_armed", a->monitor_armed);
    fputs("\n ", out);
    for (unsigned i = 0; i < ARRAY_LEN(msrs); i++)
        for (size_t k = 0; k < msrs[i].count; k++) {
            u64 value = file[msrs[i].first + k];

            if (msrs[i].count == 1)
                word(out, msrs[i].name, value);
            else
                fprintf(out, " %s_%zu=%llx", msrs[i].name, k, (unsigned long long)value);
        }
    fputc('\n', out);
}

static void print_floating_point(FILE *out, const struct cpu_arch *a)
{
    fputc(' ', out);
    word(out, "x87_control", a->x87_control);
    word(out, "x87_status", a->x87_status);
    word(out, "x87_tag", a->x87_tag);
    word(out, "x87_opcode", a->x87_opcode);
    fprintf(out, " x87_ip=%x:%llx x87_dp=%x:%llx", a->x87_cs, (unsigned long long)a->x87_ip, a->x87_ds,
            (unsigned long long)a->x87_dp);
    for (unsigned i = 0; i < 8; i++)
        fprintf(out, " x87_r%u=%04x:%016llx", i, a->x87[i].sign_exponent, (unsigned long long)a->x87[i].mantissa);
    fputs("\n ", out);
    word(out, "mxcsr", a->mxcsr);
    for (unsigned i = 0; i < 16; i++)
        fprintf(out, " xmm%u=%016llx%016llx", i, (unsigned long long)a->xmm[i].u64[1],
                (unsigned long long)a->xmm[i].u64[0]);
    fputc('\n', out);
}

/* The bytes of the next instruction, as far as they are mapped. */
static void print_code(FILE *out, const struct cpu *cpu)
{
    laddr_t at = (cpu->arch.rip + cpu->d.seg_base[CS]) & cpu->d.laddr_mask;
    u8 byte;

    fputs("  code=", out);
    for (unsigned i = 0; i < 15 && mmu_peek(&cpu->mmu, (at + i) & cpu->d.laddr_mask, &byte, 1); i++)
        fprintf(out, "%02x", byte);
    fputc('\n', out);
}

void registers_print(FILE *out, struct cpu *cpu)
{
    print_general(out, cpu);
    print_code(out, cpu);
    print_segments(out, &cpu->arch);
    print_system(out, &cpu->arch);
    print_floating_point(out, &cpu->arch);
}
