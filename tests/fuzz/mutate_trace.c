/* SPDX-License-Identifier: MIT
 * How the fuzzer changes a trace: as it likes, but then most often with the sums made right again, because a reader
 * stops at the first wrong one.
 */
#include "fuzz.h"
#include "trace_body.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max);
    if (seed % 16 != 0)
        trace_body_repair(data, size);
    return size;
}
