// A program on a host that announces an agent by mDNS as the agent does, or asks the local network who is there.
import { createSocket } from 'node:dgram';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { openAddresses } from '../../../robot-agent/addresses/addresses.ts';
import { createLogger } from '../../../robot-agent/logger.ts';
import { answerQuestions } from '../../hostile/questions.ts';
import { type DnsRecord, encodeQuestion, readRecords } from './dns-message.ts';

const GROUP = '224.0.0.251';
const PORT = 5353;
/** Between questions: a responder may leave out what it said within the last second (RFC 6762, section 6). */
const ASK_AGAIN_MS = 1100;

export interface LocalNetworkSpec {
  /** Announce an agent that listens there. */
  readonly announce?: { readonly host: string; readonly name: string; readonly robotId: string };
  /** Ask from this address. */
  readonly ask?: string;
}

const { announce, ask }: LocalNetworkSpec = JSON.parse(process.argv[2] ?? '{}');
const logger = createLogger((line) => process.stderr.write(line), 'debug');
const addresses =
  announce === undefined
    ? undefined
    : openAddresses({
        listen: { host: announce.host, port: 8080 },
        qiUrls: ['tcp://127.0.0.1:9504', 'tcps://10.7.0.1:9503'],
        robotId: announce.robotId,
        name: announce.name,
        clock: systemClock,
        logger,
        onChange: () => {},
      });

const heard: DnsRecord[] = [];
const watchers = new Set<() => void>();
const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (message) => {
  heard.push(...readRecords(message));
  for (const watch of [...watchers]) watch();
});
if (ask !== undefined)
  await new Promise<void>((resolve) =>
    socket.bind(PORT, () => {
      socket.addMembership(GROUP, ask);
      socket.setMulticastInterface(ask);
      resolve();
    }),
  );

interface Wanted {
  readonly name: string;
  readonly type: DnsRecord['type'];
  /** This value and no other. */
  readonly value?: string;
  /** A goodbye. */
  readonly isGone?: boolean;
  /** Only listen. */
  readonly isSilent?: boolean;
}

answerQuestions({
  urls: () => addresses?.urls,
  /** Resolves once the network knows it under a name. */
  named: () =>
    new Promise<readonly string[]>((resolve) => {
      const look = (): void => {
        const names = addresses?.localNames ?? [];
        if (names.length > 0) resolve(names);
        else systemClock.after(20, look);
      };
      look();
    }),
  close: () => addresses?.close(),
  /** Resolves with the first record of this kind that comes from now on, asking until it does. */
  record: ({ name, type, value, isGone = false, isSilent = false }: Wanted) =>
    new Promise<DnsRecord>((resolve) => {
      heard.length = 0;
      let stopTimer = (): void => {};
      const question = (): void => {
        if (!isSilent) socket.send(encodeQuestion(name, type as 'A'), PORT, GROUP);
        stopTimer = systemClock.after(ASK_AGAIN_MS, question);
      };
      const look = (): void => {
        const found = heard.find(
          (each) =>
            each.name.toLowerCase() === name.toLowerCase() &&
            each.type === type &&
            (value === undefined || each.value === value) &&
            (each.ttl === 0) === isGone,
        );
        if (found === undefined) return;
        stopTimer();
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      question();
    }),
});
