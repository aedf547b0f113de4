/* SPDX-License-Identifier: MIT
 * What the first process of a traced program's guest and the program `ringside trace` say to each other.
 *
 * The host leaves a file in the initial RAM disk: words, each ended by a 0 byte and beginning with a letter of enum
 * trace_word, in any order but that arguments and environment keep theirs.
 *
 * The guest writes bytes to I/O ports: the program's standard output and standard error where they are no terminal, and
 * reports. A report is one letter of enum trace_report with what follows it. Standard input comes by the serial port.
 */
#ifndef RINGSIDE_TRACE_INIT_PROTOCOL_H
#define RINGSIDE_TRACE_INIT_PROTOCOL_H

#define TRACE_CONFIG_FILE "/.ringside"
#define TRACE_STDIN_FILE "/.ringside-stdin" /* for TRACE_STREAM_FILE */

/* TRACE_PORT: reports; + 1: standard output; + 2: standard error; + 3: any byte asks for standard input. A port has one
 * process at a time that writes to it: two could be interrupted by each other in the middle of a report. */
#define TRACE_PORT 0x520u
#define TRACE_PORTS 4u
#define TRACE_PORT_READ 3u /* the host answers with a length of 2 bytes, and so many bytes; 0 is the end */

enum trace_word {
    TRACE_WORD_STDIN = 'i', /* and a letter of enum trace_stream */
    TRACE_WORD_STDOUT = 'o',
    TRACE_WORD_STDERR = 'e',
    TRACE_WORD_ALL = 'f',       /* wait for every process, not for the program alone */
    TRACE_WORD_DIRECTORY = 'd', /* the working directory */
    TRACE_WORD_PROGRAM = 'p',   /* for execve() */
    TRACE_WORD_ARGUMENT = 'a',
    TRACE_WORD_ENVIRONMENT = 'v',
    TRACE_WORD_WINDOW = 'w', /* of the terminal: "ROWS COLUMNS" */
};

enum trace_stream {
    TRACE_STREAM_NULL = 'n', /* /dev/null */
    TRACE_STREAM_TERMINAL = 't',
    TRACE_STREAM_PIPE = 'p',
    TRACE_STREAM_FILE = 'f', /* standard input: TRACE_STDIN_FILE */
};

enum trace_report {
    TRACE_REPORT_START = 'S', /* and the process, 4 bytes, lowest first: the program is its next execve() */
    TRACE_REPORT_FLUSH = 'F', /* what was written so far is whole */
    TRACE_REPORT_EXIT = 'X',  /* and the status of wait4(), 4 bytes: the end */
    TRACE_REPORT_ERROR = 'E', /* and an error number, 1 byte, and a text ended by a 0 byte: the end */
};

/* Bytes of standard input in one answer. They fit into the terminal driver's buffer. */
#define TRACE_INPUT_MAX 1024u

#endif
