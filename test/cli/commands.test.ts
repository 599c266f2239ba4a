// The commands of qiway against an agent, run within this process.
import type { BusObject, EventSink } from '@qiway/protocol/bus/bus';
import { beforeEach, describe, expect, it } from 'vitest';
import { type CliRobot, cliRobot } from './cli-robot.ts';

let robot: CliRobot;

beforeEach(async () => {
  robot = await cliRobot();
});

describe('qiway info', () => {
  it('lists the services, hidden ones only when all are wanted', async () => {
    const { code, out, error } = await robot.qiway('info');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out.split('\n').map((line) => line.trim().split(/\s+/).slice(0, 2).join(' '))).toEqual([
      '1 ServiceDirectory',
      '2 Speech',
      '',
    ]);
    expect((await robot.qiway('info', '--all')).out).toContain('_Hidden');
  });

  it('describes one service', async () => {
    const { code, out } = await robot.qiway('info', 'Speech');
    expect(code).toBe(0);
    expect(out).toContain('Speaks.');
    expect(out).toContain('say(String, String) → Void');
    expect(out).toContain('volume: Int32');
    expect(out).toContain('wordSaid(String, Int32)');
  });

  it('gives programs JSON', async () => {
    const services = JSON.parse((await robot.qiway('info', '--json')).out) as { name: string; objectUid: string }[];
    expect(services.map(({ name }) => name)).toEqual(['ServiceDirectory', 'Speech']);
    expect(services[1]?.objectUid).toMatch(/^[0-9a-f]{40}$/);
    const one = JSON.parse((await robot.qiway('info', 'Speech', '--json')).out) as {
      metaObject: { methods: Record<string, { name: string }> };
    };
    expect(one.metaObject.methods['100']?.name).toBe('say');
  });

  it('names services that look alike when there is none of that name', async () => {
    const { code, out, error } = await robot.qiway('info', 'Speach');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(error).toMatch(/^qiway: \[service-not-found\] .*Speech.*\n$/);
  });
});

describe('qiway call', () => {
  it('prints results as JSON and nothing for nothing', async () => {
    expect(await robot.qiway('call', 'Speech.add', '2', '-5')).toMatchObject({ code: 0, out: '-3\n', error: '' });
    expect(await robot.qiway('call', 'Speech.say', 'hello world')).toMatchObject({ code: 0, out: '' });
    expect(robot.said).toEqual([['hello world']]);
    expect((await robot.qiway('call', 'Speech.locate', '{"x":1,"y":2.5}')).out).toBe('{\n  "x": 1,\n  "y": 2.5\n}\n');
    expect((await robot.qiway('call', 'Speech.locate', '{"x":1,"y":2.5}', '--json')).out).toBe('{"x":1,"y":2.5}\n');
  });

  it('chooses the overload by the arguments, or by a full name', async () => {
    await robot.qiway('call', 'Speech.say', 'bonjour', 'French');
    await robot.qiway('call', 'Speech.say::(s)', '"5"');
    expect(robot.said).toEqual([['bonjour', 'French'], ['5']]);
  });

  it('loses no digit of 64-bit integers and no byte of raw', async () => {
    expect((await robot.qiway('call', 'Speech.big', '"18446744073709551615"')).out).toBe('"18446744073709551615"\n');
    expect((await robot.qiway('call', 'Speech.bytes', '4')).out).toBe('"QUFBQQ=="\n');
    const { out, files } = await robot.qiway('call', 'Speech.bytes', '4', '--out', 'picture');
    expect(out).toBe('');
    expect([...files]).toEqual([['picture', new Uint8Array([65, 65, 65, 65])]]);
    expect((await robot.qiway('call', 'Speech.anything', '{"a":[1,null,{"$raw":"QUE="}]}', '--json')).out).toBe(
      '{"a":[1,null,{"$raw":"QUE="}]}\n',
    );
  });

  it.each([
    [['Speech.add', '1'], /\[argument-mismatch\].*\(ii\)/],
    [['Speech.add', '1', 'two'], /\[invalid-argument\].*\/1.*"two"/],
    [['Speech.ad', '1', '2'], /\[member-not-found\].*add/],
    [['Speech.volume'], /\[member-not-found\] Speech\.volume is no method but a property \(qiway get, set, watch\)/],
    [['Speech.fail', 'line one\nline two'], /^qiway: \[call-failed\][^\n]*line one line two[^\n]*\n$/],
  ])('fails with one clear line for %j', async (args, sentence) => {
    const { code, out, error } = await robot.qiway('call', ...args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(error).toMatch(sentence);
    expect(error.split('\n')).toHaveLength(2);
  });

  it('gives programs errors as JSON', async () => {
    const { code, error } = await robot.qiway('call', 'Speech.fail', 'oh', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(error)).toMatchObject({ code: 'call-failed', data: { text: 'oh' } });
  });

  it('refuses wrong use with code 2 and without asking the robot', async () => {
    expect(await robot.qiway('call')).toMatchObject({
      code: 2,
      error: 'qiway: usage: qiway call Service.method [json…]\n',
    });
    expect(await robot.qiway('call', 'Speech')).toMatchObject({ code: 2 });
    expect(await robot.qiway('call', 'Speech.add', '[1,')).toMatchObject({
      code: 2,
      error: expect.stringContaining('is not JSON'),
    });
    expect(robot.said).toEqual([]);
  });

  it('cancels on the robot at Ctrl-C', async () => {
    const running = robot.start('call', 'Speech.forever');
    await expect.poll(() => robot.said).toEqual([['forever']]);
    running.interrupt();
    expect(await running.outcome).toMatchObject({ code: 1, out: '', error: expect.stringContaining('[canceled]') });
  });

  it('says what to do about a wrong token', async () => {
    expect(await robot.qiway('--url', 'http://robot.test/#token=wrong', 'info')).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^qiway: \[unauthorized\]/),
    });
  });
});

