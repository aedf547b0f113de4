/* SPDX-License-Identifier: MIT
 * What the counting loops hold in EDI: "RING".
 */
#ifndef RINGSIDE_TESTS_GUEST_MARKER_H
#define RINGSIDE_TESTS_GUEST_MARKER_H

#define MARKER 0x474E4952

#endif
