// The parts of the bench that need processes of their own, in the order in which they run.
import { fairness } from './fairness.ts';
import type { Part } from './part.ts';
import { resume } from './resume.ts';
import { sessions } from './sessions.ts';

export const PARTS: readonly Part[] = [resume, fairness, sessions];
