// A program of the robot that joined the bus and hosts `Target`, started by processes.ts.
import { joinBus } from '@qiway/robot-agent/qi';
import { answerQuestions, bytesInUse } from './questions.ts';
import { createTarget } from './target-service.ts';

const [busUrl = ''] = process.argv.slice(2);
const target = createTarget();
const bus = await joinBus(busUrl);
await bus.host('Target', target.object);
answerQuestions({ counts: () => target.counts(), drop: () => target.drop(), memory: bytesInUse });
