/* SPDX-License-Identifier: MIT
 * Pictures in memory, and as PNG files.
 */
#include "display/picture.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void picture_resize(struct picture *p, unsigned width, unsigned height)
{
    size_t bytes = (size_t)width * height * 3;

    if (p->rgb == NULL || width != p->width || height != p->height) {
        free(p->rgb);
        p->rgb = malloc(bytes == 0 ? 1 : bytes);
        if (p->rgb == NULL)
            abort();
    }
    p->width = width;
    p->height = height;
    memset(p->rgb, 0, bytes);
}

void picture_free(struct picture *p)
{
    free(p->rgb);
    *p = (struct picture){0};
}

bool picture_write_png(const struct picture *p, const char *path, struct error *err)
{
    png_image image = {.version = PNG_IMAGE_VERSION, .width = p->width, .height = p->height, .format = PNG_FORMAT_RGB};
    FILE *file = fopen(path, "wb");
    bool ok;

    if (file == NULL)
        return error_set(err, EXIT_FILE, "cannot write the picture to '%s': %s", path, strerror(errno));
    ok = png_image_write_to_stdio(&image, file, 0, p->rgb, 0, NULL) != 0;
    if (fclose(file) != 0 && ok)
        return error_set(err, EXIT_FILE, "cannot write the picture to '%s': %s", path, strerror(errno));
    return ok || error_set(err, EXIT_FILE, "cannot write the picture to '%s': %s", path, image.message);
}
