/* SPDX-License-Identifier: MIT
 * The screen at the end of a run, in files.
 */
#include "cli/screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "display/render.h"
#include "display/text_screen.h"

static bool no_screen(struct error *err)
{
    return error_set(err, EXIT_USAGE, "there is no screen to write: the machine has no display adapter; add -vga std");
}

bool screen_check(const struct screen_options *o, const struct machine *m, struct error *err)
{
    bool wanted = o->picture_path != NULL || o->text_path != NULL;

    return !wanted || machine_vga(m) != NULL || no_screen(err);
}

bool screen_dump(const struct machine *m, const char *path, struct error *err)
{
    struct picture picture = {0};
    bool ok;

    if (machine_vga(m) == NULL)
        return no_screen(err);
    render_screen(&picture, vga_state(machine_vga(m)), (struct render_phase){.cursor = true, .text = true});
    ok = picture_write_png(&picture, path, err);
    picture_free(&picture);
    return ok;
}

static bool write_text(const struct machine *m, const char *path, struct error *err)
{
    bool to_stdout = strcmp(path, "-") == 0, ok;
    FILE *out = to_stdout ? stdout : fopen(path, "w");

    if (out == NULL)
        return error_set(err, EXIT_FILE, "cannot write the screen to '%s': %s", path, strerror(errno));
    text_screen_write(out, vga_state(machine_vga(m)));
    ok = !ferror(out);
    ok &= (to_stdout ? fflush(out) : fclose(out)) == 0;
    return ok || error_set(err, EXIT_FILE, "cannot write the screen to '%s': %s", path, strerror(errno));
}

bool screen_write(const struct screen_options *o, const struct machine *m, struct error *err)
{
    if (o->text_path == NULL && o->picture_path == NULL)
        return true;
    if (machine_vga(m) == NULL)
        return no_screen(err);
    return (o->text_path == NULL || write_text(m, o->text_path, err)) &&
           (o->picture_path == NULL || screen_dump(m, o->picture_path, err));
}
