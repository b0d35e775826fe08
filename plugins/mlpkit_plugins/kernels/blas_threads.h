/* Lets BLAS use the team's threads while mlpkit computes. */
#ifndef MLPKIT_BLAS_THREADS_H
#define MLPKIT_BLAS_THREADS_H

/* Find out whether NumPy's BLAS is an OpenBLAS that can use the team's threads. */
void look_for_blas(void);

/* Whether it is. */
int blas_can_share_team(void);

/* From the first begin to the last end, BLAS has the team compute its products, unless the system has too few threads.
 * Any thread may call these, any number of times. */
void begin_sharing_team(void);
void end_sharing_team(void);

/* How many threads a matrix product uses now, if they are the team's; otherwise 1. */
int blas_threads(void);

#endif
