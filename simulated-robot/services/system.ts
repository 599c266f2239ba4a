// ALSystem: names, versions and the clock of the robot.
import { createObject, type HostedObject, method } from '@qiway/protocol/objects/hosted-object';
import { refuse } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

export function createSystem({ wallMs, clock }: Surroundings): HostedObject {
  const startedAt = clock.now();
  let name = 'Simon';
  return createObject(
    {
      robotName: method('()', 's', () => name, { description: 'The name of the robot.' }),
      setRobotName: method(
        '(s)',
        'b',
        (given: string) => {
          if (!/^[\p{L}\p{N}][\p{L}\p{N} _-]{0,31}$/u.test(given))
            throw refuse('A name has 1 to 32 letters, digits, spaces, - or _, and begins with a letter or digit.');
          name = given;
          return true;
        },
        {
          description: 'Gives the robot another name.',
          parameters: [{ name: 'name', description: '1 to 32 letters or digits' }],
        },
      ),
      systemVersion: method('()', 's', () => '2.5.10.7', {
        description: 'The version of NAOqi whose interfaces are offered.',
      }),
      uptime: method('()', 'f', () => (clock.now() - startedAt) / 1000, { description: 'Seconds since the start.' }),
      currentTime: method('()', 'd', () => wallMs() / 1000, { description: 'Seconds since 1970.' }),
      timezone: method('()', 's', () => Intl.DateTimeFormat().resolvedOptions().timeZone, {
        description: 'The time zone.',
      }),
    },
    { description: 'What the robot is called and how long it has been running.' },
  );
}
