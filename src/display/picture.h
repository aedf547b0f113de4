/* SPDX-License-Identifier: MIT
 * A picture: what a screen shows, 8 bits for each of red, green and blue.
 */
#ifndef RINGSIDE_DISPLAY_PICTURE_H
#define RINGSIDE_DISPLAY_PICTURE_H

#include "base/error.h"
#include "base/types.h"

struct picture {
    unsigned width, height; /* pixels */
    u8 *rgb;                /* width * height * 3 bytes, the upper line first */
};

/* Give a picture (at first all zero) another size. effects: its contents are black */
void picture_resize(struct picture *p, unsigned width, unsigned height);
void picture_free(struct picture *p);
/* returns: the three bytes of a pixel within the picture */
static inline u8 *picture_at(const struct picture *p, unsigned x, unsigned y)
{
    return p->rgb + ((size_t)y * p->width + x) * 3;
}
/* Write a PNG file. The same picture gives the same bytes.
 * returns: false with err set (EXIT_FILE) */
bool picture_write_png(const struct picture *p, const char *path, struct error *err);

#endif
