/* The threads of BLAS, which are the team's. */
#ifndef MLPKIT_BLAS_THREADS_H
#define MLPKIT_BLAS_THREADS_H

/* Have NumPy's BLAS compute its products with the team, if it is an OpenBLAS that can. */
void share_team_with_blas(void);

/* Whether BLAS does so. */
int blas_shares_team(void);

/* How many threads a matrix product takes at present, if they are the team's; else 1. */
int blas_threads(void);

#endif
