/* SPDX-License-Identifier: MIT
 * What the views of a recording share: opening, the header, the closing word about damage.
 */
#ifndef RINGSIDE_TRACE_VIEW_VIEWS_H
#define RINGSIDE_TRACE_VIEW_VIEWS_H

#include "trace/file/reader.h"

/* Run description as "# key: value" lines, without the argv.N that repeat its command word by word. */
void view_header(FILE *out, const struct trace_reader *r);
/* End of the run, as "# key: value" lines; says so when the file has none. */
void view_end(FILE *out, const struct trace_reader *r);
/* Say on view->messages that a filter asked for tasks, and the recording knows none. */
void view_no_tasks(const char *path, const struct trace_view *view);
/* Say on view->messages what was lost, then close. */
void view_close(struct trace_reader *r, const char *path, const struct trace_view *view);

#endif
