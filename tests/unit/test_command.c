// SPDX-License-Identifier: MIT
// The monitor's commands, as a person types them and as programs send them.
#include "lib/log.h"
#include "mon/command.h"
#include "mon/sender.h"
#include "mon/view.h"
#include "on_desk.h"

// A command's answer, between what was typed and the next prompt.
static const char *command(const char *line)
{
    if (!view.monitor)
        desk_type("\x1dm");
    desk_shown();
    desk_type(line);
    desk_type("\r");
    return desk_shown();
}

#define NONCE "0123456789abcdef"

// The payload of a framed reply; the status goes to *ok.
static const char *request(const char *what, bool *ok)
{
    static char payload[RIG_TEXT];
    char       *begin, *end;

    desk_shown();
    desk_type("\x1d:" NONCE " ");
    desk_type(what);
    desk_type("\r");
    snprintf(payload, sizeof payload, "%s", desk_shown());
    begin = strstr(payload, "\x1b_duomo;" NONCE ";begin\x1b\\");
    end   = strstr(payload, "\x1b_duomo;" NONCE ";end;");
    assert_non_null(begin);
    assert_non_null(end);
    *ok = !strcmp(end, "\x1b_duomo;" NONCE ";end;ok\x1b\\");
    if (!*ok)
        assert_string_equal(end, "\x1b_duomo;" NONCE ";end;error\x1b\\");
    *end = 0;
    return begin + strlen("\x1b_duomo;" NONCE ";begin\x1b\\");
}

TEST(each_command_has_help)
{
    const char           *shown = command("help");
    const struct command *c;

    for (unsigned n = 0; (c = command_at(n)); n++) {
        assert_true(has(shown, c->name) && has(shown, c->help));
        assert_ptr_equal(command_find(c->name), c);
    }
    assert_true(has(command("help mem"), "mem vm address [count]"));
}

TEST(lists_and_counters)
{
    d.r[1]->v->waiting = true;
    vm_pause(&d.r[2]->vm);
    d.r[0]->v->stats.traps[EXC_ECALL_U]      = 77;
    d.r[0]->v->stats.traps[EXC_ILLEGAL_INSN] = 88;
    const char *shown = command("list");

    assert_true(has(shown, "one               running   vS    classic"));
    assert_true(has(shown, "two               waiting") && has(shown, "three             paused"));
    shown = command("stats one");
    assert_true(has(shown, "ecall        77") && has(shown, "privileged   88"));
    assert_false(has(shown, "two, vCPU 0"));
    assert_true(has(command("stats"), "two, vCPU 0"));
    assert_true(has(command("devs one"), "uart: ier 00"));
    assert_true(has(command("harts"), "hart  runs"));
    assert_true(has(command("version"), "Duomo "));
}

// 40 % of the hart in the last seconds, whatever was before.
TEST(rates)
{
    const u64 second = 10000000;

    for (int i = 0; i < 50; i++) {
        d.r[0]->v->sched.ran += second / 5 * 2 / 5;
        d.r[0]->v->stats.irqs += 200;
        desk_ticks(1);
    }
    const char *shown = command("list");

    assert_true(has(shown, "  40.0  ") && has(shown, "  1000  "));
    desk_ticks(20);
    shown = command("list");
    assert_false(has(shown, "  40.0  ") || has(shown, "  1000  "));
}

