/* SPDX-License-Identifier: MIT
 * The exerciser: makes Linux system calls and prints each as src/linux does, so that its lines can be held against
 * those of strace, which watches it.
 */
#ifndef RINGSIDE_TESTS_LINUX_EXERCISE_H
#define RINGSIDE_TESTS_LINUX_EXERCISE_H

#include "linux/linux.h"

/* Make the call and note its line. in: args  six words. returns: what the kernel gave */
long exercise_call(enum linux_abi abi, const char *name, const long *args);

#define A64(name, ...) exercise_call(LINUX_AMD64, #name, (const long[LINUX_ARGS]){__VA_ARGS__})
#define I32(name, ...) exercise_call(LINUX_I386, #name, (const long[LINUX_ARGS]){__VA_ARGS__})
#define P(pointer) ((long)(pointer))

/* An address in a page without access. */
extern char *bad_page;

void exercise_files(void);
void exercise_processes(void);
void exercise_sockets(void);
void exercise_i386(void);

#endif
