// ALLeds: colours of groups of LEDs. Colours are 0xRRGGBB, intensities 0 to 1, durations in seconds.
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import { COLOR_NAMES, LED_GROUPS, mix, partsOf, type Rgb } from '../body/lights.ts';
import { oneOf, readOnly, untilDone, within } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const GROUP = { name: 'name', description: [...LED_GROUPS.keys()].join(', ') } as const;
const DURATION = { name: 'duration', description: 'Seconds until the colour is reached' } as const;
const LONGEST_FADE_S = 600;

export function createLeds({ robot }: Surroundings): HostedObject {
  const { lights } = robot;
  const fade = (group: string, color: Rgb, seconds: number, call: CallContext): Promise<void> => {
    oneOf('group of LEDs', group, LED_GROUPS.keys());
    within('duration', seconds, { min: 0, max: LONGEST_FADE_S });
    return untilDone(lights.fade(group, { color, seconds }), call);
  };
  const set = (group: string, color: Rgb): void => {
    lights.fade(oneOf('group of LEDs', group, LED_GROUPS.keys()), { color, seconds: 0 });
  };
  const grey = (intensity: number): Rgb => mix(0, 0xffffff, within('intensity', intensity, { min: 0, max: 1 }));
  const fromShares = (red: number, green: number, blue: number): Rgb => {
    const part = (name: string, share: number): number => Math.round(within(name, share, { min: 0, max: 1 }) * 255);
    return (part('red', red) << 16) | (part('green', green) << 8) | part('blue', blue);
  };
  const description =
    'Changes the colour of a group in time. Returns when it is reached; cancelling leaves the colour as it is then.';
  const object = createObject(
    {
      fadeRGB: [
        method(
          '(sif)',
          'v',
          (group: string, rgb: number, seconds: number, call: CallContext) =>
            fade(group, within('rgb', rgb, { min: 0, max: 0xffffff }), seconds, call),
          {
            description,
            parameters: [GROUP, { name: 'rgb', description: '0x00RRGGBB' }, DURATION],
          },
        ),
        method(
          '(ssf)',
          'v',
          (group: string, color: string, seconds: number, call: CallContext) =>
            fade(group, COLOR_NAMES.get(oneOf('colour', color, COLOR_NAMES.keys())) ?? 0, seconds, call),
          {
            description,
            parameters: [GROUP, { name: 'colorName', description: [...COLOR_NAMES.keys()].join(', ') }, DURATION],
          },
        ),
        method(
          '(sffff)',
          'v',
          (group: string, red: number, green: number, blue: number, seconds: number, call: CallContext) =>
            fade(group, fromShares(red, green, blue), seconds, call),
          {
            description,
            parameters: [
              GROUP,
              { name: 'red', description: '0 to 1' },
              { name: 'green', description: '0 to 1' },
              { name: 'blue', description: '0 to 1' },
              DURATION,
            ],
          },
        ),
      ],
      fade: method(
        '(sff)',
        'v',
        (group: string, intensity: number, seconds: number, call: CallContext) =>
          fade(group, grey(intensity), seconds, call),
        {
          description: 'Changes a group to white of an intensity in time.',
          parameters: [GROUP, { name: 'intensity', description: '0 to 1' }, DURATION],
        },
      ),
      setIntensity: method('(sf)', 'v', (group: string, intensity: number) => set(group, grey(intensity)), {
        description: 'White of an intensity, at once.',
        parameters: [GROUP, { name: 'intensity', description: '0 to 1' }],
      }),
      getColor: method('(s)', 'i', (group: string) => lights.color(oneOf('group of LEDs', group, LED_GROUPS.keys())), {
        description: 'The colour of a group now.',
        parameters: [GROUP],
        returnDescription: '0x00RRGGBB',
      }),
      on: method('(s)', 'v', (group: string) => set(group, 0xffffff), {
        description: 'Switches a group on.',
        parameters: [GROUP],
      }),
      off: method('(s)', 'v', (group: string) => set(group, 0), {
        description: 'Switches a group off.',
        parameters: [GROUP],
      }),
      reset: method('(s)', 'v', (group: string) => set(group, 0xffffff), {
        description: 'Back to the colour at the start.',
        parameters: [GROUP],
      }),
      listGroups: method('()', '[s]', () => [...LED_GROUPS.keys()], { description: 'The groups there are.' }),
      listGroup: method('(s)', '[s]', (group: string) => partsOf(oneOf('group of LEDs', group, LED_GROUPS.keys())), {
        description: 'The parts of a group.',
        parameters: [GROUP],
      }),
      colorChanged: signal('(si)'),
      faceColor: readOnly('i', lights.color('FaceLeds')),
    },
    { description: 'The coloured lights. colorChanged tells each group that reached a colour.' },
  );
  lights.changed.listen(({ group, color }) => {
    object.emit('colorChanged', group, color);
    if (group === 'LeftFaceLeds') object.set('faceColor', color);
  });
  return object;
}
