/* The unit in which caches move memory. */
#ifndef MLPKIT_CACHE_LINE_H
#define MLPKIT_CACHE_LINE_H

#define CACHE_LINE 64 /* bytes */

#endif
