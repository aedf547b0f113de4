/* SPDX-License-Identifier: MIT
 * A script of known system calls of every kind, made so that a trace of it can be compared with what strace says of the
 * same run. Results are not checked here: wrong arguments belong to the script.
 */
#ifndef RINGSIDE_TESTS_GUEST_EXERCISE_H
#define RINGSIDE_TESTS_GUEST_EXERCISE_H

#include <asm/unistd.h>

#include "../guest.h"

/* One system call by the usual way of this word size: SYSCALL, or int 0x80. */
long raw_call(long number, word a, word b, word c, word d, word e, word f);
#define CALL_PADDED(number, a, b, c, d, e, f, ...)                                                                     \
    raw_call(number, (word)(a), (word)(b), (word)(c), (word)(d), (word)(e), (word)(f))
/* S(openat, AT_FDCWD, "/", O_RDONLY): arguments that are not given are 0. */
#define S(name, ...) CALL_PADDED(__NR_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

#define BAD_POINTER ((void *)16)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The fresh pages that this process touches, each once: the test looks for their page faults. Every process of the
 * script has an area of its own. */
enum { TOUCH_PAGES = 24, TOUCH_STRIDE = 0x100000 };
#define TOUCH_BASE (sizeof(word) == 8 ? 0x20000000u : 0x24000000u)
void touch_pages(unsigned area);

void exercise_files(void);
void exercise_descriptors(void);
void exercise_sockets(void);
void exercise_memory(void);
void exercise_identity(void);
void exercise_time(void);
void exercise_signals(void);
void exercise_processes(char **argv);

#endif
