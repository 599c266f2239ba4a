// ALTextToSpeech, ALMemory, ALBattery, ALLeds, ALTouch, ALTabletService, ALSystem as a caller on the bus sees them.
import { describe, expect, it } from 'vitest';
import { settled } from '../support/virtual-clock.ts';
import { heard, livingRobot, refusal, type Service, START_MS } from './living-robot.ts';

describe('ALTextToSpeech', () => {
  it('returns from say when the last word was said, and tells each', async () => {
    const { clock, service } = livingRobot();
    const tts = service('ALTextToSpeech');
    const words = await heard(tts.wordSaid);
    let isOver = false;
    const saying = tts.say('Hello to you.').then(() => {
      isOver = true;
    });
    await clock.advance(500);
    expect([words, isOver]).toEqual([['Hello', 'to'], false]);
    await clock.advance(2000);
    await saying;
    expect([words, isOver]).toEqual([['Hello', 'to', 'you'], true]);
  });

  it('raises the events of NAOqi in ALMemory', async () => {
    const { clock, service } = livingRobot();
    const memory = service('ALMemory');
    const events: unknown[] = [];
    for (const name of ['Status', 'TextStarted', 'CurrentSentence', 'CurrentWord', 'TextDone']) {
      const subscriber = (await memory.subscriber(`ALTextToSpeech/${name}`)) as Service;
      await subscriber.signal.connect((value) => events.push([name, value]));
    }
    const saying = service('ALTextToSpeech').say('Go now');
    await clock.advance(2000);
    await saying;
    expect(events).toEqual([
      ['Status', [1, 'enqueued']],
      ['Status', [1, 'started']],
      ['TextStarted', 1],
      ['CurrentSentence', 'Go now'],
      ['CurrentWord', 'Go'],
      ['CurrentWord', 'now'],
      ['Status', [1, 'done']],
      ['TextDone', 1],
    ]);
  });

  it('stops on the robot when the call is cancelled, and goes on with the next text', async () => {
    const { clock, service } = livingRobot();
    const tts = service('ALTextToSpeech');
    const words = await heard(tts.wordSaid);
    const controller = new AbortController();
    const refused = refusal(tts.say.with({ signal: controller.signal })('one two three four'));
    const next = tts.say('five');
    await clock.advance(400);
    controller.abort();
    await clock.advance(1000);
    await next;
    expect(await refused).toContain('[canceled]');
    expect(words).toEqual(['one', 'two', 'five']);
  });

  it('ends what is said without an error at stopAll', async () => {
    const { clock, service } = livingRobot();
    const tts = service('ALTextToSpeech');
    const saying = tts.say('one two three four');
    await clock.advance(100);
    await tts.stopAll();
    expect(await saying).toBeUndefined();
  });

  it('has its volume as a property in percent and as methods from 0 to 1', async () => {
    const tts = livingRobot().service('ALTextToSpeech');
    const volumes = await heard(tts.volume);
    await tts.volume.setValue(50);
    expect(await tts.getVolume()).toBe(0.5);
    await tts.setVolume(0.25);
    expect([await tts.volume.value(), volumes]).toEqual([25, [50, 25]]);
    expect(await refusal(tts.volume.setValue(101))).toContain('from 0 to 100, not 101');
    expect(await refusal(tts.setVolume(1.5))).toContain('from 0 to 1, not 1.5');
    expect(await refusal(tts.setVolume(Number.NaN))).toContain('from 0 to 1, not NaN');
    expect(await tts.volume.value()).toBe(25);
  });

  it('knows languages, voices and parameters', async () => {
    const { clock, service } = livingRobot();
    const tts = service('ALTextToSpeech');
    expect(await tts.getAvailableLanguages()).toContain('Japanese');
    await tts.setLanguage('French');
    expect(await tts.getLanguage()).toBe('French');
    expect(await refusal(tts.setLanguage('Frensh'))).toContain('Did you mean French');
    expect(await refusal(tts.say('hi', 'Klingon'))).toContain('There is no language "Klingon".');
    await tts.setParameter('speed', 400);
    expect(await tts.getParameter('speed')).toBe(400);
    const saying = tts.say('a b c d', 'German');
    await clock.advance(250);
    await saying;
    await tts.resetSpeed();
    expect(await tts.getParameter('speed')).toBe(100);
    expect(await refusal(tts.setParameter('speed', 5))).toContain('from 50 to 400');
    await tts.setVoice('julie');
    expect(await tts.getVoice()).toBe('julie');
  });

  it('refuses a text that is too long', async () => {
    expect(await refusal(livingRobot().service('ALTextToSpeech').say('x'.repeat(4001)))).toContain(
      '4000 characters at most, not 4001',
    );
  });
});

