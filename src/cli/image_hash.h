/* SPDX-License-Identifier: MIT
 * Hashes of the image files in a recording's run description: a replay refuses an image that changed.
 */
#ifndef RINGSIDE_CLI_IMAGE_HASH_H
#define RINGSIDE_CLI_IMAGE_HASH_H

#include "cli/cli.h"

/* Set key to "HASH PATH"; nothing when path is NULL or cannot be read as one file (the loader will say why). */
void image_hash_property(struct trace_properties *run, const char *key, const char *path);
/* returns: false with err set (EXIT_FILE) when the file's hash is not the recorded one. */
bool image_hash_verify(const struct trace_properties *run, const char *key, const char *path, struct error *err);

/* The same of every drive's image, under image.drive0 to image.drive7. */
void image_hash_drives(struct trace_properties *run, const struct drive_options *drives);
bool image_hash_verify_drives(const struct trace_properties *run, const struct drive_options *drives,
                              struct error *err);

#endif
