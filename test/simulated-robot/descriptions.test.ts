// What the services tell of themselves: NAOqi's names and signatures, and a description of every member.
import { FIRST_OWN_ACTION, type MetaMethod } from '@qiway/protocol/bus/metaobject';
import { parseSignature } from '@qiway/protocol/wire/signature';
import { describe, expect, it } from 'vitest';
import { livingRobot } from './living-robot.ts';

const { hosted } = livingRobot();

function ownMethods(service: string): MetaMethod[] {
  return [...(hosted.get(service)?.metaObject.methods.values() ?? [])].filter(({ uid }) => uid >= FIRST_OWN_ACTION);
}

function parameterCount(signature: string): number {
  const parsed = parseSignature(signature);
  return parsed.kind === 'tuple' ? parsed.members.length : 0;
}

describe.each([...hosted.keys()])('%s', (service) => {
  it('describes itself, its methods and their parameters', () => {
    expect(hosted.get(service)?.metaObject.description).not.toBe('');
    for (const { name, description, parameters, parametersSignature } of ownMethods(service)) {
      expect(description, name).toMatch(/^[A-Z].*\.$/);
      expect(parameters, name).toHaveLength(parameterCount(parametersSignature));
      for (const parameter of parameters) expect(parameter.name, name).not.toBe('');
    }
  });
});

describe('names and signatures of NAOqi', () => {
  it.each([
    [
      'ALTextToSpeech',
      [
        'say::(s)v',
        'say::(ss)v',
        'stopAll::()v',
        'setVolume::(f)v',
        'getVolume::()f',
        'getAvailableLanguages::()[s]',
        'setParameter::(sf)v',
      ],
    ],
    [
      'ALMotion',
      [
        'move::(fff)v',
        'moveToward::(fff)v',
        'moveTo::(fff)b',
        'stopMove::()v',
        'getRobotPosition::(b)[f]',
        'setAngles::(mmf)v',
        'getAngles::(mb)[f]',
        'angleInterpolation::(mmmb)v',
        'getSummary::()s',
      ],
    ],
    ['ALRobotPosture', ['goToPosture::(sf)b', 'getPosture::()s', 'getPostureList::()[s]', 'stopMove::()v']],
    [
      'ALMemory',
      [
        'getData::(s)m',
        'insertData::(sm)v',
        'raiseEvent::(sm)v',
        'subscriber::(s)o',
        'getDataListName::()[s]',
        'declareEvent::(s)v',
      ],
    ],
    ['ALBattery', ['getBatteryCharge::()i']],
    ['ALLeds', ['fadeRGB::(sif)v', 'fadeRGB::(ssf)v', 'fadeRGB::(sffff)v', 'setIntensity::(sf)v', 'listGroups::()[s]']],
    ['ALVideoDevice', ['subscribeCamera::(siiii)s', 'getImageRemote::(s)m', 'unsubscribe::(s)b']],
    [
      'ALTabletService',
      ['showWebview::(s)b', 'loadUrl::(s)b', 'showImage::(s)b', 'hideImage::()b', 'setBrightness::(f)b'],
    ],
  ])('%s', (service, expected) => {
    const names = ownMethods(service).map((one) => `${one.name}::${one.parametersSignature}${one.returnSignature}`);
    expect(names).toEqual(expect.arrayContaining(expected));
  });

  it('has the signals and properties that pages use', () => {
    const members = (service: string): string[] => [
      ...[...(hosted.get(service)?.metaObject.signals.values() ?? [])].map(
        ({ name, signature }) => `${name} ${signature}`,
      ),
      ...[...(hosted.get(service)?.metaObject.properties.values() ?? [])].map(
        ({ name, signature }) => `${name} ${signature}`,
      ),
    ];
    expect(members('ALTextToSpeech')).toEqual(expect.arrayContaining(['wordSaid (s)', 'volume i']));
    expect(members('ALMotion')).toContain('positionChanged ([f])');
    expect(members('ALRobotPosture')).toContain('postureChanged (s)');
    expect(members('ALTabletService')).toEqual(expect.arrayContaining(['onTouchDown (ff)', 'brightness f']));
  });
});