describe('ALMemory', () => {
  it('keeps what is inserted, in every type', async () => {
    const memory = livingRobot().service('ALMemory');
    for (const [key, value] of Object.entries({ text: 'hi', whole: 3, broken: 2.5, list: [1, 'two'] })) {
      await memory.insertData(key, value);
      expect(await memory.getData(key)).toEqual(value);
    }
    expect(await memory.getListData(['text', 'nothing', 'whole'])).toEqual(['hi', null, 3]);
    expect(await memory.getDataList('bro')).toEqual(['broken']);
    await memory.removeData('text');
    expect(await memory.getDataListName()).not.toContain('text');
    expect(await refusal(memory.getData('brokn'))).toContain('Did you mean broken?');
  });

  it('gives a subscriber whose signal tells each event raised', async () => {
    const memory = livingRobot().service('ALMemory');
    const subscriber = (await memory.subscriber('Door')) as Service;
    const values = await heard(subscriber.signal);
    await memory.raiseEvent('Door', ['open', 3]);
    await memory.raiseEvent('Window', 'shut');
    await memory.raiseMicroEvent('Door', 'ajar');
    expect(values).toEqual([['open', 3], 'ajar']);
    expect(await memory.getData('Door')).toEqual(['open', 3]);
    expect(await memory.getEventList()).toEqual(expect.arrayContaining(['Door', 'Window', 'FrontTactilTouched']));
  });

  it('forgets a subscriber that nobody holds any more', async () => {
    const { robot, service } = livingRobot();
    let listeners = 0;
    const { memory } = robot;
    const { subscribe } = memory;
    Object.assign(memory, {
      subscribe: (key: string, listener: (value: unknown) => void) => {
        const stop = subscribe(key, listener);
        listeners += 1;
        return () => {
          listeners -= 1;
          stop();
        };
      },
    });
    const first = (await service('ALMemory').subscriber('Door')) as { release(): void };
    const second = (await service('ALMemory').subscriber('Door')) as { release(): void };
    expect(listeners).toBe(2);
    first.release();
    await settled();
    expect(listeners).toBe(1);
    second.release();
    await settled();
    expect(listeners).toBe(0);
  });

  it('declares events', async () => {
    const memory = livingRobot().service('ALMemory');
    await memory.declareEvent('Mine');
    await memory.declareEvent('Yours', 'somebody');
    expect(await memory.getEventList()).toEqual(expect.arrayContaining(['Mine', 'Yours']));
    expect(await refusal(memory.getData('Mine'))).toContain('no value yet');
  });
});

describe('ALBattery', () => {
  it('tells the charge as it drains, and when it charges on the dock', async () => {
    const { clock, service } = livingRobot({ charge: 50 });
    const battery = service('ALBattery');
    const changes = await heard(battery.batteryChargeChanged);
    const plugged = await heard(battery.charging);
    expect(await battery.getBatteryCharge()).toBe(50);
    await clock.advance(60_000);
    expect(changes).toEqual([49, 48]);
    await service('SimulatedRoom').placeRobot(-2.05, 0, 0);
    await clock.advance(10_000);
    expect([plugged, await battery.charge.value()]).toEqual([[true], 52]);
    expect(await service('ALMemory').getData('BatteryChargeChanged')).toBe(52);
    expect(await refusal(battery.charge.setValue(100))).toContain('read-only');
  });
});

