// ALRobotPosture: named postures.
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import { POSTURES } from '../body/postures.ts';
import { oneOf, readOnly, refuse, untilDone } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const PARAMETERS = [
  { name: 'posture', description: [...POSTURES.keys()].join(', ') },
  { name: 'speed', description: 'Above 0, up to 1' },
] as const;

export function createRobotPosture({ robot }: Surroundings): HostedObject {
  const { postures } = robot;
  const goTo = (name: string, speed: number, call: CallContext): Promise<boolean> => {
    if (!robot.isAwake) throw refuse('The robot is at rest; call ALMotion.wakeUp() first.');
    if (!(speed > 0 && speed <= 1)) throw refuse(`speed must be above 0 and at most 1, not ${speed}.`);
    return untilDone(postures.goTo(oneOf('posture', name, POSTURES.keys()), speed), call);
  };
  const family = (): string => (postures.current === 'Crouch' ? 'Sitting' : postures.current === '' ? '' : 'Standing');
  const object = createObject(
    {
      goToPosture: method('(sf)', 'b', goTo, {
        description: 'Goes to a posture. Returns at the end; cancelling stops it.',
        parameters: PARAMETERS,
        returnDescription: 'Whether it was reached',
      }),
      applyPosture: method('(sf)', 'b', goTo, {
        description: 'Sets the joints of a posture; the same as goToPosture here.',
        parameters: PARAMETERS,
        returnDescription: 'Whether it was reached',
      }),
      stopMove: method('()', 'v', () => postures.stop(), { description: 'Stops going to a posture.' }),
      getPosture: method('()', 's', () => postures.current, {
        description: 'The posture the robot is in, empty for none.',
      }),
      getPostureFamily: method('()', 's', family, { description: 'Standing or Sitting, empty for none.' }),
      getPostureList: method('()', '[s]', () => [...POSTURES.keys()], {
        description: 'The postures the robot can take.',
      }),
      postureChanged: signal('(s)'),
      posture: readOnly('s', postures.current),
    },
    { description: 'Takes postures by name.' },
  );
  postures.changed.listen((posture) => {
    object.set('posture', posture);
    object.emit('postureChanged', posture);
  });
  return object;
}
