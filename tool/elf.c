// SPDX-License-Identifier: MIT
// In:     the bytes of an ELF file, from anywhere.
// Out:    its loadable segments as they lie in memory, in one blob; where that goes and starts.
// Always: no byte is read that the file does not have, no sum wraps, and what is made is little
//         larger than the file, whatever its headers say.
//
// Numbers and layout: System V ABI, "ELF Header" and "Program Header". <elf.h> has the structs.

#include "config.h"
#include "kernel.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS_MAX = 64 };

// How much there may be between segments beside what the file has.
#define GAPS_MAX (64ull << 20)

#define RAM_LAST (GUEST_RAM + (1ull << 40))

struct segment {
    uint64_t       address, virtual, size, file_size;
    const uint8_t *data;
};

struct segments {
    unsigned       n;
    struct segment s[SEGMENTS_MAX];
};

// Machine numbers of the ELF specification.
static const struct {
    uint16_t    number;
    const char *name;
} machines[] = {
    { EM_386, "i386" },   { EM_MIPS, "MIPS" },   { EM_PPC, "PowerPC" }, { EM_PPC64, "PowerPC64" },
    { EM_S390, "S/390" }, { EM_ARM, "Arm" },     { EM_X86_64, "x86-64" },
    { EM_AARCH64, "AArch64" }, { 258, "LoongArch" },
};

static bool wrong_machine(const struct place *at, unsigned machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        if (machines[i].number == machine)
            return wrong_at(at, "an ELF file for %s; give a kernel for riscv64", machines[i].name);
    return wrong_at(at, "an ELF file for machine number %u; give a kernel for riscv64", machine);
}

static bool header_check(const Elf64_Ehdr *h, const struct blob *file, const struct place *at)
{
    if (file->size < sizeof *h)
        return wrong_at(at, "an ELF file that is cut short; give a whole one for riscv64");
    if (h->e_ident[EI_DATA] != ELFDATA2LSB)
        return wrong_at(at, "a big-endian ELF file; give a kernel for riscv64");
    if (h->e_machine != EM_RISCV)
        return wrong_machine(at, h->e_machine);
    if (h->e_ident[EI_CLASS] != ELFCLASS64)
        return wrong_at(at, "a 32-bit ELF file; give a kernel for riscv64");
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return wrong_at(at, "an ELF file that is no program; link it first");
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == PN_XNUM || h->e_phoff > file->size
        || h->e_phnum > (file->size - h->e_phoff) / sizeof(Elf64_Phdr))
        return wrong_at(at, "its program headers are not in the file; build it again");
    return true;
}

static bool segment_check(const Elf64_Phdr *p, const struct blob *file, const struct place *at)
{
    if (p->p_filesz > p->p_memsz)
        return wrong_at(at, "a segment has more bytes in the file than in memory; build it again");
    if (p->p_offset > file->size || p->p_filesz > file->size - p->p_offset)
        return wrong_at(at, "a segment is not in the file; was its download or build cut short?");
    if (p->p_paddr < GUEST_RAM || p->p_paddr > RAM_LAST || p->p_memsz > RAM_LAST - p->p_paddr)
        return wrong_at(at, "a segment goes to physical address 0x%" PRIx64 ", where a machine has "
                        "no RAM; link it for 0x80000000 or above", p->p_paddr);
    return true;
}

static bool segment_add(struct segments *all, const Elf64_Phdr *p, const struct blob *file,
                        const struct place *at)
{
    if (p->p_type != PT_LOAD || p->p_memsz == 0)
        return true;
    if (!segment_check(p, file, at))
        return false;
    if (all->n == SEGMENTS_MAX)
        return wrong_at(at, "more than %d segments; link it with fewer", SEGMENTS_MAX);
    for (const struct segment *s = all->s; s < all->s + all->n; s++)
        if (s->address < p->p_paddr + p->p_memsz && p->p_paddr < s->address + s->size)
            return wrong_at(at, "two segments overlap at physical address 0x%" PRIx64
                            "; link it so that each has its own place",
                            s->address > p->p_paddr ? s->address : p->p_paddr);

    all->s[all->n++] = (struct segment) {
        p->p_paddr, p->p_vaddr, p->p_memsz, p->p_filesz, file->data + p->p_offset
    };
    return true;
}

static bool segments_read(struct segments *all, const Elf64_Ehdr *h, const struct blob *file,
                          const struct place *at)
{
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;

        memcpy(&p, file->data + h->e_phoff + i * sizeof p, sizeof p);
        if (!segment_add(all, &p, file, at))
            return false;
    }
    return all->n || wrong_at(at, "an ELF file without a loadable segment; link it as a program");
}

// The entry is a virtual address; the machine starts without paging. Both are the same in most
// programs.
static bool entry_find(const struct segments *all, uint64_t entry, uint64_t *address)
{
    for (const struct segment *s = all->s; s < all->s + all->n; s++)
        if (entry >= s->virtual && entry - s->virtual < s->size) {
            *address = s->address + (entry - s->virtual);
            return true;
        }
    return false;
}

static bool segments_copy(const struct segments *all, struct kernel *k, const struct blob *file,
                          const struct place *at)
{
    uint64_t first = UINT64_MAX, end = 0, data_end = 0;

    for (const struct segment *s = all->s; s < all->s + all->n; s++) {
        first = s->address < first ? s->address : first;
        end = s->address + s->size > end ? s->address + s->size : end;
        if (s->file_size && s->address + s->file_size > data_end)
            data_end = s->address + s->file_size;
    }
    if (!data_end)
        return wrong_at(at, "no segment has bytes in the file; build it again");
    if (data_end - first > file->size + GAPS_MAX)
        return wrong_at(at, "its segments lie too far apart; link them next to each other");

    k->offset = first - GUEST_RAM;
    k->size = end - first;
    k->blob.size = data_end - first;
    k->blob.data = calloc(1, k->blob.size);
    if (!k->blob.data)
        return wrong_at(at, "no memory for %zu bytes; free some", k->blob.size);
    for (const struct segment *s = all->s; s < all->s + all->n; s++)
        if (s->file_size)
            memcpy(k->blob.data + (s->address - first), s->data, s->file_size);
    return true;
}

bool elf_flatten(struct kernel *k, const struct blob *file, const struct place *at)
{
    struct segments all = { 0 };
    Elf64_Ehdr h = { 0 };

    memcpy(&h, file->data, file->size < sizeof h ? file->size : sizeof h);
    *k = (struct kernel) { .kind = KERNEL_ELF };
    if (!header_check(&h, file, at) || !segments_read(&all, &h, file, at))
        return false;
    if (!entry_find(&all, h.e_entry, &k->entry))
        return wrong_at(at, "its entry 0x%" PRIx64 " is in none of its segments; link it again",
                        h.e_entry);
    return segments_copy(&all, k, file, at);
}
