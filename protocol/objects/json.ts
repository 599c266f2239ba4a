// Values to JSON and back, by signature: the one mapping of the HTTP door and the command line. Layer 3; pure.
// 64-bit integers: number where safe, else decimal string. raw: base64. NaN and infinities: strings. Maps with string or
// integer keys: objects; others: arrays of pairs. Structs: objects; tuples: arrays. Dynamics: by content, a raw in one as
// { "$raw": base64 }; { "$signature": s, "$value": v } says the type. Objects: { "$object": … }, in one direction only.
export { fromJson } from './from-json.ts';
export { type JsonSchema, jsonSchema, jsonSchemaOfArguments } from './json-schema.ts';
export { type Json, type ToJsonOptions, toJson } from './to-json.ts';
