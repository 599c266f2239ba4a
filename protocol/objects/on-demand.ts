// What a page needs only once it serves objects: one part of the program, loaded when it is first needed. Layer 3.
// Whoever needs all of it anyway (the agent, programs of services) imports the pieces themselves.
export { serving } from '../bus/serving.ts';
