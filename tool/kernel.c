// SPDX-License-Identifier: MIT
// In:     the bytes of a file that should be a kernel.
// Out:    where it goes in memory and what it takes there; or what the file is instead, and how to
//         get the right one from it.
// Always: no byte is read that the file does not have.
//
// The RISC-V Image header is described in Linux' Documentation/arch/riscv/boot-image-header.rst.

#include "kernel.h"

#include "config.h"

#include <inttypes.h>
#include <string.h>

enum {
    IMAGE_TEXT_OFFSET = 0x08,
    IMAGE_SIZE        = 0x10,
    IMAGE_FLAGS       = 0x18,
    IMAGE_MAGIC       = 0x30,
    IMAGE_MAGIC2      = 0x38,
    IMAGE_HEADER_SIZE = 0x40,

    ZBOOT_PAYLOAD_OFFSET = 0x08,
    ZBOOT_PAYLOAD_SIZE   = 0x0c,
    ZBOOT_COMPRESSION    = 0x18,
    ZBOOT_COMPRESSION_LENGTH = 8,

    TEXT_LOOKED_AT = 256,
};

#define FLAG_BIG_ENDIAN 1u

// A file starts its bytes `magic` at `offset`.
struct signature {
    size_t      offset;
    size_t      length;
    const char *magic;
    const char *what;
    const char *right;
};

#define AT(offset, magic)   (offset), sizeof magic - 1, magic

static const char use_image[] = "give the kernel's arch/riscv/boot/Image";
static const char unpack[]    = "unpack it and give what comes out";

// clang-format off
static const struct signature impostors[] = {
    { AT(0,     "\x1f\x8b"),         "compressed with gzip",        "gunzip it and give what comes out" },
    { AT(0,     "\xfd" "7zXZ\0"),    "compressed with xz",          unpack    },
    { AT(0,     "\x28\xb5\x2f\xfd"), "compressed with zstd",        unpack    },
    { AT(0,     "BZh"),              "compressed with bzip2",       unpack    },
    { AT(0,     "\x02\x21\x4c\x18"), "compressed with lz4",         unpack    },
    { AT(0,     "\x04\x22\x4d\x18"), "compressed with lz4",         unpack    },
    { AT(0,     "070701"),           "an initramfs (cpio archive)", "give it as --initrd" },
    { AT(0,     "!<arch>\n"),        "a Debian package or library", unpack    },
    { AT(0,     "\x27\x05\x19\x56"), "a U-Boot uImage",             use_image },
    { AT(0,     "\xd0\x0d\xfe\xed"), "a device tree or FIT image",  use_image },
    { AT(0x38,  "ARM\x64"),          "a kernel for arm64",          "give one for riscv64" },
    { AT(0x24,  "\x18\x28\x6f\x01"), "a kernel for arm",            "give one for riscv64" },
    { AT(0x202, "HdrS"),             "a kernel for x86 (bzImage)",  "give one for riscv64" },
    { AT(0,     "MZ"),               "an EFI program",              use_image },
};
// clang-format on

static uint64_t little(const struct blob *b, size_t offset, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)b->data[offset + i] << 8 * i;
    return value;
}

static bool blob_has(const struct blob *b, size_t offset, const void *magic, size_t length)
{
    return b->size >= offset + length && memcmp(b->data + offset, magic, length) == 0;
}

// An EFI zboot kernel carries the Image, compressed, at a place that its header tells.
static bool wrong_zboot(const struct blob *b, const struct place *at)
{
    char method[ZBOOT_COMPRESSION_LENGTH + 1] = { 0 };

    memcpy(method, b->data + ZBOOT_COMPRESSION, ZBOOT_COMPRESSION_LENGTH);
    for (char *c = method; *c; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    return wrong_at(at, "a compressed EFI kernel (zboot); the Image is inside: "
                 "tail -c +%" PRIu64 " FILE | head -c %" PRIu64 ", then undo its %s",
                 little(b, ZBOOT_PAYLOAD_OFFSET, 4) + 1, little(b, ZBOOT_PAYLOAD_SIZE, 4), method);
}

// A text begins with a line of printable characters; no program does.
static bool blob_is_text(const struct blob *b)
{
    for (size_t i = 0; i < b->size && i < TEXT_LOOKED_AT; i++) {
        uint8_t c = b->data[i];

        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return false;
    }
    return true;
}

// What has no header is a raw program, unless it is known to be something else.
static bool raw_check(const struct blob *b, const struct place *at)
{
    if (blob_has(b, 0, "MZ", 2) && blob_has(b, 4, "zimg", 4) && b->size >= IMAGE_HEADER_SIZE)
        return wrong_zboot(b, at);
    for (size_t i = 0; i < sizeof impostors / sizeof impostors[0]; i++) {
        const struct signature *s = &impostors[i];

        if (blob_has(b, s->offset, s->magic, s->length))
            return wrong_at(at, "%s, not a RISC-V kernel image; %s", s->what, s->right);
    }
    if (blob_is_text(b))
        return wrong_at(at, "a text, not a RISC-V kernel image; %s", use_image);
    if (b->size < 2 || little(b, 0, 2) == 0)
        return wrong_at(at, "begins with no instruction, so is not a RISC-V kernel image; %s",
                        use_image);
    return true;
}

static bool raw_make(struct kernel *k, const struct blob *file, const struct place *at,
                     uint64_t load)
{
    uint64_t entry = load ? load : RAW_LOAD;

    *k = (struct kernel) { KERNEL_RAW, *file, entry - GUEST_RAM, file->size, entry };
    return raw_check(file, at);
}

static bool blob_is_image(const struct blob *b)
{
    return b->size >= IMAGE_HEADER_SIZE && blob_has(b, IMAGE_MAGIC2, "RSC\x05", 4)
        && blob_has(b, IMAGE_MAGIC, "RISCV\0\0\0", 8);
}

static bool image_make(struct kernel *k, const struct blob *file, const struct place *at)
{
    uint64_t size = little(file, IMAGE_SIZE, 8);

    *k = (struct kernel) {
        .kind   = KERNEL_IMAGE,
        .blob   = *file,
        .offset = little(file, IMAGE_TEXT_OFFSET, 8),
        .size   = size < file->size ? file->size : size,
    };
    if (little(file, IMAGE_FLAGS, 8) & FLAG_BIG_ENDIAN)
        return wrong_at(at, "a big-endian kernel; give a little-endian one");
    return true;
}

bool kernel_make(struct kernel *k, struct blob *file, const struct place *at, uint64_t load)
{
    bool elf = blob_has(file, 0, "\177ELF", 4);
    bool ok = elf                   ? elf_flatten(k, file, at)
              : blob_is_image(file) ? image_make(k, file, at)
                                    : raw_make(k, file, at, load);

    if (elf || !ok)
        blob_free(file);
    return ok;
}
