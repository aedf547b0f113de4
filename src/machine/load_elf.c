/* SPDX-License-Identifier: MIT
 * Loading ELF images: the segments, and a bare Linux vmlinux.
 * System V ABI, "Program Loading"; Linux documentation, "The Linux/x86 Boot Protocol", 32- and 64-bit entry.
 */
#include <gelf.h>
#include <string.h>

#include "base/bits.h"
#include "machine/direct_boot.h"

static bool load_segment(const struct boot_request *request, const GElf_Phdr *ph, u64 *end, struct error *err)
{
    const struct guest_file *kernel = &request->kernel;

    if (ph->p_offset > kernel->size || ph->p_filesz > kernel->size - ph->p_offset || ph->p_memsz < ph->p_filesz)
        return error_set(err, EXIT_FILE, "the ELF image '%s' is cut short: a segment lies outside the file",
                         kernel->path);
    if (ph->p_paddr < 0x100000 || ph->p_paddr > request->usable_low || ph->p_memsz > request->usable_low - ph->p_paddr)
        return error_set(
            err, EXIT_FILE,
            "the ELF image '%s' has a segment at physical %#llx (%llu KiB), outside the guest's memory: raise -m",
            kernel->path, (unsigned long long)ph->p_paddr, (unsigned long long)(ph->p_memsz >> 10));
    physmem_write(request->physmem, ph->p_paddr, kernel->bytes + ph->p_offset, ph->p_filesz, INITIATOR_LOADER);
    if (ph->p_paddr + ph->p_memsz > *end)
        *end = ph->p_paddr + ph->p_memsz;
    return true; /* the rest, up to p_memsz, is RAM that nobody wrote yet: zero */
}

static bool load_all(const struct boot_request *request, Elf *elf, u64 *end, struct error *err)
{
    size_t count;
    bool any = false;

    if (elf_getphdrnum(elf, &count) != 0)
        return error_set(err, EXIT_FILE, "the ELF image '%s' has no readable program headers", request->kernel.path);
    *end = 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr ph;

        if (gelf_getphdr(elf, (int)i, &ph) == NULL)
            return error_set(err, EXIT_FILE, "the ELF image '%s' has a damaged program header", request->kernel.path);
        if (ph.p_type != PT_LOAD || ph.p_memsz == 0)
            continue;
        if (!load_segment(request, &ph, end, err))
            return false;
        any = true;
    }
    if (!any)
        return error_set(err, EXIT_FILE, "the ELF image '%s' has nothing to load", request->kernel.path);
    return true;
}

bool elf_load_segments(const struct boot_request *request, u64 *entry, bool *is64, u64 *end, struct error *err)
{
    GElf_Ehdr eh;
    Elf *elf;
    bool ok = false;

    elf_version(EV_CURRENT);
    elf = elf_memory((char *)request->kernel.bytes, request->kernel.size);
    if (elf == NULL || gelf_getehdr(elf, &eh) == NULL)
        error_set(err, EXIT_FILE, "the ELF image '%s' has a damaged header", request->kernel.path);
    else if (eh.e_machine != EM_386 && eh.e_machine != EM_X86_64)
        error_set(err, EXIT_FILE, "the ELF image '%s' is for another processor (machine %u)", request->kernel.path,
                  eh.e_machine);
    else
        ok = load_all(request, elf, end, err);
    if (ok) {
        *entry = eh.e_entry;
        *is64 = eh.e_machine == EM_X86_64 && eh.e_ident[EI_CLASS] == ELFCLASS64;
    }
    if (elf != NULL)
        elf_end(elf);
    return ok;
}

bool vmlinux_load(const struct boot_request *request, struct boot_entry *entry, bool *claimed, struct error *err)
{
    u64 start, end;
    bool is64;

    if (request->kernel.size < EI_NIDENT || memcmp(request->kernel.bytes, ELFMAG, SELFMAG) != 0)
        return false;
    *claimed = true;
    if (!elf_load_segments(request, &start, &is64, &end, err))
        return false;
    if (start >= BIT(32))
        return error_set(err, EXIT_FILE,
                         "the ELF image '%s' has the entry point %#llx, which is not a physical address below 4 GiB",
                         request->kernel.path, (unsigned long long)start);
    if (is64 && !request->entry64)
        return error_set(err, EXIT_FILE,
                         "the kernel '%s' is 64-bit and the CPU model has no long mode: choose another -cpu",
                         request->kernel.path);
    if (!linux_boot_params(request, NULL, 0, end, 0x37FFFFFF, err))
        return false;
    *entry = (struct boot_entry){.mode = is64 ? 64 : 32, .esi = BOOT_PARAMS, .entry = start};
    if (is64)
        direct_boot_page_tables(request->physmem);
    return true;
}
