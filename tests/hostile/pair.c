// SPDX-License-Identifier: MIT
// One of two honest guests, numbers 0 and 1 at the switch, that exchange frames beside those who
// attack it.  Number 0 sends numbered frames of all lengths, number 1 answers each; both look at
// every byte of all that arrives.  Nothing is lost, changed, doubled or out of order; and each frame
// of somebody else has the address of the one that says in it that it has sent it.  Command line:
// seed=<n> of the pair, patience_ms=<n>, and plain=1 for one that takes no checksums and large
// segments.
// Shows: D10 D12 S4
#include "nic.h"

#include <string.h>

#define BUFFERS     QUEUE_SIZE
#define BUFFER_SIZE 2048
#define AT_ONCE     8 // frames under way: beside three that flood a mailbox has room for so many
#define TURNS       50
#define BODY        20 // where the pattern begins
#define TYPE_PAIR   0x88b6
#define TYPE_OTHER  0x88b5
#define LETTER_MAX  (33 * 1024)

static u8   buffers[BUFFERS][BUFFER_SIZE] __attribute__((aligned(8)));
static u8   slots[AT_ONCE][HDR_SIZE + FRAME_MAX + 6] __attribute__((aligned(8)));
static u8   letter[LETTER_MAX + BUFFER_SIZE]; // the frame that has arrived
static u32  letter_len;
static u32  me, next_slot, foreign, whole; // frames of others; large ones that were not cut
static u32  secret;
static u64  patience_ms;
static bool is_plain;

static u32 be(const u8 *at, u32 n)
{
    u32 value = 0;

    while (n--)
        value = value << 8 | *at++;
    return value;
}

static u8 pattern(u32 from, u32 number, u32 i)
{
    u32 x = secret + from * 77u + number * 2654435761u;

    return (u8)((x >> i % 24) + i * 31);
}

static u32 length_of(u32 from, u32 number)
{
    return 60 + (number * 7919u + from * 13u) % (FRAME_MAX - 60 + 1);
}

static void bad(const char *what, u32 a, u32 b)
{
    say("BAD %s: %u, %u", what, a, b);
    rest();
}

// --- receiving ---

static void buffer_give(u32 n)
{
    nic_desc(NIC_RX, n, buffers[n], BUFFER_SIZE, DESC_WRITE, 0);
    nic_offer(NIC_RX, (u16)n);
}

// The rest of a frame that takes several buffers: they are all there already.
static void letter_add(u32 n_buffers)
{
    u32 head, len;

    while (--n_buffers) {
        if (!nic_used(NIC_RX, &head, &len) || len > BUFFER_SIZE || letter_len > LETTER_MAX)
            bad("a frame lacks a part", n_buffers, letter_len);
        memcpy(letter + letter_len, buffers[head], len);
        letter_len += len;
        buffer_give(head);
    }
}

// The next frame; false: there is none now.
static bool letter_take(void)
{
    struct nic_hdr h;
    u32            head, len;

    if (!nic_used(NIC_RX, &head, &len))
        return false;
    if (head >= BUFFERS || len < HDR_SIZE + ETH_SIZE || len > BUFFER_SIZE)
        bad("a buffer came back", head, len);
    memcpy(&h, buffers[head], HDR_SIZE);
    letter_len = len - HDR_SIZE;
    memcpy(letter, buffers[head] + HDR_SIZE, letter_len);
    buffer_give(head);
    if (!h.buffers || h.buffers > BUFFERS)
        bad("so many buffers", h.buffers, len);
    letter_add(h.buffers);
    nic_kick(NIC_RX);
    if (h.gso_type)
        whole++;
    if (h.gso_type ? is_plain : letter_len > FRAME_MAX)
        bad("a frame that was not agreed to", h.gso_type, letter_len);
    if (h.flags && (is_plain || h.csum_start + h.csum_offset + 2u > letter_len))
        bad("a checksum outside the frame", h.csum_start, h.csum_offset);
    return true;
}

// Does the frame say that it is his?  It says so twice, for its sender may have had a checksum put
// upon one of the two.
static bool names(u32 who)
{
    static const struct {
        u32 type, at, again;
    } kinds[] = { { TYPE_OTHER, 14, 20 }, { 0x0800, 29, 33 }, { 0x86dd, 37, 53 } };
    u32 type  = be(letter + 12, 2);

    for (u32 i = 0; i < ARRAY_LEN(kinds); i++)
        if (type == kinds[i].type)
            return letter_len <= kinds[i].again || letter[kinds[i].at] == who ||
                   letter[kinds[i].again] == who;
    return false;
}

