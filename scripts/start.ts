// `npm start`: ready to end from its first moment on, since what it loads and builds takes seconds. Tooling.
import { endAtOnceWhenAsked, endWithShellOfNpm } from './early-end.ts';

endAtOnceWhenAsked();
endWithShellOfNpm();
const { startConsole } = await import('./start-console.ts');
await startConsole(process.argv.slice(2));
