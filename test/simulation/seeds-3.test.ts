// A quarter of the simulations of `npm test`: see seed-tests.ts.
import { simulateQuarter } from './seed-tests.ts';

simulateQuarter(2);
