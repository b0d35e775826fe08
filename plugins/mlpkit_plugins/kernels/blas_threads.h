/* The threads of BLAS, which are the team's while mlpkit computes. */
#ifndef MLPKIT_BLAS_THREADS_H
#define MLPKIT_BLAS_THREADS_H

/* Find out whether NumPy's BLAS is an OpenBLAS that can have its products computed by the team. */
void look_for_blas(void);

/* Whether it is. */
int blas_can_share_team(void);

/* From the first begin to the last end, BLAS has the team compute its products, unless the system has too few threads
 * for that. Any thread may call these, as often as it likes. */
void begin_sharing_team(void);
void end_sharing_team(void);

/* How many threads a matrix product takes at present, if they are the team's; else 1. */
int blas_threads(void);

#endif
