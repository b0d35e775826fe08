/* Lets BLAS use the team's threads while mlpkit computes. */
#ifndef MLPKIT_BLAS_THREADS_H
#define MLPKIT_BLAS_THREADS_H

/* Look for an OpenBLAS under NumPy that can use the team's threads. */
void find_blas(void);

/* Whether there is one. */
int blas_can_share_team(void);

/* Between the first begin and the last end, the team computes BLAS's products, unless the system has too few threads.
 * Any thread may call these, any number of times. */
void begin_sharing_team(void);
void end_sharing_team(void);

/* The number of threads that a matrix product uses now, if they are the team's; otherwise 1. */
int blas_threads(void);

#endif