describe('ALLeds', () => {
  it('fades in each of its three forms, and returns at the end', async () => {
    const { clock, service } = livingRobot();
    const leds = service('ALLeds');
    const changes = await heard(leds.colorChanged);
    const first = leds.fadeRGB('ChestLeds', 0x102030, 1);
    await clock.advance(500);
    expect(changes).toEqual([]);
    await clock.advance(600);
    await first;
    expect(await leds.getColor('ChestLeds')).toBe(0x102030);
    await Promise.all([leds.fadeRGB('FaceLeds', 'blue', 0.5), clock.advance(600)]);
    await Promise.all([leds.fadeRGB('LeftEarLeds', 1, 0.5, 0, 0), clock.advance(100)]);
    expect(changes).toEqual([
      ['ChestLeds', 0x102030],
      ['LeftFaceLeds', 255],
      ['RightFaceLeds', 255],
      ['LeftEarLeds', 0xff8000],
    ]);
    expect(await leds.faceColor.value()).toBe(255);
  });

  it('switches groups, and refuses what is not there', async () => {
    const leds = livingRobot().service('ALLeds');
    await leds.off('AllLeds');
    expect(await leds.getColor('RightEarLeds')).toBe(0);
    await leds.setIntensity('EarLeds', 0.5);
    expect(await leds.getColor('RightEarLeds')).toBe(0x808080);
    expect(await leds.listGroup('FaceLeds')).toEqual(['LeftFaceLeds', 'RightFaceLeds']);
    expect(await refusal(leds.on('FaceLed'))).toContain('Did you mean FaceLeds');
    expect(await refusal(leds.fadeRGB('FaceLeds', 'pinkish', 1))).toContain('There is no colour "pinkish".');
    expect(await refusal(leds.fade('FaceLeds', 3, 1))).toContain('intensity must be a number from 0 to 1, not 3');
    expect(await refusal(leds.fadeRGB('FaceLeds', 255, -1))).toContain('duration must be');
  });
});

describe('touch', () => {
  it('reaches ALTouch and ALMemory for as long as it lasts', async () => {
    const { clock, service } = livingRobot();
    const touch = service('ALTouch');
    const changes = await heard(touch.touchChanged);
    const front = (await service('ALMemory').subscriber('FrontTactilTouched')) as Service;
    const values = await heard(front.signal);
    const touching = service('SimulatedRoom').touch('FrontTactilTouched', 300);
    await clock.advance(100);
    expect(await touch.getStatus()).toContainEqual({ sensor: 'FrontTactilTouched', isPressed: true });
    await clock.advance(300);
    await touching;
    expect([changes, values]).toEqual([
      [
        ['FrontTactilTouched', true],
        ['FrontTactilTouched', false],
      ],
      [1, 0],
    ]);
    expect(await refusal(service('SimulatedRoom').touch('Nose', 1))).toContain('There is no sensor "Nose".');
  });
});

describe('ALTabletService', () => {
  it('shows pages and images', async () => {
    const tablet = livingRobot().service('ALTabletService');
    const shown = await heard(tablet.showing);
    await tablet.loadUrl('https://example.com/a');
    expect(await tablet.showWebview()).toBe(true);
    expect(await tablet.url.value()).toBe('https://example.com/a');
    await tablet.showImage('http://example.com/b.png');
    expect([await tablet.hideWebview(), await tablet.hideImage()]).toEqual([false, true]);
    expect(shown).toEqual(['webview', 'image', 'nothing']);
    expect(await refusal(tablet.showImage('file:///etc/passwd'))).toContain('is not an http or https address');
  });

  it('holds its brightness, and tells touches', async () => {
    const tablet = livingRobot().service('ALTabletService');
    const touches = await heard(tablet.onTouchDown);
    await tablet.setBrightness(0.5);
    expect(await tablet.brightness.value()).toBe(0.5);
    await tablet.brightness.setValue(0.25);
    expect(await tablet.getBrightness()).toBe(0.25);
    expect(await refusal(tablet.brightness.setValue(2))).toContain('from 0 to 1');
    await tablet.touch(100, 200);
    tablet.onTouchDown.emit(5, 6);
    await settled();
    expect(touches).toEqual([
      [100, 200],
      [5, 6],
    ]);
    expect(await refusal(tablet.touch(2000, 0))).toContain('x must be');
  });
});

describe('ALSystem', () => {
  it('knows its name, its version and the time', async () => {
    const { clock, service } = livingRobot();
    const system = service('ALSystem');
    await clock.advance(1500);
    expect(await system.uptime()).toBe(1.5);
    expect(await system.currentTime()).toBe(START_MS / 1000 + 1.5);
    await system.setRobotName('Pépé 2');
    expect(await system.robotName()).toBe('Pépé 2');
    expect(await refusal(system.setRobotName('<b>'))).toContain('1 to 32 letters');
    expect(await system.systemVersion()).toMatch(/^2\.5/);
  });
});