TEST(the_life_of_a_vm)
{
    struct vm *vm = &d.r[1]->vm;

    command("pause two");
    EXPECT_EQ(vm->state, VM_PAUSED, "paused");
    assert_true(has(command("pause two"), "pause: two is not running"));
    command("resume two");
    EXPECT_EQ(vm->state, VM_RUNNING, "resumed");
    assert_true(has(command("resume two"), "not paused"));
    command("reset 2");
    EXPECT_EQ(vm->state, VM_STOPPED, "to be loaded");
    EXPECT_EQ(vm->end, VM_END_RESET, "anew");
    assert_true(vm->vcpus[0]->pending & PEND_STOP);
    command("stop two"); // while it is being loaded
    EXPECT_EQ(vm->end, VM_END_OFF, "and no more");
    desk_settle(&d);
    EXPECT_EQ(vm->state, VM_OFF, "stopped");
    assert_true(vm->is_kept && has(command("list"), "two               stopped"));
    assert_true(has(command("stop two"), "two is off") && has(command("regs two"), "sp "));
    command("start two");
    desk_settle(&d);
    EXPECT_EQ(vm->state, VM_RUNNING, "started");
    assert_false(vm->is_kept);
    assert_true(has(command("start two"), "two is not off"));
    command("stop two");
    desk_settle(&d);
    command("kill two"); // it was kept: now it ends
    EXPECT_EQ(vm->state, VM_STOPPED, "once more");
    desk_settle(&d);
    assert_true(has(command("list"), "two               off") && has(command("kill two"), "is off"));
}

TEST(registers)
{
    d.r[0]->v->f.x[2]    = 0x1234567890abcdef;
    d.r[0]->v->csr.sepc  = 0xfeed0000;
    d.r[1]->v->ext_status = STATUS_FS;
    assert_true(has(command("regs one"), "sp           1234567890abcdef"));
    const char *shown = command("csr one");

    for (size_t i = 0; i < csr_n_rows; i++)
        assert_true(has(shown, csr_rows[i].name));
    assert_true(has(shown, "00000000feed0000"));
    shown = command("csr one sepc");
    assert_true(has(shown, "feed0000") && !has(shown, "stvec"));
    assert_true(has(command("csr two sstatus"), "8000000200006000")); // FS dirty, with the vCPU
    assert_true(has(command("csr one nothing"), "no CSR \"nothing\""));
}

#define ROOT (VM_RAM_BASE + 0x10000)
#define VA   0x40201000ul

// A page at VA, in Sv39.
static void tables_make(struct rig *r, u64 leads_to)
{
    rig_word_set(r, ROOT + 8 * 1, (ROOT + 0x1000) >> 2 | PTE_V);
    rig_word_set(r, ROOT + 0x1000 + 8 * 1, (ROOT + 0x2000) >> 2 | PTE_V);
    rig_word_set(r, ROOT + 0x2000 + 8 * 1, leads_to >> 2 | PTE_V | PTE_R | PTE_U | PTE_A);
    r->v->csr.satp = field_set(ROOT >> PAGE_SHIFT, SATP_MODE, SATP_SV39);
}

TEST(memory_is_shown)
{
    rig_word_set(d.r[0], VM_RAM_BASE + 0x5000, 0x0041424344454647);
    tables_make(d.r[0], VM_RAM_BASE + 0x5000);
    const char *shown = command("mem one 0x40201000 20");

    assert_true(has(shown, "0000000040201000  47 46 45 44 43 42 41 00  00") &&
                has(shown, "GFEDCBA........."));
    assert_true(has(shown, "0000000040201010  00 00 00 00       "));
    assert_true(has(command("mem one p:0x80005000 8"), "0000000080005000  47 46"));
    assert_true(has(command("mem one 0x40200ff0 32"), "-- --  -- --"));
    assert_true(has(command("mem one 0xfffffffffffffff8"), "-- --"));
    assert_true(has(command("mem one p:0x10000000 8"), "--")); // no device is touched
    EXPECT_EQ(rig_word(d.r[0], ROOT + 0x2008) & PTE_D, 0, "nothing is set");
    assert_true(has(command("mem one 0 5000"), "1 to 4096"));
    assert_true(has(command("mem one 0x1ffffffffffffffff"), "is no address"));
    assert_true(has(command("mem one p:"), "is no address"));
}

