/* SPDX-License-Identifier: MIT
 * A recorded run made again: its options.
 */
#include "cli/replay.h"

#include <stdlib.h>

#include "cli/image_hash.h"
#include "machine/firmware_boot.h"
#include "machine/video.h"

static int recorded_words(const struct trace_properties *run, char **words)
{
    int count = 0;

    for (; count < RECORDED_WORDS_MAX; count++) {
        char key[32];

        snprintf(key, sizeof key, "argv.%d", count);
        words[count] = (char *)(uintptr_t)trace_properties_get(run, key);
        if (words[count] == NULL)
            break;
    }
    return count;
}

u64 replay_number(const struct trace_properties *p, const char *key, int base)
{
    const char *text = trace_properties_get(p, key);

    return text == NULL ? 0 : strtoull(text, NULL, base);
}

bool replay_options_from(struct run_options *o, const char *path, const struct trace_properties *run, struct error *err)
{
    char *words[RECORDED_WORDS_MAX + 1];
    int count = recorded_words(run, words);

    if (count == 0)
        return error_set(err, EXIT_FILE, "the recording '%s' does not say how it was made", path);
    if (!run_options_parse(o, count, words, err))
        return false;
    o->record_path = NULL;
    o->trace = false;
    o->machine.timeout = 0;
    o->machine.rtc_start = (i64)replay_number(run, "rtc.start", 10);
    o->drives.snapshot = true; /* the images were written once */
    return image_hash_verify(run, "image.kernel", o->machine.kernel, err) &&
           image_hash_verify(run, "image.initrd", o->machine.initrd, err) &&
           image_hash_verify(run, "image.bios", firmware_boot_path(o->machine.bios), err) &&
           image_hash_verify(run, "image.vgabios", video_firmware_path(), err) &&
           image_hash_verify_drives(run, &o->drives, err);
}
