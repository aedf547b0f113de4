/* SPDX-License-Identifier: MIT
 * The workloads: each does `count` operations and returns a number that depends on what was computed, so that a wrong
 * result in one emulator shows, and the compiler cannot leave the work out.
 */
#ifndef RINGSIDE_BENCH_GUEST_WORKLOAD_H
#define RINGSIDE_BENCH_GUEST_WORKLOAD_H

#include "../../tests/guest/guest.h"

typedef word workload(word count);

/* transitions.c: what crosses the ring */
workload work_mmap;   /* an operation: mmap 4 pages, write a byte of each, munmap */
workload work_faults; /* an operation: the first write to a page, out of 1024 that are given back together */
workload work_signal; /* an operation: kill(self), the handler, sigreturn */
workload work_fork;   /* an operation: fork, the child's exit, wait */
workload work_pipe;   /* an operation: a byte to another process and one back, two switches of process */

/* compute.c: what stays in ring 3 */
workload work_loop;  /* an operation: 1,000,000 turns of an empty counted loop of two instructions */
workload work_sieve; /* an operation: the primes below 65536 */
workload work_movsb; /* an operation: 64 KiB copied by one REP MOVSB */

workload work_coremark; /* coremark.c; an operation: a list sorted and walked, a matrix product, a text scanned, CRCs */
workload work_sha256;   /* sha256.c; an operation: 64 KiB hashed */

/* matmul.c, compiled twice: an operation is the product of two 32 x 32 matrices of double, element by element */
workload work_matmul_sse2;
workload work_matmul_x87;

#endif