TEST(a_walk_is_shown)
{
    char  wanted[64];
    gpa_t at;

    tables_make(d.r[0], VM_RAM_BASE + 0x5000);
    d.r[0]->v->mode = MODE_U;
    const char *shown = command("walk one 0x40201000");

    assert_true(has(shown, "    2  0000000020004401 v-------  -"));
    assert_true(has(shown, "    0  0000000020001453 vr--u-a-  -"));
    assert_true(has(shown, "it leads to p:0x80005000"));
    EXPECT_EQ(shadow_fill(d.r[0]->v, gva(VA), ACCESS_READ, &at), SHADOW_FILLED, "filled");
    shadow_follow(d.r[0]->v);
    EXPECT_EQ(shadow_fill(d.r[0]->v, gva(VA), ACCESS_READ, &at), SHADOW_FILLED, "filled");
    snprintf(wanted, sizeof wanted, "vr--u-a-  %016lx vr--u-ad",
             (unsigned long)((d.r[0]->vm.ram.a + 0x5000) >> 2 | 0xd3));
    shown = command("walk one 0x40201000");
    assert_true(has(shown, wanted));
    assert_true(has(command("walk one 0xffffffff00000000"), "it leads to no RAM"));
    assert_true(has(command("walk one p:0"), "not translated"));
    d.r[0]->v->csr.satp = field_set(~0ul, SATP_MODE, SATP_SV57); // a root outside RAM
    assert_true(has(command("walk one 0x1000"), "it leads to no RAM"));
    d.r[0]->v->csr.satp = 0;
    assert_true(has(command("walk one 0x80001000"), "(Bare)"));
}

TEST(mistakes_get_a_sentence)
{
    assert_true(has(command("nonsense"), "nonsense: there is no such command; `help` lists them"));
    assert_true(has(command("stop"), "stop: it lacks \"vm\"; usage: stop vm"));
    assert_true(has(command("stop four"), "no VM \"four\""));
    assert_true(has(command("stop 4"), "no VM") && has(command("stop 0"), "no VM"));
    assert_true(has(command("stop one two"), "too many words"));
    assert_true(has(command("mem 1 2 3 4 5 6 7 8"), "too many words"));
    assert_true(has(command("mem one 1 2x"), "is no number"));
    assert_true(has(command("   list   "), "one "));
    assert_true(has(command(""), "duomo> ") && has(command("    "), "duomo> "));
    for (unsigned i = 0; i < DESK_VMS; i++)
        EXPECT_EQ(d.r[i]->vm.state, VM_RUNNING, "nothing has happened to VM %u", i);
}

TEST(tab)
{
    desk_type("\x1dm");
    desk_shown();
    desk_type("ver\t");
    assert_string_equal(desk_shown(), "version ");
    desk_type("\x15sto\tt\t");
    assert_true(has(desk_shown(), "stop t"));
    desk_type("\t");
    assert_true(has(desk_shown(), "\r\n  two  three") == false);
    desk_type("w\t");
    assert_true(has(desk_shown(), "wo "));
    desk_type("\x15" "csr one stim\t");
    assert_true(has(desk_shown(), "ecmp "));
    desk_type("\x15" "console a\t\x15" "mem one 0\tx\x15xyz a\t");
    assert_true(has(desk_shown(), "ll "));
    desk_type("\x15st\t");
    const char *shown = desk_shown();

    assert_true(has(shown, "start") && has(shown, "stats") && has(shown, "stop"));
}

TEST(the_log_comes_at_once)
{
    desk_type("\x1dmlis");
    desk_shown();
    log_line("something");
    assert_string_equal(desk_shown(), "\r\x1b[Kduomo: something\r\n");
    desk_ticks(1);
    assert_string_equal(desk_shown(), "\rduomo> lis\x1b[K");
    assert_true(has(command("t"), "one "));
    assert_true(has(command("log"), "duomo: something"));
}

// No guest's line can look like one of the monitor's while its prompt is open.
TEST(no_guest_is_shown_at_the_prompt)
{
    desk_type("\x1dm");
    desk_shown();
    assert_true(desk_print(d.r[0], "duomo> off\r\nduomo: fake\r\n"));
    assert_string_equal(desk_shown(), "");
    desk_type("\x04");
    assert_true(has(desk_shown(), "--- one ---\r\n"));
    desk_type("\x1dm");
    assert_true(has(command("console two"), "--- two ---") && !view.monitor);
    assert_true(has(command("console all"), "--- all;"));
    assert_true(has(command("console"), "--- all;"));
}

