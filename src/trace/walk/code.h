/* SPDX-License-Identifier: MIT
 * What a walk must know of an instruction's bytes: does it call, return or jump, and does it store on the stack?
 */
#ifndef RINGSIDE_TRACE_WALK_CODE_H
#define RINGSIDE_TRACE_WALK_CODE_H

#include "base/types.h"

enum code_flow {
    CODE_NEXT, /* anything else, conditional branches too */
    CODE_CALL, /* near */
    CODE_RETURN,
    CODE_JUMP,
};

enum code_store {
    CODE_STORES_NOTHING, /* on the stack, as far as can be told from the bytes */
    CODE_PUSHES,         /* at the stack pointer after the instruction */
    CODE_STORES,         /* at the stack pointer + displacement */
};

struct code {
    u8 flow;  /* enum code_flow */
    u8 store; /* enum code_store */
    i32 displacement;
    bool scratch; /* mov from a control register: if to the stack pointer, it is no stack for now */
};

/* in: is64  64-bit code, else 32-bit code (16-bit code is taken for the latter: its branches are still known) */
struct code code_classify(const u8 *bytes, size_t length, bool is64);

#endif
