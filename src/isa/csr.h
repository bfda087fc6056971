// SPDX-License-Identifier: MIT
// Names of the privileged architecture: CSR numbers, their fields, causes.  RISC-V Instruction Set
// Manual, Volume II, "Privileged Architecture" 1.12; the section stands beside each group.
#pragma once

#include "lib/bits.h"

// The three modes a virtual or a real hart can be in; the values are those of xPP fields (1.2).
enum mode { MODE_U = 0, MODE_S = 1, MODE_M = 3 };

// CSR addresses say who may use them (2.1): bits 9:8 the lowest mode, bits 11:10 == 3 read-only.
#define CSR_NUMBER_MODE(n)      (((n) >> 8) & 3)
#define CSR_NUMBER_READ_ONLY(n) (((n) >> 10) == 3)

#define CSR_SSTATUS    0x100
#define CSR_SIE        0x104
#define CSR_STVEC      0x105
#define CSR_SCOUNTEREN 0x106
#define CSR_SENVCFG    0x10a
#define CSR_SSCRATCH   0x140
#define CSR_SEPC       0x141
#define CSR_SCAUSE     0x142
#define CSR_STVAL      0x143
#define CSR_SIP        0x144
#define CSR_STIMECMP   0x14d
#define CSR_SATP       0x180
#define CSR_CYCLE      0xc00
#define CSR_TIME       0xc01

// mstatus and its view sstatus (3.1.6, 4.1.1)
#define STATUS_SIE    BIT(1)
#define STATUS_MIE    BIT(3)
#define STATUS_SPIE   BIT(5)
#define STATUS_MPIE   BIT(7)
#define STATUS_SPP    BIT(8)
#define STATUS_VS     BITS(10, 9)
#define STATUS_MPP    BITS(12, 11)
#define STATUS_FS     BITS(14, 13)
#define STATUS_XS     BITS(16, 15)
#define STATUS_MPRV   BIT(17)
#define STATUS_SUM    BIT(18)
#define STATUS_MXR    BIT(19)
#define STATUS_TVM    BIT(20)
#define STATUS_TW     BIT(21)
#define STATUS_TSR    BIT(22)
#define STATUS_UXL    BITS(33, 32)
#define STATUS_SD     BIT(63)
#define XL_64         2ul
#define STATUS_UXL_64 (XL_64 << 32)
#define EXT_DIRTY     3ul // of FS, VS and XS

// Interrupts: bit numbers of mip, mie, sip, sie (3.1.9, 4.1.3)
#define IRQ_SSI 1
#define IRQ_MSI 3
#define IRQ_STI 5
#define IRQ_MTI 7
#define IRQ_SEI 9
#define IRQ_MEI 11
#define INT_S   (BIT(IRQ_SSI) | BIT(IRQ_STI) | BIT(IRQ_SEI))
#define INT_M   (BIT(IRQ_MSI) | BIT(IRQ_MTI) | BIT(IRQ_MEI))

#define CAUSE_INTERRUPT BIT(63)

// Exceptions: values of mcause and scause (3.1.15, 4.1.8)
enum exc {
    EXC_FETCH_MISALIGNED = 0,
    EXC_FETCH_ACCESS     = 1,
    EXC_ILLEGAL_INSN     = 2,
    EXC_BREAKPOINT       = 3,
    EXC_LOAD_MISALIGNED  = 4,
    EXC_LOAD_ACCESS      = 5,
    EXC_STORE_MISALIGNED = 6,
    EXC_STORE_ACCESS     = 7,
    EXC_ECALL_U          = 8,
    EXC_ECALL_S          = 9,
    EXC_ECALL_M          = 11,
    EXC_FETCH_PAGE_FAULT = 12,
    EXC_LOAD_PAGE_FAULT  = 13,
    EXC_STORE_PAGE_FAULT = 15,
    EXC_COUNT            = 16,
};

// stvec, mtvec (4.1.2)
#define TVEC_MODE     BITS(1, 0)
#define TVEC_VECTORED 1

// satp (4.1.11)
#define SATP_MODE BITS(63, 60)
#define SATP_ASID BITS(59, 44)
#define SATP_PPN  BITS(43, 0)
enum satp_mode { SATP_BARE = 0, SATP_SV39 = 8, SATP_SV48 = 9, SATP_SV57 = 10 };

// menvcfg, senvcfg (3.1.18, 4.1.10)
#define ENVCFG_FIOM  BIT(0)
#define ENVCFG_CBIE  BITS(5, 4)
#define ENVCFG_CBCFE BIT(6)
#define ENVCFG_CBZE  BIT(7)
#define ENVCFG_CBO   (ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE)
#define ENVCFG_ADUE  BIT(61)
#define ENVCFG_STCE  BIT(63)

// mcounteren, scounteren (3.1.11, 4.1.5): bit n admits CSR 0xc00 + n.
#define COUNTEREN_TM BIT(1)

// pmpcfg (3.7.1)
#define PMP_R     BIT(0)
#define PMP_W     BIT(1)
#define PMP_X     BIT(2)
#define PMP_OFF   0
#define PMP_TOR   BIT(3)
#define PMP_NAPOT BITS(4, 3)
#define PMP_L     BIT(7)

// Page-table entries (4.3.1, 4.4.1; PBMT and N: chapters "Svpbmt" and "Svnapot")
#define PTE_V        BIT(0)
#define PTE_R        BIT(1)
#define PTE_W        BIT(2)
#define PTE_X        BIT(3)
#define PTE_U        BIT(4)
#define PTE_G        BIT(5)
#define PTE_A        BIT(6)
#define PTE_D        BIT(7)
#define PTE_PPN      BITS(53, 10)
#define PTE_RESERVED BITS(60, 54)
#define PTE_PBMT     BITS(62, 61)
#define PTE_N        BIT(63)