TEST(top)
{
    desk_type("\x1dmtop\r");
    desk_shown();
    desk_ticks(1);
    assert_true(has(desk_shown(), "\x1b[H\x1b[Jvm  name"));
    desk_ticks(4);
    assert_string_equal(desk_shown(), "");
    desk_ticks(1);
    assert_true(has(desk_shown(), "three"));
    chips.serial_room = 0;
    log_line("the line is full");
    desk_ticks(6); // and so it is left out
    EXPECT_EQ(sender_waiting() < 100, true, "only the log waits");
    desk_ready();
    desk_type("x");
    desk_shown();
    desk_ticks(10);
    assert_string_equal(desk_shown(), "");
}

TEST(requests)
{
    bool        ok;
    const char *payload;

    assert_string_equal(request("text version", &ok), "Duomo 0.1\r\n");
    assert_true(ok);
    assert_string_equal(request("json version", &ok), "{\"text\":\"Duomo 0.1\\n\"}\r\n");
    payload = request("json list", &ok);
    assert_true(ok && has(payload, "{\"vms\":[{\"vm\":1,\"name\":\"one\",\"state\":\"running\""));
    payload = request("json regs one", &ok);
    assert_true(ok && has(payload, "{\"vcpus\":[{\"vcpu\":0,\"mode\":\"vS\",\"waiting\":false,\"pc\":\"0x80000000\""));
    payload = request("json nonsense", &ok);
    assert_true(!ok && has(payload, "{\"error\":\"there is no such command"));
    payload = request("json stop", &ok);
    assert_true(!ok && has(payload, "{\"error\":\"it lacks"));
    payload = request("json walk 1 p:0", &ok);
    assert_true(!ok && has(payload, "{\"text\":\"\",\"error\":\"a guest-physical"));
    payload = request("json top", &ok);
    assert_false(ok);
    payload = request("text top", &ok);
    assert_true(!ok && has(payload, "top: it needs a terminal"));
    (void)request("xml list", &ok);
    assert_false(ok);
    (void)request("json ", &ok);
    assert_false(ok);
}

// A request disturbs nobody: not the line at the prompt, not what is typed to a VM, not its screen.
TEST(requests_stand_apart)
{
    bool ok;

    desk_print(d.r[0], "\x1b[?1049h\x1b]0;half");
    desk_type("a");
    (void)request("json list", &ok);
    desk_type("b");
    EXPECT_EQ(d.r[0]->vm.console_read(&d.r[0]->vm), 'a', "typed before");
    EXPECT_EQ(d.r[0]->vm.console_read(&d.r[0]->vm), 'b', "typed after");
    EXPECT_EQ(d.r[0]->vm.console_read(&d.r[0]->vm), -1, "nothing else");
    assert_true(desk_print(d.r[0], "way"));
    assert_string_equal(desk_shown(), "way"); // the title goes on, and no reset came between
    desk_type("\x1dmvers");
    (void)request("json list", &ok);
    desk_type("ion\r");
    assert_true(has(desk_shown(), "Duomo 0.1"));
}

TEST(requests_that_are_none)
{
    static const char *const lines[] = {
        "\x1d:\r", "\x1d:0123 json list\r", "\x1d:0123456789abcdeg json list\r",
        "\x1d:0123456789abcdef\r", "\x1d:0123456789abcdef0 json list\r", "\x1d:\x03", "\x1d:01\x1b",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        desk_type(lines[i]);
        assert_string_equal(desk_shown(), "");
    }
    desk_type("\x1d:0123\x1d" "2"); // another key sequence begins
    assert_true(has(desk_shown(), "--- two ---"));
    desk_type("\x1d:");
    for (int i = 0; i < 400; i++)
        desk_type("x");
    desk_type("\x1d" "1");
    assert_true(has(desk_shown(), "--- one ---"));
}

