/* The structures that are compared: the construction and the three steps of each. Only structures.c includes this. */

/* Buckets: ids and postings grouped by the place of the hash; `starts` is where each bucket begins. */
static void csr_build(Table *t, const i64 *ids)
{
    t->m = (u64)ceil((double)t->n / t->k);
    t->starts = room(t, (t->m + 1) * 4);
    t->ids = room(t, t->n * 8);
    t->postings = room(t, t->n * 4);
    for (u64 i = 0; i < t->n; i++)
        t->starts[place(mix(ids[i]), t->m)]++;
    for (u64 b = 0, end = 0; b <= t->m; b++)
        t->starts[b] = (u32)(end += t->starts[b]);
    for (u64 i = t->n; i-- > 0;) { /* filling a bucket from its end turns its end into its start */
        u32 at = --t->starts[place(mix(ids[i]), t->m)];
        t->ids[at] = ids[i];
        t->postings[at] = (u32)i;
    }
}
static inline void csr_touch(const Table *t, u64 h) { __builtin_prefetch(&t->starts[place(h, t->m)]); }
static inline u32 csr_rest(const Table *t, i64 id, u64 h)
{
    const u32 *start = &t->starts[place(h, t->m)];
    for (u32 at = start[0]; at < start[1]; at++)
        if (t->ids[at] == id)
            return t->postings[at] + 1;
    return 0;
}

/* A filter of words: an id sets some bits in the word of its place. Six bits of the remainder select each bit. */
static inline u64 mask_of(u64 remainder, int bits)
{
    u64 mask = 0;
#pragma GCC unroll 8
    for (int i = 0; i < bits; i++, remainder <<= 6)
        mask |= (u64)1 << (remainder >> 58);
    return mask;
}
static void word_build(Table *t, const i64 *ids, u64 words)
{
    t->fronts = words;
    t->filter = room(t, words * 8);
    for (u64 i = 0; i < t->n; i++) {
        u64 h = mix(ids[i]);
        t->filter[place(h, words)] |= mask_of(remainder_of(h, words), t->bits);
    }
}
static inline void word_touch(const Table *t, u64 h) { __builtin_prefetch(&t->filter[place(h, t->fronts)]); }
static inline int word_pass(const Table *t, u64 h, int bits)
{
    return !(mask_of(remainder_of(h, t->fronts), bits) & ~t->filter[place(h, t->fronts)]);
}
static inline int word3_pass(const Table *t, u64 h) { return word_pass(t, h, 3); }
static inline int word4_pass(const Table *t, u64 h) { return word_pass(t, h, 4); }
static inline int word5_pass(const Table *t, u64 h) { return word_pass(t, h, 5); }
static void buckets_build(Table *t, const i64 *ids)
{
    csr_build(t, ids);
    word_build(t, ids, t->m); /* a word for each bucket, at the same place */
}

/* Open addressing: search slot by slot until the id or an empty slot; no id is 0. */
static inline u64 after(u64 at, u64 places) { return at + 1 == places ? 0 : at + 1; }
static void slots_build(Table *t, const i64 *ids)
{
    t->m = (u64)ceil((double)t->n / t->k);
    t->slots = room(t, t->m * sizeof(Slot));
    for (u64 i = 0; i < t->n; i++) {
        u64 at = place(mix(ids[i]), t->m);
        while (t->slots[at].id)
            at = after(at, t->m);
        t->slots[at] = (Slot){ids[i], (u32)i};
    }
}
static void bloom_slots_build(Table *t, const i64 *ids)
{
    slots_build(t, ids);
    word_build(t, ids, (t->n * 12 + 63) / 64);
}
static inline void slots_touch(const Table *t, u64 h) { __builtin_prefetch(&t->slots[place(h, t->m)]); }
static inline u32 slots_rest(const Table *t, i64 id, u64 h)
{
    for (u64 at = place(h, t->m); t->slots[at].id; at = after(at, t->m))
        if (t->slots[at].id == id)
            return t->slots[at].posting + 1;
    return 0;
}

