// `npm run check`: types, then format, lint and the direction of imports. Tooling; knows nothing of the product.

import { type CheckOutcome, runChecks } from './checks.ts';

const outcomes: readonly CheckOutcome[] = runChecks();
for (const { name, hasPassed } of outcomes) process.stdout.write(`${hasPassed ? 'passed' : 'FAILED'}  ${name}\n`);
process.exitCode = outcomes.every(({ hasPassed }) => hasPassed) ? 0 : 1;
