// Every bound of the wire layer: value, unit, why. Layer 1; pure.

/** Largest payload of one message, bytes. libqi sets none; raw buffers of 100 MB (maps, recordings) must pass, and one message must not take the whole memory. */
export const MAX_PAYLOAD_BYTES = 134_217_728;

/** Deepest nesting of a value: levels of its signature plus levels added by the dynamics inside it. Keeps recursion far from the end of the stack; real values stay under 10. */
export const MAX_DEPTH = 128;

/** Longest signature, bytes. The longest real one (a metaobject's) has 287. */
export const MAX_SIGNATURE_BYTES = 16_384;

/** Characters of signature text that one cache of parsed or compiled signatures may stand for. A whole robot has about 20,000; a node costs some 100 bytes a character at worst. */
export const MAX_CACHED_SIGNATURE_CHARACTERS = 131_072;

/** Containers (lists, maps, tuples, dynamics) one decoded value may hold beyond one per byte of input: nested tuples and lists of void take no bytes, so bytes alone do not bound them. */
export const MAX_FREE_CONTAINERS = 65_536;

/** Metaobjects remembered per socket and direction. */
export const MAX_CACHED_METAOBJECTS = 4096;

/** Their total size, bytes, per socket and direction: a large service's metaobject has 30 kB, most have 5. */
export const MAX_CACHED_METAOBJECT_BYTES = 16_777_216;

/** What is set aside for a message that has begun to arrive, bytes, before growing with what really arrives: one read of a socket. */
export const GATHER_BYTES = 65_536;

/** What is set aside for a message once more than `GATHER_BYTES` of it have come, bytes: pictures in one piece, without copying them as they grow. */
export const LARGE_GATHER_BYTES = 4_194_304;
