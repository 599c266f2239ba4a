// What a page needs only once it serves objects, chooses among overloads or gets values of another type than declared: one
// part of the program, loaded when it is first needed. Layer 3.
// Programs that need it anyway (the agent, processes with services) link the pieces in.
export { bestOverload } from '../bus/best-overload.ts';
export { serving } from '../bus/serving.ts';
export { answers } from './answers.ts';
export { fitArguments } from './arguments.ts';
export { callWhenUp } from './call-when-up.ts';
export { hostingMap } from './hosting-map.ts';
