/* SPDX-License-Identifier: MIT
 * Which kind of mode is on.
 */
#include "display/render_internal.h"

void render_screen(struct picture *out, const struct vga_state *s, struct render_phase phase)
{
    if (s->vbe[VBE_ENABLE] & VBE_ENABLED)
        render_vbe(out, s);
    else if (s->crtc[CRTC_H_DISPLAY_END] == 0)
        picture_resize(out, 640, 480);
    else if (s->gfx[GFX_MISC] & GFX_MISC_GRAPHICS)
        render_graphics(out, s);
    else
        render_text(out, s, phase);
}