/* Swiss table: 16 control bytes a group, 7 bits of the hash each, compared at once; a group with an empty slot ends the search. */
static inline u8 tag_of(const Table *t, u64 h) { return (u8)(0x80 | remainder_of(h, t->m) >> 57); }
static inline u32 equal(const u8 *group, u8 tag)
{
#ifdef __SSE2__
    __m128i loaded = _mm_load_si128((const __m128i *)group);
    return (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(loaded, _mm_set1_epi8((char)tag)));
#else
    u32 found = 0;
    for (int i = 0; i < 16; i++)
        found |= (u32)(group[i] == tag) << i;
    return found;
#endif
}
static void swiss_build(Table *t, const i64 *ids)
{
    t->m = (t->n + 13) / 14; /* 14 of 16: a load of 7/8 */
    t->control = room(t, t->m * 16);
    t->ids = room(t, t->m * 16 * 8);
    t->postings = room(t, t->m * 16 * 4);
    for (u64 i = 0; i < t->n; i++) {
        u64 h = mix(ids[i]), g = place(h, t->m);
        u32 holes;
        while (!(holes = equal(t->control + 16 * g, 0)))
            g = after(g, t->m);
        u64 at = 16 * g + (u64)__builtin_ctz(holes);
        t->control[at] = tag_of(t, h);
        t->ids[at] = ids[i];
        t->postings[at] = (u32)i;
    }
}
static inline void swiss_touch(const Table *t, u64 h) { __builtin_prefetch(&t->control[16 * place(h, t->m)]); }
static inline u32 swiss_rest(const Table *t, i64 id, u64 h)
{
    for (u64 g = place(h, t->m);; g = after(g, t->m)) {
        for (u32 found = equal(t->control + 16 * g, tag_of(t, h)); found; found &= found - 1) {
            u64 at = 16 * g + (u64)__builtin_ctz(found);
            if (t->ids[at] == id)
                return t->postings[at] + 1;
        }
        if (equal(t->control + 16 * g, 0))
            return 0;
    }
}

/* Binary fuse filter: the xor of three bytes, in three adjacent segments, is the fingerprint of an id. */
typedef struct { u64 at[3]; u8 print; } Fuse;
static inline u64 fuse_hash(u64 h, u64 seed) { return h = (h ^ h >> 32 ^ seed) * 0xFF51AFD7ED558CCD, h ^ h >> 32; }
static inline Fuse fuse_of(const Table *t, u64 h)
{
    u64 first = place(h, t->fronts), size = t->segment;
    return (Fuse){{first, (first + size) ^ (h >> 18 & (size - 1)), (first + 2 * size) ^ (h & (size - 1))},
                  (u8)(h ^ h >> 32)};
}
/* Find an order of ids such that each can write a place that no earlier id reads. */
static int fuse_peel(const Table *t, const i64 *ids, u64 places, u64 *order, u64 *whose)
{
    u64 *hashes = calloc(places, 8), *alone = calloc(places, 8), waiting = 0, peeled = 0;
    u32 *count = calloc(places, 4);
    for (u64 i = 0; i < t->n; i++) {
        u64 h = fuse_hash(mix(ids[i]), t->seed);
        Fuse f = fuse_of(t, h);
        for (int j = 0; j < 3; j++)
            hashes[f.at[j]] ^= h, count[f.at[j]]++;
    }
    for (u64 at = 0; at < places; at++)
        if (count[at] == 1)
            alone[waiting++] = at;
    while (waiting) { /* a place with one remaining id belongs to it, and removing the id can free other places */
        u64 at = alone[--waiting], h = hashes[at];
        if (count[at] != 1)
            continue;
        whose[peeled] = at, order[peeled++] = h;
        Fuse f = fuse_of(t, h);
        for (int j = 0; j < 3; j++) {
            hashes[f.at[j]] ^= h;
            if (--count[f.at[j]] == 1)
                alone[waiting++] = f.at[j];
        }
    }
    free(hashes), free(alone), free(count);
    return peeled == t->n;
}
static void fuse_build(Table *t, const i64 *ids)
{
    csr_build(t, ids);
    double n = (double)t->n, wanted = n * fmax(1.125, 0.875 + 0.25 * log(1e6) / log(n));
    t->segment = (u64)1 << (int)floor(log(n) / log(3.33) + 2.25);
    u64 segments = (u64)fmax(3, ceil(wanted / (double)t->segment));
    t->fronts = (segments - 2) * t->segment;
    t->control = room(t, segments * t->segment);
    u64 *order = calloc(t->n, 8), *whose = calloc(t->n, 8);
    while (!fuse_peel(t, ids, segments * t->segment, order, whose))
        t->seed += 0x9E3779B97F4A7C15;
    for (u64 i = t->n; i-- > 0;) {
        Fuse f = fuse_of(t, order[i]);
        t->control[whose[i]] = f.print ^ t->control[f.at[0]] ^ t->control[f.at[1]] ^ t->control[f.at[2]];
    }
    free(order), free(whose);
}
static inline void fuse_touch(const Table *t, u64 h)
{
    Fuse f = fuse_of(t, fuse_hash(h, t->seed));
    for (int j = 0; j < 3; j++)
        __builtin_prefetch(&t->control[f.at[j]]);
}
static inline int fuse_pass(const Table *t, u64 h)
{
    Fuse f = fuse_of(t, fuse_hash(h, t->seed));
    return f.print == (t->control[f.at[0]] ^ t->control[f.at[1]] ^ t->control[f.at[2]]);
}

