// SimulatedRoom: the room's plan for maps, and somebody in the room who touches the robot or carries it. No real robot has it.
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import { BASE_RADIUS } from '../body/base.ts';
import { TOUCH_SENSORS, type TouchSensor } from '../body/robot.ts';
import { oneOf, untilDone, within } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const AREA = '(ffff)<Area,x,y,width,depth>';
const PLAN = `(fffff[(sffffI)<Wall,name,x1,y1,x2,y2,color>][(sfffffI)<Box,name,x,y,width,depth,height,color>][(sffffI)<Pillar,name,x,y,radius,height,color>][(sffffI)<Ball,name,x,y,z,radius,color>]${AREA}(fff)<Dock,x,y,radius>f)<RoomPlan,minX,minY,maxX,maxY,height,walls,boxes,pillars,balls,carpet,dock,robotRadius>`;
const LONGEST_TOUCH_MS = 60_000;

export function createSimulatedRoom({ robot, clock }: Surroundings): HostedObject {
  const { minX, minY, maxX, maxY, height, walls, balls, carpet, dock } = robot.plan;
  // How a surface is painted concerns the camera only.
  const boxes = robot.plan.boxes.map(({ finish: _, ...box }) => box);
  const pillars = robot.plan.pillars.map(({ finish: _, ...pillar }) => pillar);
  const plan = { minX, minY, maxX, maxY, height, walls, boxes, pillars, balls, carpet, dock, robotRadius: BASE_RADIUS };
  const touch = async (name: string, milliseconds: number, call: CallContext): Promise<void> => {
    const sensor = oneOf('sensor', name, TOUCH_SENSORS) as TouchSensor;
    within('milliseconds', milliseconds, { min: 0, max: LONGEST_TOUCH_MS });
    const { promise, resolve } = Promise.withResolvers<void>();
    robot.touch(sensor, true);
    const stop = clock.after(milliseconds, resolve);
    const cancel = (): void => {
      stop();
      resolve();
    };
    try {
      await untilDone({ done: promise, cancel }, call);
    } finally {
      robot.touch(sensor, false);
    }
  };
  const object = createObject(
    {
      plan: method('()', PLAN, () => plan, {
        description:
          'Walls and furniture, in metres in the frame of ALMotion.getRobotPosition(); colours are 0xRRGGBB.',
      }),
      touch: method('(sI)', 'v', touch, {
        description: 'Touches a sensor of the robot for a while.',
        parameters: [
          { name: 'sensor', description: TOUCH_SENSORS.join(', ') },
          { name: 'milliseconds', description: `0 to ${LONGEST_TOUCH_MS}` },
        ],
      }),
      placeRobot: method(
        '(fff)',
        'v',
        (x: number, y: number, theta: number) => {
          const far = { min: -100, max: 100 };
          robot.base.place({ x: within('x', x, far), y: within('y', y, far), theta: within('theta', theta, far) });
          object.emit('robotPlaced', [x, y, theta]);
        },
        {
          description: 'Carries the robot to a place in the room.',
          parameters: [
            { name: 'x', description: 'Metres' },
            { name: 'y', description: 'Metres' },
            { name: 'theta', description: 'Radians' },
          ],
        },
      ),
      robotPlaced: signal('([f])'),
    },
    { description: 'The room the simulated robot lives in.' },
  );
  return object;
}