describe('qiway get and set', () => {
  it('prints and sets a property', async () => {
    expect(await robot.qiway('get', 'Speech.volume')).toMatchObject({ code: 0, out: '50\n' });
    expect(await robot.qiway('set', 'Speech.volume', '70')).toMatchObject({ code: 0, out: '' });
    expect(robot.speech.get('volume')).toBe(70);
  });

  it('reports what the robot refuses, and what is no property', async () => {
    expect(await robot.qiway('set', 'Speech.volume', '101')).toMatchObject({
      code: 1,
      error: expect.stringContaining('at most 100'),
    });
    expect(await robot.qiway('set', 'Speech.volume', 'loud')).toMatchObject({
      code: 1,
      error: expect.stringContaining('[invalid-argument]'),
    });
    expect(await robot.qiway('get', 'Speech.wordSaid')).toMatchObject({
      code: 1,
      error: expect.stringContaining('is no property but a signal (qiway watch)'),
    });
  });
});

describe('while the robot’s bus is down', () => {
  it('info says that it shows what was there', async () => {
    const down = await cliRobot({ told: () => ({ bus: 'down' }) });
    const { code, out, error } = await down.qiway('info');
    expect({ code, out: out.includes('Speech') }).toEqual({ code: 0, out: true });
    expect(error).toMatch(/^qiway: the robot’s bus is down: these are its services as they were/);
    expect((await robot.qiway('info')).error).toBe('');
  });
});

describe('qiway watch', () => {
  it('prints one line of JSON per event and ends after --count', async () => {
    const running = robot.start('watch', 'Speech.wordSaid', '--count', '2');
    await running.told('watching Speech.wordSaid');
    for (const word of ['a', 'b', 'c']) robot.speech.emit('wordSaid', word, 1);
    expect(await running.outcome).toMatchObject({ code: 0, out: '["a",1]\n["b",1]\n' });
  });

  it('prints the values of a property', async () => {
    const running = robot.start('watch', 'Speech.volume', '--count', '1');
    await running.told('watching');
    robot.speech.set('volume', 10);
    expect(await running.outcome).toMatchObject({ code: 0, out: '10\n' });
  });

  it('unsubscribes and ends well at Ctrl-C', async () => {
    const running = robot.start('watch', 'Speech.wordSaid');
    await running.told('watching');
    robot.speech.emit('wordSaid', 'a', 1);
    running.interrupt();
    expect(await running.outcome).toMatchObject({ code: 0 });
  });

  it('ends with the reason when the service leaves the bus', async () => {
    const hosted = await robot.door.bus.host('Other', robot.speech);
    const running = robot.start('watch', 'Other.wordSaid');
    await running.told('watching');
    await hosted.close();
    expect(await running.outcome).toMatchObject({ code: 1, error: expect.stringMatching(/\[(service|object)-gone\]/) });
  });

  it('tells where events were missed', async () => {
    const sinks: EventSink[] = [];
    const subscribe: BusObject['subscribe'] = (signal, sink) => {
      sinks.push(sink);
      return robot.speech.subscribe(signal, sink);
    };
    const tapped = new Proxy<BusObject>(robot.speech, {
      get: (target, key) => {
        if (key === 'subscribe') return subscribe;
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await robot.door.bus.host('Tapped', tapped);
    const running = robot.start('watch', 'Tapped.wordSaid');
    await running.told('watching');
    sinks[0]?.gap?.(3);
    await running.told('\n3 events were missed here\n');
    sinks[0]?.gap?.(undefined);
    await running.told('\nsome events were missed here\n');
    running.interrupt();
    expect(await running.outcome).toMatchObject({ code: 0, out: '' });
  });

  it('does not watch methods', async () => {
    expect(await robot.qiway('watch', 'Speech.add')).toMatchObject({
      code: 1,
      error: expect.stringContaining('is no signal but a method (qiway call)'),
    });
  });
});

describe('qiway types', () => {
  it('writes the interface file of the live robot', async () => {
    const { code, out, error } = await robot.qiway('types');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toContain('export interface Services {\n  ServiceDirectory: ServiceDirectory;\n  Speech: Speech;\n}');
    expect(out).toContain('locate(arg0: Place): Place;');
    expect(out).toContain('export interface ServiceInfo {');
    const { files } = await robot.qiway('types', '--out', 'robot.d.ts');
    expect(files.get('robot.d.ts')).toBe(out);
  });
});

describe('qiway without a robot', () => {
  it('helps, and says what is missing', async () => {
    expect(await robot.qiway('--help')).toMatchObject({ code: 0, error: '' });
    expect(await robot.qiway('info', '--url', 'not a url')).toMatchObject({
      code: 1,
      error: expect.stringContaining('[invalid-argument]'),
    });
  });
});
