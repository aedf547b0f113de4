/* SPDX-License-Identifier: MIT
 * Two readings of the same bytes, field by field, and the committed list of differences.
 */
#ifndef RINGSIDE_CONFORM_DECODER_COMPARE_H
#define RINGSIDE_CONFORM_DECODER_COMPARE_H

#include "conform/decoder/reading.h"
#include "cpu/model.h"

/* What may differ. Where one refuses the bytes nothing else is compared. */
enum reading_field {
    FIELD_ACCEPTED = 1, /* Ringside: an instruction; Capstone: none */
    FIELD_REFUSED = 2,  /* Ringside: #UD; Capstone: an instruction */
    FIELD_LENGTH = 4,
    FIELD_NAME = 8,
    FIELD_COUNT = 16, /* how many operands, or of which kind */
    FIELD_REGISTER = 32,
    FIELD_SEGMENT = 64,
    FIELD_ADDRESS = 128, /* base, index, scale, displacement */
    FIELD_SIZE = 256,    /* of a general register or memory operand */
    FIELD_VALUE = 512,   /* of an immediate or branch target */
};

/* One comparison. */
struct comparison {
    struct facts facts;
    const struct cpu_model *model;
    struct reading ours, theirs;
    struct insn insn;    /* Ringside's */
    const cs_insn *text; /* Capstone's, if it has one */
    unsigned fields;     /* enum reading_field: where they differ */
};

/* A processor with every feature that the table of instructions knows. */
void comparison_model(struct cpu_model *model, enum cpu_vendor vendor);

/* Compare readings that are filled in. effects: fields. */
void comparison_make(struct comparison *c);

/* Whether Capstone's instruction belongs to a feature that no row of the table has: AVX and the like, by its groups. */
bool comparison_missing_feature(const struct comparison *c);

/* ---- differences.def */

/* Who is right by the manuals, or that it is no matter of right and wrong. */
enum difference_side { RIGHT_RINGSIDE, RIGHT_CAPSTONE, RIGHT_BOTH };

struct difference {
    const char *name;
    unsigned fields; /* what it excuses */
    bool (*applies)(const struct comparison *c);
    enum difference_side right;
    const char *why, *source;
    enum code_size code; /* of the example */
    enum cpu_vendor vendor;
    const char *example;
    u8 example_length;
};

extern const struct difference differences[];
extern const unsigned difference_count;

/* Make the comparison of an entry's example. in: c with text and model */
void difference_example(const struct difference *d, struct comparison *c, struct capstone *capstone);

/* The fields that differ and that no entry of the list excuses. */
unsigned comparison_unexplained(const struct comparison *c);

/* Whether our name and Capstone's are names of one instruction. */
bool names_agree(const char *ours, const char *theirs);

#endif
