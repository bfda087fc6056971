// SPDX-License-Identifier: MIT
// From the machine's ISA string to the virtual machine's.
//
// In:     "rv64imafdch_zicsr_..._sstc", as device trees write it (dt-schema riscv/extensions.yaml).
// Out:    the same, less what needs the monitor's help and does not get it; and a set of bits.
// Always: unprivileged extensions pass by family, since they need nothing; of the privileged ones
//         (S..., Sm...) only those listed.
#include "isa/ext.h"

#include <string.h>

// clang-format off
static const struct { const char *name; u32 bit; } known[] = {
    { "i", 0 }, { "m", 0 }, { "a", 0 }, { "f", EXT_F }, { "d", 0 }, { "q", 0 }, { "c", 0 },
    { "b", 0 },
    { "v", EXT_V },
    { "sstc", EXT_SSTC }, { "svinval", EXT_SVINVAL }, { "svnapot", EXT_SVNAPOT },
    { "svpbmt", EXT_SVPBMT }, { "svade", 0 }, { "svadu", 0 }, { "sscounterenw", 0 },
    { "ssccptr", 0 }, { "sstvala", 0 }, { "sstvecd", 0 }, { "zicbom", EXT_ZICBOM },
    { "zicboz", EXT_ZICBOZ },
};
// Z-families without privileged state.  Zkr's seed CSR and the Zicfi* control-flow extensions have
// some, so they are not here.
static const char *const families[] = {
    "zicsr", "zifencei", "zicntr", "zihpm", "zihint", "zicbop", "zicc", "zicond", "zic64b", "zb",
    "za", "zc", "zf", "zh", "zd", "zmmul", "zk", "zv", "ztso", "zimop", "zcmop",
};
// clang-format on
// Zk stands for Zkn, Zkr and Zkt together; Zcmt has the CSR jvt.
static const char *const refused[] = { "zkr", "zk", "zcmt" };

static bool name_is(const char *name, size_t len, const char *is)
{
    return strlen(is) == len && !memcmp(name, is, len);
}

static bool family_is_open(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (name_is(name, len, refused[i]))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (len >= strlen(families[i]) && !memcmp(name, families[i], strlen(families[i])))
            return true;
    return false;
}

static bool guest_may_have(const char *name, size_t len, u32 *bit)
{
    *bit = 0;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (name_is(name, len, known[i].name)) {
            *bit = known[i].bit;
            return true;
        }
    return family_is_open(name, len);
}

size_t isa_next(const char **text, const char **name)
{
    while (**text == '_')
        (*text)++;
    *name = *text;
    // Single letters stand together; the others begin with z, s or x and end at an underscore.
    size_t len = strchr("zsx", **text) ? strcspn(*text, "_") : 1;

    if (!**text)
        return 0;
    *text += len;
    return len;
}

// Extensions whose registers the monitor would have to switch between virtual machines.
static bool has_fp_registers(const char *name, size_t len)
{
    return (len == 1 && strchr("fdqv", *name)) ||
           (len > 2 && *name == 'z' && strchr("fhdv", name[1])) || name_is(name, len, "zcd");
}

void isa_filter(const char *host, bool fp, struct isa *isa)
{
    const char *name;
    size_t      len, used = 4;
    bool        multi = false;

    memset(isa, 0, sizeof *isa);
    memcpy(isa->text, "rv64", used);
    if (strncmp(host, "rv64", 4))
        return;
    host += 4;
    while ((len = isa_next(&host, &name))) {
        u32 bit;

        if (!guest_may_have(name, len, &bit) || (!fp && has_fp_registers(name, len)))
            continue;
        if (used + len + 2 > sizeof isa->text) {
            isa->cut = true;
            return;
        }
        multi |= len > 1;
        if (multi)
            isa->text[used++] = '_';
        memcpy(isa->text + used, name, len);
        used += len;
        isa->has |= bit;
    }
}
