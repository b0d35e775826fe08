/* A team of threads that compute the parts of a piece of work together. */
#ifndef MLPKIT_TEAM_H
#define MLPKIT_TEAM_H

/* Computes one part of the work, the one of that number. */
typedef void (*Part)(int number, void *work);

/* Compute each part once, on up to as many threads as there are members, the caller among them; return when all are
 * done. Whoever is free takes the next part: the caller from the first on, the others from the last. Where another
 * caller has the team, the work is done by this caller alone. */
void compute_parts(int parts, Part part, void *work, int members);

/* The same for parts that wait for each other, so that there must be a member for each; another caller's work is
 * waited for. */
void compute_parts_at_once(int parts, Part part, void *work);

#endif
