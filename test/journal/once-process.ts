// A process that makes calls once, to be killed at any moment: keys come in by lines, answers go out, the called service is at
// the other end of a socket. Arguments: path of the journal, port of the service.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { decodePayload, encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { openJournal } from '../../robot-agent/journal/journal.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { callOnce, counterBus, onceObject } from './once-fixture.ts';

const [path = '', port = '0'] = process.argv.slice(2);
const logger = createLogger((line) => process.stderr.write(line), 'info');
const journal = openJournal({ path, clock: systemClock, logger });

const service = connect(Number(port), '127.0.0.1');
const waiting = new Map<string, (answer: string) => void>();
createInterface({ input: service }).on('line', (key) => waiting.get(key)?.(key));
const ask = (key: string): Promise<string> =>
  new Promise((resolve) => {
    waiting.set(key, resolve);
    service.write(`${key}\n`);
  });
const counter = createObject({ count: method('(s)', 's', ask) });
const once = onceObject({ journal, bus: await counterBus(counter), clock: systemClock });

createInterface({ input: process.stdin }).on('line', (key) => {
  callOnce(once, { key, payload: encodePayload('(s)', [key], plainObjects) }).then(
    (payload) => process.stdout.write(`${key} ${String(decodePayload(payload, plainObjects))}\n`),
    (error: { code?: string }) => process.stdout.write(`${key} !${error.code}\n`),
  );
});
process.stdout.write('ready\n');
