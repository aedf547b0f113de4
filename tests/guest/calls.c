/* SPDX-License-Identifier: MIT
 * calls64 N, calls32 N: make exactly N system calls from one loop by each way into the kernel that the program's code
 * has, and say where the loop stands, so that a test can count the recorded entries that came from it. A line:
 *
 *     CALLS way=int80 loop=0x8049123-0x804914a entry=0x0-0x0 marker=0x474e4952 count=N wrong=0
 *
 * entry: the page of __kernel_vsyscall when the kernel is entered from there and not from the loop.
 */
#include "guest.h"
#include "marker.h"

enum { AT_SYSINFO = 32, PAGE = 4096 };

typedef word loop(word count, long expected, word entry);

#define LOOP(name)                                                                                                     \
    loop loop_##name;                                                                                                  \
    extern const char loop_##name##_end[]

static word parse(const char *s)
{
    word value = 0;

    for (; *s >= '0' && *s <= '9'; s++)
        value = value * 10 + (word)(*s - '0');
    return *s == '\0' ? value : 0;
}

static int count_calls(const char *way, loop *run, const char *end, word count, word entry)
{
    word page = entry & ~(word)(PAGE - 1);
    struct text t = {.size = 0};
    word wrong = run(count, system_call3(SYS_GETPID, 0, 0, 0), entry);

    text_add(&t, "CALLS way=");
    text_add(&t, way);
    text_add(&t, " loop=");
    text_add_hex(&t, (word)run);
    text_add(&t, "-");
    text_add_hex(&t, (word)end);
    text_add(&t, " entry=");
    text_add_hex(&t, page);
    text_add(&t, "-");
    text_add_hex(&t, page != 0 ? page + PAGE : 0);
    text_add(&t, " marker=");
    text_add_hex(&t, MARKER);
    text_add(&t, " count=");
    text_add_decimal(&t, count);
    text_add(&t, " wrong=");
    text_add_decimal(&t, wrong);
    text_add(&t, "\n");
    text_print(&t);
    return wrong != 0;
}

#ifdef __x86_64__
LOOP(syscall);
LOOP(int80);
#else
LOOP(int80);
LOOP(vdso);
#endif

int program(const struct start *start)
{
    word count = start->argc > 1 ? parse(start->argv[1]) : 1000;
    struct text t = {.size = 0};
    int failed = 0;

    if (count == 0) {
        text_add(&t, "usage: calls64|calls32 [N]\n");
        text_print(&t);
        return 2;
    }
#ifdef __x86_64__
    failed |= count_calls("syscall", loop_syscall, loop_syscall_end, count, 0);
    failed |= count_calls("int80", loop_int80, loop_int80_end, count, 0);
#else
    word entry = start_auxiliary(start, AT_SYSINFO);

    failed |= count_calls("int80", loop_int80, loop_int80_end, count, 0);
    if (entry == 0) {
        text_add(&t, "CALLS way=vdso none: the kernel gives no AT_SYSINFO\n");
        text_print(&t);
        return 1;
    }
    failed |= count_calls("vdso", loop_vdso, loop_vdso_end, count, entry);
#endif
    return failed;
}