/* Split-block Bloom filter: blocks of 32 bytes; an id sets one bit in each eighth of a block. */
static inline Lanes lanes_of(u64 remainder)
{
    const Lanes salt = {0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1, 0xD3A2646D, 0xFD7046C5, 0xB55A4F09};
    return (Lanes){1, 1, 1, 1, 1, 1, 1, 1} << ((u32)(remainder >> 32) * salt >> 27);
}
static void split_build(Table *t, const i64 *ids)
{
    csr_build(t, ids);
    t->fronts = (t->n * 12 + 255) / 256;
    t->blocks = room(t, t->fronts * sizeof(Lanes));
    for (u64 i = 0; i < t->n; i++) {
        u64 h = mix(ids[i]);
        t->blocks[place(h, t->fronts)] |= lanes_of(remainder_of(h, t->fronts));
    }
}
static inline void split_touch(const Table *t, u64 h) { __builtin_prefetch(&t->blocks[place(h, t->fronts)]); }
static inline int split_pass(const Table *t, u64 h)
{
    Lanes missing = lanes_of(remainder_of(h, t->fronts)) & ~t->blocks[place(h, t->fronts)];
    u64 words[4];
    memcpy(words, &missing, sizeof words);
    return !(words[0] | words[1] | words[2] | words[3]);
}

/* Sorted ids: binary search without branches. */
static int ascending(const void *a, const void *b)
{
    i64 left = ((const Slot *)a)->id, right = ((const Slot *)b)->id;
    return (left > right) - (left < right);
}
static void sorted_build(Table *t, const i64 *ids)
{
    Slot *slots = calloc(t->n, sizeof(Slot));
    t->ids = room(t, t->n * 8);
    t->postings = room(t, t->n * 4);
    for (u64 i = 0; i < t->n; i++)
        slots[i] = (Slot){ids[i], (u32)i};
    qsort(slots, t->n, sizeof(Slot), ascending);
    for (u64 i = 0; i < t->n; i++)
        t->ids[i] = slots[i].id, t->postings[i] = slots[i].posting;
    free(slots);
}
static inline u32 sorted_rest(const Table *t, i64 id, u64 h)
{
    (void)h;
    const i64 *at = t->ids;
    for (u64 left = t->n; left > 1; left -= left / 2)
        at += (at[left / 2 - 1] < id) * (left / 2);
    return *at == id ? t->postings[at - t->ids] + 1 : 0;
}

/* Cache lines: each has five ids with their postings, and a flag for ids that overflowed to the next line. */
static void lines_build(Table *t, const i64 *ids)
{
    t->m = (u64)ceil((double)t->n / t->k);
    t->lines = room(t, t->m * sizeof(Line));
    for (u64 i = 0; i < t->n; i++) {
        u64 at = place(mix(ids[i]), t->m);
        for (; t->lines[at].ids[4]; at = after(at, t->m))
            t->lines[at].overflowed = 1;
        int free_at = 0;
        while (t->lines[at].ids[free_at])
            free_at++;
        t->lines[at].ids[free_at] = ids[i];
        t->lines[at].postings[free_at] = (u32)i;
    }
}
static inline void lines_touch(const Table *t, u64 h) { __builtin_prefetch(&t->lines[place(h, t->m)]); }
static inline u32 lines_rest(const Table *t, i64 id, u64 h)
{
    for (u64 at = place(h, t->m);; at = after(at, t->m)) {
        const Line *line = &t->lines[at];
        for (int i = 0; i < 5; i++)
            if (line->ids[i] == id)
                return line->postings[i] + 1;
        if (!line->overflowed)
            return 0;
    }
}
