// The program qiway-agent as it is, with the arguments that it was given; all that is added is that it ends with the test.
import { answerQuestions } from '../../hostile/questions.ts';

// Resolves when the agent is ready.
await import('../../../robot-agent/main.ts');
answerQuestions({});
