/* SPDX-License-Identifier: MIT
 * A fuzz harness: LLVM, "libFuzzer - a library for coverage-guided fuzz testing". Each harness is one function over
 * bytes of any origin. It is linked with libFuzzer (RINGSIDE_FUZZ), or with replay.c, which needs no libFuzzer.
 */
#ifndef RINGSIDE_TESTS_FUZZ_FUZZ_H
#define RINGSIDE_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Use the bytes. returns: 0; a finding ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A harness may change inputs by itself; of libFuzzer it then gets the plain mutation.
 * in: data of size bytes in a buffer of max.  returns: the new size */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#endif
