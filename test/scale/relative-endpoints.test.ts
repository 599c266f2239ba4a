// Relative endpoints by groups of hosts are those of the plain rule, and stay short where the rule would grow with the square.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServiceInfo } from '../../protocol/bus/bus.ts';
import { Registry } from '../../protocol/directory/registry.ts';
import { MAX_RELATIVE_NAMES } from '../../protocol/directory/relative-endpoints.ts';

const NOBODY = { added: () => {}, removed: () => {} };

function info(name: string, endpoints: readonly string[], sessionId = name): ServiceInfo {
  return { name, serviceId: 0, machineId: 'm', processId: 1, endpoints, sessionId, objectUid: new Uint8Array(0) };
}

function registry(endpoints: readonly string[] = ['tcp://10.0.0.1:9559']): Registry {
  return new Registry({ ...info('ServiceDirectory', endpoints, '0'), serviceId: 1 }, NOBODY);
}

function register(into: Registry, given: ServiceInfo, owner?: object): number {
  const serviceId = into.register(given, owner);
  into.ready(serviceId);
  return serviceId;
}

function told(by: Registry, serviceId: number): readonly string[] {
  const entry = by.byId(serviceId);
  if (entry === undefined) throw new Error(`there is no service ${serviceId}`);
  return by.relativeEndpoints(entry.info);
}

/** The rule as it is written down, without any index. */
function byTheRule(own: ServiceInfo, ready: readonly ServiceInfo[]): string[] {
  const absolute = (of: ServiceInfo): string[] => of.endpoints.filter((each) => !each.startsWith('qi:'));
  const mine = absolute(own);
  const names = ready
    .filter((other) => absolute(other).length > 0 && absolute(other).every((each) => mine.includes(each)))
    .map((other) => `qi:${other.name}`);
  const rank = (each: string): number =>
    each === 'qi:ServiceDirectory' ? 0 : each.startsWith('qi:') ? 1 : /127\.|localhost/.test(each) ? 2 : 3;
  return [...names, ...new Set(mine)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const places = ['tcp://10.0.0.1:1', 'tcp://10.0.0.2:2', 'tcp://127.0.0.1:3', 'tcps://localhost:4', 'qi:Old'];
const endpointLists = fc.array(fc.constantFrom(...places), { maxLength: 4 });
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('add' as const), endpoints: endpointLists, session: fc.constantFrom('a', 'b') }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('move' as const), at: fc.nat(20), endpoints: endpointLists }),
    fc.record({ kind: fc.constant('own' as const), endpoints: endpointLists }),
  ),
  { maxLength: 25 },
);

describe('relative endpoints', () => {
  it('are those of the subset rule, whatever came, went and moved before', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const by = registry();
        let named = 0;
        for (const step of taken) {
          const ids = by.list().map(({ serviceId }) => serviceId);
          if (step.kind === 'add') register(by, info(`S${named++}`, step.endpoints, step.session), {});
          else if (step.kind === 'own') by.updateOwnEndpoints(step.endpoints);
          else {
            const id = ids[1 + (step.at % Math.max(1, ids.length - 1))];
            const known = id === undefined ? undefined : by.byId(id)?.info;
            if (known === undefined) continue;
            if (step.kind === 'remove') by.unregister(known.serviceId);
            else {
              by.update({ ...known, endpoints: step.endpoints });
              for (const each of by.list())
                if (each.sessionId === known.sessionId) expect(each.endpoints).toEqual(step.endpoints);
            }
          }
          const ready = by.list();
          for (const each of ready) expect(by.relativeEndpoints(each)).toEqual(byTheRule(each, ready));
        }
      }),
      { numRuns: 150 },
    );
  });

  it(`lists ${MAX_RELATIVE_NAMES} names, and of more only the directory and the service itself`, () => {
    const by = registry();
    const here = ['tcp://10.0.0.1:9559'];
    for (let index = 1; index < MAX_RELATIVE_NAMES; index += 1) register(by, info(`S${index}`, here), {});
    const last = by.list().at(-1)?.serviceId ?? 0;
    expect(told(by, last)).toHaveLength(MAX_RELATIVE_NAMES + 1);
    expect(told(by, last)).toEqual(byTheRule(info('', here), by.list()));
    const more = register(by, info('More', here), {});
    expect(told(by, more)).toEqual(['qi:ServiceDirectory', 'qi:More', ...here]);
    expect(told(by, last)).toEqual(['qi:ServiceDirectory', `qi:S${MAX_RELATIVE_NAMES - 1}`, ...here]);
    by.unregister(more);
    expect(told(by, last)).toHaveLength(MAX_RELATIVE_NAMES + 1);
    const elsewhere = register(by, info('Elsewhere', ['tcp://10.0.0.2:1']), {});
    expect(told(by, elsewhere)).toEqual(['qi:Elsewhere', 'tcp://10.0.0.2:1']);
  });

  it('leave out a directory that is not among the endpoints, also when there are many', () => {
    const by = registry(['tcp://10.0.0.1:9559']);
    const there = ['tcp://10.0.0.2:1'];
    const ids = Array.from({ length: 300 }, (_, index) => register(by, info(`S${index}`, there), {}));
    expect(told(by, ids[7] ?? 0)).toEqual(['qi:S7', ...there]);
  });

  it('of a client that is told one place for all name every service, or the directory and the service itself', () => {
    const by = registry();
    const door = ['tcp://192.168.1.5:9559'];
    const first = register(by, info('A', []), {});
    register(by, info('B', ['tcp://10.0.0.2:1']), {});
    const known = by.byId(first)?.info ?? info('', []);
    expect(by.relativeEndpoints(known, door)).toEqual(['qi:ServiceDirectory', 'qi:A', 'qi:B', ...door]);
    for (let index = 0; index < 300; index += 1) register(by, info(`S${index}`, [`tcp://10.0.0.3:${index}`]), {});
    expect(by.relativeEndpoints(known, door)).toEqual(['qi:ServiceDirectory', 'qi:A', ...door]);
  });
});
