// ALTouch: what is touched. Somebody in the room does the touching: SimulatedRoom.touch().
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { TOUCH_SENSORS } from '../body/robot.ts';
import type { Surroundings } from './surroundings.ts';

export function createTouch({ robot }: Surroundings): HostedObject {
  const object = createObject(
    {
      getSensorList: method('()', '[s]', () => TOUCH_SENSORS, { description: 'The sensors there are.' }),
      getStatus: method(
        '()',
        '[(sb)<TouchStatus,sensor,isPressed>]',
        () => TOUCH_SENSORS.map((sensor) => ({ sensor, isPressed: robot.memory.get(sensor) === 1 })),
        {
          description: 'Every sensor, and whether it is touched.',
        },
      ),
      touchChanged: signal('(sb)'),
    },
    { description: 'Touch sensors of head, hands and chest; ALMemory has an event for each.' },
  );
  robot.touched.listen(({ sensor, isPressed }) => object.emit('touchChanged', sensor, isPressed));
  return object;
}
