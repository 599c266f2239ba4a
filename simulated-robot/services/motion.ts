// ALMotion: driving, joint angles, waking and resting. Lengths in metres, angles in radians, speeds as shares of the limits.
import { createObject, type HostedObject, signal } from '@qiway/protocol/objects/hosted-object';
import { readOnly } from './checks.ts';
import { driving } from './motion-driving.ts';
import { joints } from './motion-joints.ts';
import type { Surroundings } from './surroundings.ts';

export function createMotion(surroundings: Surroundings): HostedObject {
  const { robot } = surroundings;
  const object = createObject(
    {
      ...driving(robot),
      ...joints(robot),
      positionChanged: signal('([f])'),
      moveBlocked: signal('(s)'),
      isAwake: readOnly('b', robot.isAwake),
    },
    {
      description:
        'Moves the robot. positionChanged tells [x, y, theta] at 10 Hz while it moves; moveBlocked what it stopped at.',
    },
  );
  robot.base.moved.listen(({ x, y, theta }) => object.emit('positionChanged', [x, y, theta]));
  robot.base.blocked.listen((name) => object.emit('moveBlocked', name));
  robot.awakeChanged.listen((isAwake) => object.set('isAwake', isAwake));
  return object;
}
