/* Alternative structures for a table of ids whose usual answer is "not in the table". `benchmarks.structures` times them.

   Every structure answers the same question: the posting number of an id plus 1, or 0. It has three steps: `touch`
   prefetches the first read, `pass` returns whether the id may be in the table, and `rest` searches for it.
   CANDIDATE combines them, so that all structures have the same loop and the same call around them.
   The structures are in structures_rivals.h; this file has the common parts. */

#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;
typedef struct { i64 id; u32 posting; } Slot;
typedef struct { i64 ids[5]; u32 postings[5], overflowed; } Line;
typedef u32 Lanes __attribute__((vector_size(32)));

typedef struct {
    u64 n, m, fronts;        /* ids; buckets, slots, groups or lines; words or blocks of the filter in front */
    double k;                /* ids for each of m, if the structure has this parameter */
    int bits, huge, rooms;
    u64 bytes, seed, segment; /* the last two are for the fuse filter */
    struct { void *at; size_t size; } room[8];
    u64 *filter;
    Lanes *blocks;
    u8 *control;
    u32 *starts, *postings;
    i64 *ids;
    Slot *slots;
    Line *lines;
} Table;

enum { PAGE = 500 };
#define HUGE_PAGE ((size_t)2 << 20)

/* Memory directly from the system, so that it is independent of earlier tables, in pages of the requested size. */
static void *room(Table *t, size_t bytes)
{
    size_t size = bytes + HUGE_PAGE;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || t->rooms == 8)
        perror("no room for a table"), exit(1);
    t->room[t->rooms].at = at;
    t->room[t->rooms++].size = size;
    t->bytes += bytes;
    void *aligned = (void *)(((uintptr_t)at + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
#ifdef MADV_HUGEPAGE
    madvise(aligned, bytes, t->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
    return memset(aligned, 0, bytes); /* unwritten memory would be one shared page of zeros, which is always in the cache */
}

/* The hash functions are bijective, so that no two ids have the same hash. `benchmarks.structures` compares them. */
#ifndef MIXER
#define MIXER 2
#endif
static inline u64 mix(i64 id)
{
    u64 h = (u64)id;
#if MIXER == 3 /* the finaliser of MurmurHash3 */
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD;
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53;
    return h ^ h >> 33;
#endif
#if MIXER == 2 /* without it, ids with equal low bits leave the lower half of the product empty */
    h ^= h >> 32;
#endif
    h *= 0x9E3779B97F4A7C15;
#if MIXER > 0
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93;
#endif
    return h;
}

/* The product of a hash and the number of places: its upper half is the place, and its lower half the remainder. */
static inline u64 place(u64 h, u64 places) { return (u64)((unsigned __int128)h * places >> 64); }
static inline u64 remainder_of(u64 h, u64 places) { return h * places; }

static inline int yes(const Table *t, u64 h) { (void)t, (void)h; return 1; }
static inline void nothing(const Table *t, u64 h) { (void)t, (void)h; }

/* Lower bounds: no look-up (ids are positive, so the sign is 0), and one read in an array of zeros. */
static inline u32 sign(const Table *t, i64 id, u64 h) { (void)t, (void)h; return (u32)((u64)id >> 63); }
static void no_build(Table *t, const i64 *ids) { (void)t, (void)ids; }
static void zeros_build(Table *t, const i64 *ids)
{
    (void)ids;
    t->fronts = (u64)ceil((double)t->n / t->k);
    t->filter = room(t, t->fronts * 8);
}
static inline int zeros_pass(const Table *t, u64 h) { return t->filter[place(h, t->fronts)] != 0; }

#include "structures_rivals.h"

/* The functions that are timed: a question about a tweet and its account, and a page of such questions. */
typedef i64 Pair[2];
#define CANDIDATE(name, touch, pass, rest)                                                                 \
    static inline u32 name##_find(const Table *t, i64 id, u64 h) { return pass(t, h) ? rest(t, id, h) : 0; } \
    __attribute__((noinline)) static u32 name##_ask(const Table *two, i64 tweet, i64 account)              \
    {                                                                                                      \
        return 31 * name##_find(&two[0], tweet, mix(tweet)) + name##_find(&two[1], account, mix(account)); \
    }                                                                                                      \
    static void name##_page(const Table *two, const Pair *pairs, u64 count, u32 *answers)                  \
    {                                                                                                      \
        u64 hashes[PAGE][2];                                                                               \
        for (u64 i = 0; i < count; i++)                                                                    \
            for (int side = 0; side < 2; side++)                                                           \
                touch(&two[side], hashes[i][side] = mix(pairs[i][side]));                                  \
        for (u64 i = 0; i < count; i++)                                                                    \
            answers[i] = 31 * name##_find(&two[0], pairs[i][0], hashes[i][0]) +                            \
                         name##_find(&two[1], pairs[i][1], hashes[i][1]);                                  \
    }                                                                                                      \
    static int name##_passes(const Table *t, i64 id) { return pass(t, mix(id)); }

CANDIDATE(none, nothing, yes, sign)
CANDIDATE(read, word_touch, zeros_pass, sign)
CANDIDATE(buckets3, word_touch, word3_pass, csr_rest)
CANDIDATE(buckets4, word_touch, word4_pass, csr_rest)
CANDIDATE(buckets5, word_touch, word5_pass, csr_rest)
CANDIDATE(csr, csr_touch, yes, csr_rest)
CANDIDATE(slots, slots_touch, yes, slots_rest)
CANDIDATE(bloom_slots, word_touch, word4_pass, slots_rest)
CANDIDATE(swiss, swiss_touch, yes, swiss_rest)
CANDIDATE(fuse, fuse_touch, fuse_pass, csr_rest)
CANDIDATE(split, split_touch, split_pass, csr_rest)
CANDIDATE(sorted, nothing, yes, sorted_rest)
CANDIDATE(lines, lines_touch, yes, lines_rest)

typedef struct {
    const char *name;
    int bits;
    void (*build)(Table *, const i64 *);
    u32 (*ask)(const Table *, i64, i64);
    void (*page)(const Table *, const Pair *, u64, u32 *);
    int (*pass)(const Table *, i64);
} Kind;
#define KIND(name, bits, build) {#name, bits, build, name##_ask, name##_page, name##_passes}
static const Kind KINDS[] = {
    KIND(none, 0, no_build),          KIND(read, 0, zeros_build),
    KIND(buckets3, 3, buckets_build), KIND(buckets4, 4, buckets_build),
    KIND(buckets5, 5, buckets_build), KIND(csr, 0, csr_build),
    KIND(slots, 0, slots_build),      KIND(bloom_slots, 4, bloom_slots_build),
    KIND(swiss, 0, swiss_build),      KIND(fuse, 0, fuse_build),
    KIND(split, 0, split_build),      KIND(sorted, 0, sorted_build),
    KIND(lines, 0, lines_build),
};

/* A table of tweets and one of accounts. */
typedef struct { Table two[2]; const Kind *kind; } Tables;

Tables *tables_open(const char *kind, double k, int huge, const i64 *tweets, u64 tweet_count, const i64 *accounts,
                    u64 account_count)
{
    Tables *t = calloc(1, sizeof *t);
    for (t->kind = KINDS; strcmp(t->kind->name, kind); t->kind++)
        ;
    for (int side = 0; side < 2; side++) {
        t->two[side] = (Table){.n = side ? account_count : tweet_count, .k = k, .bits = t->kind->bits, .huge = huge};
        t->kind->build(&t->two[side], side ? accounts : tweets);
    }
    return t;
}
void tables_close(Tables *t)
{
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < t->two[side].rooms; i++)
            munmap(t->two[side].room[i].at, t->two[side].room[i].size);
    free(t);
}
u64 tables_bytes(const Tables *t) { return t->two[0].bytes + t->two[1].bytes; }

/* Count the ids of tweets that pass the filter. */
u64 tables_passed(const Tables *t, const i64 *ids, u64 count)
{
    u64 passed = 0;
    for (u64 i = 0; i < count; i++)
        passed += (u64)t->kind->pass(&t->two[0], ids[i]);
    return passed;
}
u32 longest_bucket(const Tables *t)
{
    u32 longest = 0;
    for (u64 b = 0; b < t->two[0].m; b++) {
        u32 length = t->two[0].starts[b + 1] - t->two[0].starts[b];
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* Wait until all instructions are complete, so that a question cannot overlap with the previous one. */
static inline void fence(void)
{
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#elif defined(__aarch64__)
    __asm__ volatile("dsb sy\n\tisb" ::: "memory");
#endif
}
void ask_alone(const Tables *t, const Pair *pairs, u64 count, u32 *answers)
{
    for (u64 i = 0; i < count; i++) {
        answers[i] = t->kind->ask(t->two, pairs[i][0], pairs[i][1]);
        fence();
    }
}
/* The same after other work, which reads enough other memory to fill the nearest caches. Returns the
   nanoseconds of the questions and of reading the clock, without the other work. */
enum { WORK = 32, WORK_WORDS = 1 << 23 };
static i64 now(void)
{
    struct timespec read;
    clock_gettime(CLOCK_MONOTONIC, &read);
    return read.tv_sec * 1000000000 + read.tv_nsec;
}
i64 ask_beside_work(const Tables *t, const Pair *pairs, u64 count, u32 *answers)
{
    static u64 *memory, at, sum;
    i64 taken = 0;
    if (!memory)
        memory = memset(malloc(WORK_WORDS * 8), 1, WORK_WORDS * 8);
    for (u64 i = 0; i < count; i++) {
        for (int j = 0; j < WORK; j++)
            sum += memory[(at = at * 0x5851F42D4C957F2D + 1) >> 41];
        fence();
        i64 began = now();
        fence();
        answers[i] = t->kind->ask(t->two, pairs[i][0], pairs[i][1]);
        fence();
        taken += now() - began;
    }
    return taken;
}
void ask_in_a_row(const Tables *t, const Pair *pairs, u64 count, u32 *answers)
{
    for (u64 i = 0; i < count; i++)
        answers[i] = t->kind->ask(t->two, pairs[i][0], pairs[i][1]);
}
void ask_by_page(const Tables *t, const Pair *pairs, u64 count, u32 *answers)
{
    for (u64 i = 0; i < count; i += PAGE)
        t->kind->page(t->two, pairs + i, count - i < PAGE ? count - i : PAGE, answers + i);
}
