// SPDX-License-Identifier: MIT
// The C half of the runtime: the frame around a guest, its console, its traps, its SBI calls.
#include "guest.h"

struct frame {
    u64 x[32];
    u64 pc;
    u64 sstatus;
    u64 cause;
    u64 tval;
};

struct boot_state boot_state;
volatile struct trap trap;
volatile bool trap_armed;
volatile u64 trap_count;
irq_hook *volatile on_irq;

u8 code_page[CODE_SIZE] __attribute__((section(".user"), aligned(CODE_SIZE))) = { 1 };

struct sbi_ret sbi_call6(u64 eid, u64 fid, const u64 args[6])
{
    register u64 a0 __asm__("a0") = args[0];
    register u64 a1 __asm__("a1") = args[1];
    register u64 a2 __asm__("a2") = args[2];
    register u64 a3 __asm__("a3") = args[3];
    register u64 a4 __asm__("a4") = args[4];
    register u64 a5 __asm__("a5") = args[5];
    register u64 a6 __asm__("a6") = fid;
    register u64 a7 __asm__("a7") = eid;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7)
                     : "memory");
    return (struct sbi_ret){ (long)a0, a1 };
}

static char   held[32768];
static size_t held_used;
static bool   holding;

// Legacy putchar: every SBI implementation that runs on the board has it.
static int console_put(char c, FILE *f)
{
    (void)f;
    if (holding && held_used < sizeof held) {
        held[held_used++] = c;
        return (u8)c;
    }
    if (c == '\n')
        sbi_call(1, 0, '\r');
    sbi_call(1, 0, (u8)c);
    return (u8)c;
}

static FILE console = FDEV_SETUP_STREAM(console_put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &console;

void console_hold(void)
{
    holding = true;
}

void console_release(void)
{
    holding = false;
    for (size_t i = 0; i < held_used; i++)
        console_put(held[i], stdout);
    held_used = 0;
}

void power_off(void)
{
    sbi_call(SBI_SRST, 0, 0, 0);
    sbi_call(8, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

void guest_fail(const char *why)
{
    csr_write(CSR_SIE, 0);
    console_release();
    printf("FAIL %s\n", why);
    power_off();
}

void guest_boot(void)
{
    printf("\n=== %s begin\n", guest_name);
    guest_main();
    printf("=== %s end\n", guest_name);
    power_off();
}

void timer_set(u64 deadline)
{
    sbi_call(SBI_TIME, 0, deadline);
}

static u64 insn_length(u64 pc)
{
    return (*(const u16 *)pc & 3) == 3 ? 4 : 2;
}

static void trap_unexpected(const struct frame *f)
{
    trap_armed = false;
    printf("unexpected trap: cause %#lx pc %#lx tval %#lx sstatus %#lx ra %#lx sp %#lx\n",
           f->cause, f->pc, f->tval, f->sstatus, f->x[RA], f->x[SP]);
    guest_fail("unexpected trap");
}

// Called by trap_entry.  A fetch that failed was a call: it goes on at the caller.
void trap_kernel(struct frame *f);
void trap_kernel(struct frame *f)
{
    if ((f->cause & CAUSE_INTERRUPT) && on_irq) {
        on_irq(f->cause);
        return;
    }
    if (!trap_armed)
        trap_unexpected(f);

    trap.cause = f->cause;
    trap.pc = f->pc;
    trap.tval = f->tval;
    trap.sstatus = f->sstatus;
    trap_count++;
    if (f->cause == CAUSE_FETCH_ACCESS || f->cause == CAUSE_FETCH_PAGE)
        f->pc = f->x[RA];
    else
        f->pc += insn_length(f->pc);
}

void cpu_init(struct cpu *c, enum mode mode, u64 pc)
{
    *c = (struct cpu){ .pc = pc };
    for (u64 i = 0; i < 32; i++)
        c->x[i] = 0x0101010101010101 * i;
    c->sstatus = csr_read(CSR_SSTATUS) & ~(SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP);
    if (mode == MODE_S)
        c->sstatus |= SSTATUS_SPP;
}

u64 code_put(const u32 *insns, size_t count)
{
    u32 *to = (u32 *)code_page;

    for (size_t i = 0; i < count; i++)
        to[i] = insns[i];
    fence_i();
    return (u64)code_page;
}

const char *cause_text(u64 cause)
{
    static const char *const text[] = {
        "fetch misaligned", "fetch access", "illegal", "breakpoint", "load misaligned",
        "load access", "store misaligned", "store access", "ecall U", "ecall S", "10", "ecall M",
        "fetch page", "load page", "14", "store page",
    };

    if (cause == CAUSE_NONE)
        return "none";
    if (cause == (CAUSE_INTERRUPT | 1))
        return "SSI";
    if (cause == (CAUSE_INTERRUPT | 5))
        return "STI";
    if (cause == (CAUSE_INTERRUPT | 9))
        return "SEI";
    return cause < 16 ? text[cause] : "other";
}

void cpu_print(const char *what, const struct cpu *c, u64 base)
{
    printf("%s: %s pc %+ld tval %#lx\n", what, cause_text(c->cause), (long)(c->pc - base),
           c->tval);
}

void trap_print(const char *what)
{
    printf("%s: %s tval %#lx\n", what, cause_text(trap.cause), trap.tval);
}
