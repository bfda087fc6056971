// SPDX-License-Identifier: MIT
// Fuzzes what the host command reads: configuration files, kernels, and a machine's output with
// frames in it. Bytes are a file, or make one of pieces that are nearly right.
#include "bytes.h"
#include "tool/config.h"
#include "tool/frame.h"
#include "tool/kernel.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(true_thing)   \
    do {                    \
        if (!(true_thing))  \
            __builtin_trap(); \
    } while (0)

static const char *const pieces[] = {
    "machine:\n", "vms:\n", "  - ", "    ", "\n", "name: ", "memory: ", "kernel: ", "load: ",
    "initrd: ", "cmdline: ", "engine: ", "weight: ", "cap: ", "watchdog: ", "harts: ", "console: ", "on-crash: ",
    "restart-at-most: ", "start: ", "shadow-pages: ", "when-all-off: ", "vcpus: ", "a", "b", "64M",
    "0x80200000", "100%", "-1", "keyboard", "restart", "[", "]", "{", "}", ", ", ": ", "&x ", "*x",
    "!t ", "|\n", ">\n", "'", "\"", "\\0", "? ", "---\n", "...\n", "#", "%YAML 1.1\n", "<<: *x\n",
    "\t", "0", "1", "63", "64", "99999999999999999999", "vms:\n  - name: a\n    kernel: b\n",
};

// What was accepted is within its limits.
static void config_try(const void *data, size_t size)
{
    static struct config c;
    bool ok = config_parse(&c, data, size, "f");

    CHECK(c.n <= VMS_MAX && (!ok || c.n));
    for (unsigned i = 0; ok && i < c.n; i++) {
        const struct vm_desc *vm = &c.vms[i];

        CHECK(vm->name && vm->kernel && strlen(vm->name) <= NAME_LENGTH_MAX && !vm->broken);
        CHECK(strlen(vm->bootargs) <= BOOTARGS_LENGTH_MAX && vm->memory % (2 << 20) == 0);
        CHECK(vm->memory >= 16 << 20 && vm->weight >= 1 && vm->weight <= 1000 && vm->cap <= 100);
    }
    mistakes_forget();
    c.dir = -1;
    config_free(&c);
}

static void config_of_pieces(struct bytes *b)
{
    static char text[65536];
    size_t n = 0;

    while (b->left && n < sizeof text - 64) {
        u64 pick = bytes_take(b, 1);

        if (pick < ARRAY_LEN(pieces))
            n += (size_t)sprintf(text + n, "%s", pieces[pick]);
        else
            text[n++] = (char)pick;
    }
    config_try(text, n);
}

// Lines that are a configuration but for their values, each field with any.
static void config_of_lines(struct bytes *b)
{
    static const char *const values[] = {
        "a", "1", "0", "64M", "100%", "yes", "keyboard", "classic", "restart", "hand", "stay", "-1",
        "0x80200000", "[0, 1]", "[5]", "[0, 0]", "[64]", "[]", "{restart-at-most: 3}", "{}", "*x",
        "&x 3", "99999999999999999999", "16M", "17M", "1T", "\"\\0\"", "|\n      text\n", "", "''",
        "{restart-at-most: 0}", "{a: 1}", "0x", "512", "1000", "2047", "3K",
    };
    static const char *const machine[] = { "harts", "memory", "when-all-off", "arts" };
    static char text[65536];
    size_t n = (size_t)sprintf(text, "vms:\n");
    bool in_machine = false;

    while (b->left && n < sizeof text - 256) {
        u64 pick = bytes_take(b, 1), value = bytes_below(b, ARRAY_LEN(values));

        if (pick % 8 == 0 && !in_machine)
            n += (size_t)sprintf(text + n, "  - name: v%u\n    kernel: k\n", (unsigned)(pick / 8));
        else if (pick == 255)
            text[n - 1] = (char)value;
        else if (pick == 254)
            in_machine = n += (size_t)sprintf(text + n, "machine:\n");
        else
            n += (size_t)sprintf(text + n, "    %s: %s\n",
                                 in_machine ? machine[pick % 4]
                                            : vm_fields[pick / 8 % VM_FIELDS].name, values[value]);
    }
    config_try(text, n);
}

