/* SPDX-License-Identifier: MIT
 * What an engine keeps beside the processor: the event in progress, and the caches of decoded code.
 */
#ifndef RINGSIDE_CPU_ENGINE_STATE_H
#define RINGSIDE_CPU_ENGINE_STATE_H

#include "cpu/engine/block.h"
#include "cpu/engine/door.h"
#include "cpu/engine/engine.h"
#include "cpu/engine/insn_cache.h"
#include "cpu/ring/mechanisms.h"

struct engine {
    enum engine_kind kind;
    struct interrupt_event event; /* being delivered, or waiting for its delivery */
    bool delivering;
    bool pending;
    bool trap_armed; /* TF was set when the instruction began */
    bool rf_before;
    u64 door_before, retired_before;
    /* An exit that asked the run loop for its target, and the linear page that it leaves. */
    struct block_exit *link;
    laddr_t link_page;
#ifdef RINGSIDE_DOOR_CHECK
    struct door_check door;
#endif
    u8 writes[4096];        /* to pages that hold code, by page number: code.c, code_written() */
    struct insn straddling; /* decoding of an instruction that crosses a page: never cached */
    struct insn_cache cache;
    struct block_cache blocks;
};

#endif
