// SPDX-License-Identifier: MIT
// The virtual 16550 (PC16550D data sheet).
#include "unit.h"

#include "vdev/board.h"

enum {
    RBR = 0,
    THR = 0,
    DLL = 0,
    IER = 1,
    DLM = 1,
    IIR = 2,
    FCR = 2,
    LCR = 3,
    MCR = 4,
    LSR = 5,
    MSR = 6,
    SCR = 7
};

static struct rig *r;
static bool        irq;
static void (*irq_set)(struct vm *vm, u32 source, bool up);

static void irq_watch(struct vm *vm, u32 source, bool up)
{
    if (source == VUART_IRQ)
        irq = up;
    irq_set(vm, source, up);
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r             = rig_make(NULL);
    irq           = false;
    irq_set       = r->vm.irq_set;
    r->vm.irq_set = irq_watch;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static u8 get(unsigned reg)
{
    return (u8)rig_read(r, VUART_BASE + reg, 1);
}

static void put(unsigned reg, u8 value)
{
    rig_write(r, VUART_BASE + reg, 1, value);
}

TEST(bytes_out)
{
    put(THR, 'h'), put(THR, 'i');
    EXPECT_EQ(r->n_out, 2, "bytes");
    assert_memory_equal(r->out, "hi", 2);
    EXPECT_EQ(get(LSR) & 0x60, 0x60, "THRE and TEMT");
}

TEST(bytes_in)
{
    EXPECT_EQ(get(LSR) & 1, 0, "nothing yet");
    rig_type(r, "ab");
    EXPECT_EQ(get(LSR) & 1, 1, "data ready");
    EXPECT_EQ(get(RBR), 'a', "first");
    EXPECT_EQ(get(RBR), 'b', "second");
    EXPECT_EQ(get(LSR) & 1, 0, "empty");
    EXPECT_EQ(get(RBR), 0, "an empty FIFO");
}

// What is typed waits in the console, not in the FIFO; none is lost.
TEST(more_than_the_fifo_holds)
{
    char text[200];

    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (char)('0' + i % 64);
    text[sizeof text - 1] = 0;
    rig_type(r, text);
    for (unsigned i = 0; i < sizeof text - 1; i++)
        EXPECT_EQ(get(RBR), (u8)text[i], "byte %u", i);
    EXPECT_EQ(get(LSR) & 3, 0, "no more, and no overrun");
}

TEST(trigger_levels)
{
    static const u8 levels[] = { 1, 4, 8, 14 };

    for (unsigned l = 0; l < 4; l++) {
        vm_reset(&r->vm);
        r->vm.irq_set = irq_watch;
        put(FCR, (u8)(1 | l << 6));
        put(IER, 1);
        for (unsigned n = 1; n <= 16; n++) {
            rig_type(r, "x");
            EXPECT_EQ(irq, true, "interrupt");
            EXPECT_EQ(get(IIR) & 0x0f, n >= levels[l] ? 4 : 0x0c, "level %u, %u bytes", levels[l],
                      n);
        }
        EXPECT_EQ(get(IIR) >> 6, 3, "the FIFO is on");
        while (get(LSR) & 1)
            (void)get(RBR);
        EXPECT_EQ(irq, false, "interrupt");
        EXPECT_EQ(get(IIR) & 0x0f, 1, "none");
    }
}

TEST(without_fifo)
{
    put(FCR, 0);
    EXPECT_EQ(get(IIR) >> 6, 0, "the FIFO is off");
    rig_type(r, "ab");
    EXPECT_EQ(get(RBR), 'a', "first");
    EXPECT_EQ(get(LSR) & 1, 1, "the next moves up");
    EXPECT_EQ(get(RBR), 'b', "second");
    EXPECT_EQ(get(LSR) & 3, 0, "empty");
}

TEST(transmitter_interrupt)
{
    put(IER, 2);
    EXPECT_EQ(irq, true, "switching it on tells of an empty transmitter");
    EXPECT_EQ(get(IIR) & 0x0f, 2, "THRI");
    EXPECT_EQ(irq, false, "reading IIR acknowledges");
    EXPECT_EQ(get(IIR) & 0x0f, 1, "none");
    put(THR, 'x');
    EXPECT_EQ(irq, true, "after a byte");
    put(IER, 0);
    EXPECT_EQ(irq, false, "off");
}

// FCR bit 2 empties the transmitter, which then has an interrupt to give; nothing else of FCR does.
TEST(a_cleared_transmitter_is_an_empty_one)
{
    put(FCR, 0x01);
    put(IER, 2);
    EXPECT_EQ(get(IIR) & 0x0f, 2, "THRI");
    put(FCR, 0x01);
    EXPECT_EQ(get(IIR) & 0x0f, 1, "nothing was cleared");
    put(FCR, 0x03);
    EXPECT_EQ(get(IIR) & 0x0f, 1, "the receiver");
    put(FCR, 0x05);
    assert_true(irq);
    EXPECT_EQ(get(IIR) & 0x0f, 2, "the transmitter");
}

TEST(priority_of_interrupts)
{
    put(FCR, 1), put(IER, 7);
    rig_type(r, "x");
    EXPECT_EQ(get(IIR) & 0x0f, 4, "received data comes first");
    (void)get(RBR);
    EXPECT_EQ(get(IIR) & 0x0f, 2, "then the transmitter");
}

// The console has no room: THRE stays low, the guest waits, and is told when there is room.
TEST(back_pressure)
{
    put(IER, 2);
    (void)get(IIR);
    r->full = true;
    rig_write(r, VUART_BASE + THR, 1, 'x');
    r->n_overrun = 0;
    EXPECT_EQ(get(LSR) & 0x60, 0, "THRE is low");
    EXPECT_EQ(irq, false, "no interrupt");
    for (int n = 0; n < 100; n++)
        put(THR, 'y'); // a guest that does not wait
    EXPECT_EQ(r->n_overrun, 0, "what it writes takes nobody's room");
    r->full = false;
    r->vm.console_ready(&r->vm);
    EXPECT_EQ(irq, true, "room again");
    EXPECT_EQ(get(LSR) & 0x60, 0x60, "THRE");
    EXPECT_EQ(r->n_out, 1 + 16, "a FIFO's worth was kept");
}

// A driver that sees THRE writes a whole FIFO, as Linux does; the room may end with any of the bytes.
TEST(a_fifo_is_written_at_once)
{
    put(IER, 2);
    (void)get(IIR);
    r->full = true;
    for (unsigned n = 0; n < 16; n++)
        put(THR, (u8)('a' + n));
    EXPECT_EQ(get(LSR) & 0x60, 0, "THRE is low");
    EXPECT_EQ(r->n_out, 1, "the first had THRE, so it is sent: its guest may power off after it");
    r->full = false;
    EXPECT_EQ(get(LSR) & 0x60, 0x60, "THRE, once they are sent");
    EXPECT_EQ(r->n_out, 16, "bytes");
    assert_memory_equal(r->out, "abcdefghijklmnop", 16);
    EXPECT_EQ(get(IIR) & 0x0f, 2, "and it is told");
}

TEST(without_fifo_one_byte_waits)
{
    put(FCR, 0);
    r->full = true;
    put(THR, 'a'), put(THR, 'b'), put(THR, 'c');
    r->full = false;
    EXPECT_EQ(get(LSR) & 0x60, 0x60, "THRE");
    EXPECT_EQ(r->n_out, 2, "bytes");
    assert_memory_equal(r->out, "ab", 2);
}

TEST(what_waits_is_cleared)
{
    put(IER, 2);
    (void)get(IIR);
    r->full = true;
    put(THR, 'a'), put(THR, 'b');
    put(FCR, 0x05);
    EXPECT_EQ(get(LSR) & 0x60, 0, "there is no room for the first byte's successor yet");
    EXPECT_EQ(get(IIR) & 0x0f, 1, "so nothing is told");
    r->full = false;
    r->vm.console_ready(&r->vm);
    EXPECT_EQ(irq, true, "room again");
    EXPECT_EQ(r->n_out, 1, "what was cleared is not sent");
}

TEST(loopback)
{
    put(MCR, 0x10);
    put(IER, 1);
    for (unsigned n = 0; n < 16; n++)
        put(THR, (u8)('a' + n));
    EXPECT_EQ(r->n_out, 0, "nothing leaves");
    rig_type(r, "zzz");
    for (unsigned n = 0; n < 16; n++)
        EXPECT_EQ(get(RBR), 'a' + n, "byte %u", n);
    EXPECT_EQ(get(LSR) & 1, 0, "typed bytes wait until the loop is opened");
    for (u8 mcr = 0; mcr < 16; mcr++) {
        u8 want = (u8)((mcr & 2 ? 0x10 : 0) | (mcr & 1 ? 0x20 : 0) | (mcr & 4 ? 0x40 : 0) |
                       (mcr & 8 ? 0x80 : 0));

        put(MCR, 0x10 | mcr);
        EXPECT_EQ(get(MSR) & 0xf0, want, "mcr %x", mcr);
    }
    r->full = true;
    put(THR, 'q');
    EXPECT_EQ(get(LSR) & 0x60, 0x60, "a full console is not the loop's affair");
    EXPECT_EQ(get(RBR), 'q', "byte");
}

TEST(loopback_overrun)
{
    put(MCR, 0x10);
    put(IER, 4);
    for (unsigned n = 0; n < 17; n++)
        put(THR, (u8)n);
    EXPECT_EQ(irq, true, "line status");
    EXPECT_EQ(get(IIR) & 0x0f, 6, "RLSI");
    EXPECT_EQ(get(LSR) & 2, 2, "overrun");
    EXPECT_EQ(get(LSR) & 2, 0, "reading clears it");
    EXPECT_EQ(irq, false, "no more");
}

TEST(fifo_is_cleared)
{
    rig_type(r, "abc");
    put(FCR, 3);
    EXPECT_EQ(get(LSR) & 1, 0, "empty");
    rig_type(r, "d");
    EXPECT_EQ(get(RBR), 'd', "what came later");
}

TEST(divisor_latch)
{
    put(LCR, 0x83);
    put(DLL, 0x34), put(DLM, 0x12);
    EXPECT_EQ(get(DLL), 0x34, "DLL");
    EXPECT_EQ(get(DLM), 0x12, "DLM");
    EXPECT_EQ(r->n_out, 0, "nothing was sent");
    put(LCR, 3);
    EXPECT_EQ(get(IER), 0, "IER is another register");
    EXPECT_EQ(get(LCR), 3, "LCR");
}

TEST(plain_registers)
{
    for (unsigned v = 0; v < 256; v++) {
        put(SCR, (u8)v);
        EXPECT_EQ(get(SCR), v, "SCR");
        put(IER, (u8)v);
        EXPECT_EQ(get(IER), v & 0x0f, "IER");
        put(LSR, (u8)v), put(MSR, (u8)v);
        EXPECT_EQ(get(LSR) & 0x60, 0x60, "LSR cannot be written");
    }
    EXPECT_EQ(get(MSR) & 0xf0, 0xb0, "somebody is at the other end");
}

TEST(widths)
{
    u64 value = 0;

    for (unsigned size = 1; size <= 8; size *= 2)
        for (u64 off = 0; off < 8; off++)
            EXPECT_EQ(rig_access(r, VUART_BASE + off, size, false, &value),
                      off % size == 0 && off + size <= 8, "%u bytes at %lu", size, off);
    rig_write(r, VUART_BASE + SCR, 1, 0x1ff);
    EXPECT_EQ(rig_read(r, VUART_BASE + SCR, 1), 0xff, "one byte");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(bytes_out),
        RUN_ON_RIG(bytes_in),
        RUN_ON_RIG(more_than_the_fifo_holds),
        RUN_ON_RIG(trigger_levels),
        RUN_ON_RIG(without_fifo),
        RUN_ON_RIG(transmitter_interrupt),
        RUN_ON_RIG(a_cleared_transmitter_is_an_empty_one),
        RUN_ON_RIG(priority_of_interrupts),
        RUN_ON_RIG(back_pressure),
        RUN_ON_RIG(a_fifo_is_written_at_once),
        RUN_ON_RIG(without_fifo_one_byte_waits),
        RUN_ON_RIG(what_waits_is_cleared),
        RUN_ON_RIG(loopback),
        RUN_ON_RIG(loopback_overrun),
        RUN_ON_RIG(fifo_is_cleared),
        RUN_ON_RIG(divisor_latch),
        RUN_ON_RIG(plain_registers),
        RUN_ON_RIG(widths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
