/* SPDX-License-Identifier: MIT
 * The floppy controller's commands.
 * Intel 82077AA data sheet, "Command Set/Descriptions".
 * Not implemented, and answered as an invalid command: READ TRACK, READ and WRITE DELETED DATA, VERIFY and the SCANs.
 * Of READ DATA the skip flag has no effect, because an image has no deleted sectors.
 */
#include "devices/fdc_state.h"

enum { RELATIVE = 0x80, INWARD = 0x40 };

static void invalid(struct fdc *f) { fdc_result(f, (const u8[]){ST0_INVALID}, 1, false); }

/* ---- heads */

static void step_heads(struct fdc *f, unsigned unit, unsigned target, bool home)
{
    struct fdc_arm *arm = &f->arm[unit];
    unsigned from = f->pcn[unit], steps = target > from ? target - from : from - target;

    if (home)
        steps = f->drive[unit].cylinder;
    arm->target = (u8)target;
    arm->home = home;
    arm->st0 = (u8)(ST0_SEEK_END | (f->command[1] & 7));
    if (home && !f->drive[unit].present)
        arm->st0 |= ST0_ABNORMAL | ST0_EQUIPMENT; /* no track 0 after 80 steps */
    f->sense &= (u8) ~(1u << unit);
    clock_arm(f->clock, &arm->timer, f->clock->ticks + (steps + 1) * FDC_STEP_TICKS);
}

static void seek(struct fdc *f)
{
    unsigned unit = f->command[1] & 3, target = f->command[2];

    if (f->command[0] & RELATIVE)
        target = f->command[0] & INWARD ? f->pcn[unit] + target : f->pcn[unit] - target;
    step_heads(f, unit, target & 0xff, false);
}

/* ---- status and configuration */

static void sense_interrupt(struct fdc *f)
{
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        if (!(f->sense & 1u << i))
            continue;
        f->sense &= (u8) ~(1u << i);
        f->reset_interrupt = false;
        fdc_result(f, (const u8[]){f->sense_st0[i], f->pcn[i]}, 2, false);
        fdc_update_interrupt(f, true);
        return;
    }
    invalid(f);
}

static void sense_drive(struct fdc *f)
{
    const struct fdc_drive *d = &f->drive[f->command[1] & 3];
    u8 st3 = (u8)(0x28 | (f->command[1] & 7) | (d->present && d->cylinder == 0 ? 0x10 : 0) |
                  (fdc_drive_protected(d) ? 0x40 : 0));

    fdc_result(f, &st3, 1, false);
}

static void dump_registers(struct fdc *f)
{
    u8 bytes[10] = {f->pcn[0], f->pcn[1], f->pcn[2], f->pcn[3], f->specify[0], f->specify[1]};

    bytes[6] = f->command[6]; /* the last end of track */
    bytes[7] = (u8)(f->lock << 7 | f->perpendicular);
    bytes[8] = f->config;
    bytes[9] = f->precompensation;
    fdc_result(f, bytes, sizeof bytes, false);
}

/* D0-D3 are taken only when OW is set. */
static void set_perpendicular(struct fdc *f, u8 value)
{
    f->perpendicular = (u8)((value & 0x80 ? value & 0x3c : f->perpendicular & 0x3c) | (value & 3));
}

/* ---- the table */

unsigned fdc_command_length(u8 opcode)
{
    switch (opcode & 0x1f) {
    case 0x05:
    case 0x06: return 9;
    case 0x0d: return 6;
    case 0x13: return 4;
    case 0x03:
    case 0x0f: return 3;
    case 0x04:
    case 0x07:
    case 0x0a:
    case 0x12: return 2;
    default: return 1;
    }
}

void fdc_execute(struct fdc *f)
{
    const u8 *c = f->command;

    f->received = 0;
    switch (c[0] & 0x1f) {
    case 0x03:
        f->specify[0] = c[1];
        f->specify[1] = c[2];
        break;
    case 0x04: sense_drive(f); break;
    case 0x05: fdc_transfer_begin(f, FDC_WRITE); break;
    case 0x06: fdc_transfer_begin(f, FDC_READ); break;
    case 0x07: step_heads(f, c[1] & 3, 0, true); break;
    case 0x08: sense_interrupt(f); break;
    case 0x0a: fdc_transfer_begin(f, FDC_READ_ID); break;
    case 0x0d: fdc_transfer_begin(f, FDC_FORMAT); break;
    case 0x0e: dump_registers(f); break;
    case 0x0f: seek(f); break;
    case 0x10: fdc_result(f, (const u8[]){0x90}, 1, false); break; /* an 82077AA */
    case 0x12: set_perpendicular(f, c[1]); break;
    case 0x13:
        f->config = c[2] & 0x7f;
        f->precompensation = c[3];
        break;
    case 0x14:
        f->lock = c[0] & 0x80;
        fdc_result(f, (const u8[]){(u8)(f->lock << 4)}, 1, false);
        break;
    default: invalid(f); break;
    }
}
