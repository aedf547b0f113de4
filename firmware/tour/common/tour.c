/* SPDX-License-Identifier: MIT
 * The tour's frame: titles, checks, the summary and the end of the machine.
 */
#include "tour.h"

static unsigned checks, wrong; /* of the stop that runs */
static const char *skipped;

void say(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    console_put("      ");
    print_list(format, list);
    console_put("\n");
    va_end(list);
}

bool check(const char *what, u64 expected, u64 got)
{
    checks++;
    if (expected == got)
        return true;
    wrong++;
    say("WRONG: %s: expected %llx got %llx", what, (unsigned long long)expected, (unsigned long long)got);
    return false;
}

void skip(const char *why) { skipped = why; }

/* ACPI: PM1a control, SLP_TYP of S5 and SLP_EN (the PIIX4 power management function of the PC board). */
static void power_off(void)
{
    outw(0x604, 5 << 10 | 1 << 13);
    outw(0x604, 0 << 10 | 1 << 13); /* boards whose S5 is type 0 */
}

/* With isa-debug-exit the machine ends here with code (1 << 1) | 1; without it the processor halts for good. */
static void fail(void) { outb(0x501, 1); }

static bool run_stop(unsigned number, const struct stop *stop)
{
    checks = wrong = 0;
    skipped = NULL;
    print("%s%u. %s\n", number < 10 ? " " : "", number, stop->title);
    stop->run();
    if (skipped != NULL && wrong == 0) {
        say("not here: %s", skipped);
        return true;
    }
    if (wrong == 0)
        say("ok (%u checks)", checks);
    else
        say("WRONG (%u of %u checks)", wrong, checks);
    return wrong == 0;
}

void tour_run(const char *name, const struct stop *const tables[], const unsigned sizes[], unsigned count)
{
    unsigned stops = 0, failed = 0;

    print("\nThe ring tour, %s. Processor: %s (%s)\n\n", name, processor.vendor, processor.name);
    for (unsigned t = 0; t < count; t++)
        for (unsigned i = 0; i < sizes[t]; i++)
            failed += !run_stop(++stops, &tables[t][i]);
    print("\ntour: %u stops, %u wrong\n", stops, failed);
    if (failed == 0)
        power_off();
    else
        fail();
    for (;;)
        __asm__ volatile("cli; hlt");
}
