/* SPDX-License-Identifier: MIT
 * How many cases of the corpora execute each row of the instruction table.
 */
#include "conform/hardware/row_cases.h"

#include "conform/hardware/classify.h"
#include "conform/hardware/files.h"

static bool count_file(const char *path, unsigned *rows, struct error *err)
{
    struct hardware_corpus *corpus = hardware_corpus_open(path, err);
    struct hardware_case c;
    struct cpu_model model;
    struct insn insn;
    bool ok;

    if (corpus == NULL)
        return false;
    ok = hardware_model(&model, (enum cpu_vendor)hardware_corpus_source(corpus)->vendor, err);
    for (u32 i = 0; ok && i < hardware_corpus_count(corpus); i++) {
        hardware_corpus_peek(corpus, i, &c);
        hardware_classify(&insn, &c, &model);
        rows[insn.row]++;
    }
    hardware_corpus_close(corpus);
    return ok;
}

bool hardware_row_cases(const char *corpus, unsigned *rows, struct error *err)
{
    struct hardware_files files;
    bool ok = true;

    if (!hardware_files_find(&files, corpus, err))
        return false;
    for (unsigned i = 0; ok && i < files.count; i++)
        ok = count_file(files.path[i], rows, err);
    hardware_files_free(&files);
    return ok;
}