static void kernel_try(const u8 *data, size_t size, u64 load)
{
    struct place at = { "f", 1, "kernel" };
    struct blob file = { malloc(size ? size : 1), size };
    struct kernel k;

    memcpy(file.data, data, size);
    if (kernel_make(&k, &file, &at, load)) {
        CHECK(k.blob.size <= k.size && k.blob.size <= size + (64 << 20) + 1);
        CHECK(k.kind == KERNEL_IMAGE || (k.entry >= GUEST_RAM + k.offset
                                         && k.entry - GUEST_RAM - k.offset < k.size));
        for (size_t i = 0; i < k.blob.size; i += 4096)
            CHECK(k.blob.data[i] <= 255);
        blob_free(&k.blob);
    }
    mistakes_forget();
}

// A header that is nearly right, and segments that are more or less.
static void elf_of_pieces(struct bytes *b)
{
    static u8 file[4096];
    u16 n = (u16)1 + (u16)bytes_below(b, 9);
    Elf64_Ehdr h = { .e_type = ET_EXEC, .e_machine = EM_RISCV, .e_phoff = sizeof h,
                     .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = n };

    memcpy(h.e_ident, "\177ELF\2\1\1", 7);
    h.e_entry = GUEST_RAM + bytes_below(b, 4097);
    for (u16 i = 0; i < n; i++) {
        Elf64_Phdr p = { .p_type = PT_LOAD, .p_paddr = GUEST_RAM + (i << 12) + bytes_below(b, 4097) };

        p.p_vaddr = bytes_below(b, 4) < 3 ? p.p_paddr : bytes_odd(b);
        p.p_offset = bytes_below(b, 32) < 31 ? bytes_below(b, 2048) : bytes_odd(b);
        p.p_filesz = bytes_below(b, 32) < 31 ? bytes_below(b, 256) : bytes_odd(b);
        p.p_memsz = bytes_below(b, 32) < 31 ? p.p_filesz + bytes_below(b, 256) : bytes_odd(b);
        p.p_paddr = bytes_below(b, 32) < 31 ? p.p_paddr : bytes_odd(b);
        memcpy(file + sizeof h + i * sizeof p, &p, sizeof p);
    }
    if (bytes_below(b, 32) == 31)
        h.e_phoff = bytes_odd(b);
    if (bytes_below(b, 32) == 31)
        h.e_phnum = (u16)bytes_odd(b);
    memcpy(file, &h, sizeof h);
    kernel_try(file, sizeof file - (bytes_below(b, 16) < 15 ? 0 : bytes_below(b, 4096)), 0);
}

struct shown {
    u8     bytes[8192];
    size_t n;
    bool   reply;
};

static void show(void *context, const char *data, size_t size)
{
    struct shown *s = context;

    CHECK(size <= sizeof s->bytes - s->n);
    memcpy(s->bytes + s->n, data, size);
    s->n += size;
}

static void reply(void *context, const char *nonce, bool ok, const char *payload, size_t size)
{
    (void)nonce, (void)ok, (void)payload, (void)size;
    ((struct shown *)context)->reply = true;
}

// Whoever does not know the nonce changes nothing of what is shown, in whatever pieces it comes.
static void frames_try(struct bytes *b)
{
    static const char *const marks[] = { "\033_duomo;", "0123456789abcdef", ";begin\033\\",
                                         ";end;ok\033\\", ";end;error\033\\", "\033", "0" };
    static struct shown s;
    static struct frames f;
    char sent[8192];
    size_t n = 0;

    s.n = 0;
    s.reply = false;
    f = (struct frames) { .show = show, .reply = reply, .context = &s };
    frames_await(&f, "fedcba9876543210");
    while (b->left && n < sizeof sent - 64) {
        u64 pick = bytes_take(b, 1);
        size_t at = n;

        if (pick < 16 * ARRAY_LEN(marks))
            n += (size_t)sprintf(sent + n, "%s", marks[pick / 16]);
        else
            sent[n++] = (char)pick;
        frames_feed(&f, sent + at, n - at);
    }
    frames_flush(&f);
    CHECK(!s.reply && s.n == n && memcmp(s.bytes, sent, n) == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = { data, size };
    u64 load;

    switch (bytes_take(&b, 1) % 8) {
    case 0: config_try(b.at, b.left); break;
    case 1: load = bytes_take(&b, 1) ? GUEST_RAM : 0; kernel_try(b.at, b.left, load); break;
    case 2: elf_of_pieces(&b); break;
    case 3: frames_try(&b); break;
    case 4: config_of_pieces(&b); break;
    default: config_of_lines(&b); break;
    }
    return 0;
}