// One that is too long is refused, and nothing of it is typed to a guest.
TEST(a_request_that_is_too_long)
{
    char what[1000] = "text mem one ";
    bool ok;

    memset(what + strlen(what), 'x', 900);
    assert_true(has(request(what, &ok), "too long"));
    assert_false(ok);
    EXPECT_EQ(vms[0]->console_read(vms[0]), -1, "nothing was typed");
    assert_true(has(request("text version", &ok), "Duomo"));
    assert_true(ok);
}

// The whole of a long reply comes, however slow the line is, and nothing of a guest's between.
TEST(a_long_reply_comes_whole)
{
    const char *shown;
    unsigned    lines = 0;

    chips.serial_room = 0;
    desk_type("\x1d:" NONCE " text mem one p:0x80000000 4096\r");
    log_line("a line of the log");
    assert_false(desk_print(d.r[0], "guest"));
    assert_true(chips.is_held); // the next request waits until this one is answered
    desk_ready();
    shown = desk_shown();
    assert_true(has(shown, ";end;ok\x1b\\duomo: a line of the log\r\n"));
    for (const char *at = shown; (at = strstr(at, "\r\n")); at++)
        lines++;
    EXPECT_EQ(lines, 256 + 1, "lines");
    EXPECT_EQ(sender_lost(), 0, "nothing is lost");
    assert_false(chips.is_held);
}

TEST(off)
{
    chips.may_power_off = true;
    if (!setjmp(chips.powered_off)) {
        desk_type("\x1d:" NONCE " json off\r");
        fail_msg("the machine is still on");
    }
    assert_true(has(desk_shown(), "{\"text\":\"\"}\r\n\x1b_duomo;" NONCE ";end;ok\x1b\\"));
}

// Any bytes on the line: the monitor stays, and so do the VMs that nobody named.
TEST(any_keys)
{
    static u64 seed = 23; // static, as n: longjmp() leaves them alone
    static int n;

    chips.may_power_off = true;
    for (; n < 100000; n++) {
        static const char *const words[] = { "list", "regs", "one", "two", "csr", "walk", "mem",
                                             "0x80000000", "p:0x80000100", "help", "\t", "\r",
                                             " ", "\x1dm", "\x1d:" NONCE " json ", "\x1d" "a",
                                             "stats", "\x1b[A", "log", "devs", "\x1d" "2", "top" };

        if (dice_below(&seed, 4))
            desk_type(words[dice_below(&seed, ARRAY_LEN(words))]);
        else if (!setjmp(chips.powered_off))
            chips.serial_input(NULL, (u8)dice(&seed));
        if (n % 64 == 0)
            desk_ticks(1);
        chips.n_serial = 0;
        while (d.r[0]->vm.console_read(&d.r[0]->vm) + d.r[1]->vm.console_read(&d.r[1]->vm) >= 0)
            ;
    }
    EXPECT_EQ(d.r[2]->vm.state, VM_RUNNING, "three");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(off),
        RUN_ON_RIG(each_command_has_help),
        RUN_ON_RIG(lists_and_counters),
        RUN_ON_RIG(rates),
        RUN_ON_RIG(the_life_of_a_vm),
        RUN_ON_RIG(registers),
        RUN_ON_RIG(memory_is_shown),
        RUN_ON_RIG(a_walk_is_shown),
        RUN_ON_RIG(mistakes_get_a_sentence),
        RUN_ON_RIG(tab),
        RUN_ON_RIG(the_log_comes_at_once),
        RUN_ON_RIG(no_guest_is_shown_at_the_prompt),
        RUN_ON_RIG(top),
        RUN_ON_RIG(requests),
        RUN_ON_RIG(requests_stand_apart),
        RUN_ON_RIG(requests_that_are_none),
        RUN_ON_RIG(a_request_that_is_too_long),
        RUN_ON_RIG(a_long_reply_comes_whole),
        RUN_ON_RIG(any_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