// Somebody else's frame: its source is true, and it is for us or for all.
static void foreign_check(void)
{
    u8  mac[MAC_SIZE];
    u32 who = letter[5 + MAC_SIZE];

    mac_make(mac, who);
    if (memcmp(mac, letter + MAC_SIZE, MAC_SIZE) || who < 2 || !names(who))
        bad("a forged source", who, be(letter + 12, 2));
    mac_make(mac, me);
    if (memcmp(mac, letter, MAC_SIZE) && !(letter[0] & 1))
        bad("a frame for somebody else", letter[5], letter_len);
    foreign++;
}

static bool is_partners(void)
{
    u8 mac[MAC_SIZE];

    mac_make(mac, !me);
    return !memcmp(mac, letter + MAC_SIZE, MAC_SIZE);
}

static u32 partners_check(void)
{
    u32 number = be(letter + 14, 4);

    if (be(letter + 12, 2) != TYPE_PAIR || letter_len != length_of(!me, number))
        bad("a frame of the partner's has changed", letter_len, number);
    for (u32 i = BODY; i < letter_len; i++)
        if (letter[i] != pattern(!me, number, i))
            bad("a byte of the partner's has changed", i, number);
    return number;
}

// Number of the next frame of the partner's; 0xffffffff: none came in so long.
static u32 partner_wait(u64 ms)
{
    for (u64 until = time_now() + ms * TICKS_PER_MS; time_now() < until;)
        if (!letter_take())
            continue;
        else if (is_partners())
            return partners_check();
        else
            foreign_check();
    return ~0u;
}

// --- sending ---

static void frame_send(u32 number)
{
    u32 slot = next_slot++ % AT_ONCE, head, len;
    u8 *f    = slots[slot] + HDR_SIZE;

    if (next_slot > AT_ONCE && !nic_wait(NIC_TX, patience_ms, &head, &len))
        bad("a frame was not sent", number, 0);
    len = length_of(me, number);
    mac_make(f, !me);
    mac_make(f + MAC_SIZE, me);
    f[12] = TYPE_PAIR >> 8;
    f[13] = (u8)TYPE_PAIR;
    for (u32 i = 0; i < 4; i++)
        f[14 + i] = (u8)(number >> (24 - 8 * i));
    for (u32 i = BODY; i < len; i++)
        f[i] = pattern(me, number, i);
    nic_desc(NIC_TX, slot, slots[slot], HDR_SIZE + len, 0, 0);
    nic_offer(NIC_TX, (u16)slot);
    nic_kick(NIC_TX);
}

static void expect(u32 number)
{
    u32 got;

    do
        got = partner_wait(patience_ms);
    while (!got);
    if (got == ~0u)
        bad("a frame is lost", number, foreign);
    if (got != number)
        bad("another frame came", got, number);
}

// Number 0 is said until the partner is there to answer it; what was said twice is answered twice.
static void greet(void)
{
    do
        frame_send(0);
    while (partner_wait(100) == ~0u);
    while (partner_wait(100) != ~0u)
        ;
}

static void lead(void)
{
    u32 number = 0;

    greet();
    for (u64 round = 1;; round++) {
        for (u32 turn = 0; turn < TURNS; turn++) {
            for (u32 i = 0; i < AT_ONCE; i++)
                frame_send(++number);
            for (u32 i = 0; i < AT_ONCE; i++)
                expect(number - AT_ONCE + 1 + i);
        }
        say("round %lu frames=%u foreign=%u whole=%u", round, number, foreign, whole);
    }
}

static void answer(void)
{
    u32 number, last = 0;

    for (;;) {
        number = partner_wait(1000);
        if (number == ~0u)
            continue;
        if (number && number != last + 1)
            bad("another frame came", number, last + 1);
        last = number;
        frame_send(number);
        if (number && number % (TURNS * AT_ONCE) == 0)
            say("round %u foreign=%u whole=%u", number / (TURNS * AT_ONCE), foreign, whole);
    }
}

GUEST(pair)
{
    u64 takes = F_GUEST_CSUM | F_GUEST_TSO4 | F_GUEST_TSO6;

    secret      = (u32)arg("seed", 1) * 40503u;
    patience_ms = arg("patience_ms", 2000);
    is_plain    = arg("plain", 0);
    me          = nic_number();
    nic_start(F_VERSION_1 | F_MRG_RXBUF | F_EVENT_IDX | (is_plain ? 0 : takes));
    for (u32 i = 0; i < BUFFERS; i++)
        buffer_give(i);
    nic_kick(NIC_RX);
    if (me)
        answer();
    lead();
}
