/* A team of threads that compute the parts of a piece of work together. */
#ifndef MLPKIT_TEAM_H
#define MLPKIT_TEAM_H

/* Computes the part with that number. */
typedef void (*Part)(int number, void *work);

/* Start threads until there are that many members, including the caller; 0 if the system has too few. */
int start_team(int members);

/* Compute each part once, on up to that many threads, including the caller; return when all are done. A free member
 * takes the next part: the caller from the first on, the others from the last. All compute in the caller's
 * floating-point mode. If another caller has the team, this caller computes alone. */
void compute_parts(int parts, Part part, void *work, int members);

/* The same for parts that wait for each other, so each needs its own member: start_team has started them, or they are
 * started now, as soon as the system has threads. If another caller has the team, this one waits. */
void compute_parts_at_once(int parts, Part part, void *work);

#endif
