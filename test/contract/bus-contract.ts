// What every Bus does, whatever carries it. One suite, run against each implementation.
import { afterEach, beforeEach, describe } from 'vitest';
import type { Bus } from '../../protocol/bus/bus.ts';
import { createEchoService } from '../support/echo-service.ts';
import { callContract } from './call-contract.ts';
import { type ContractOptions, type ContractState, seen } from './contract-state.ts';
import { objectContract } from './object-contract.ts';
import { serviceContract } from './service-contract.ts';
import { signalContract } from './signal-contract.ts';

/** Two ways onto one bus, as two programs have. */
export interface BusPair {
  /** The side that is tested. */
  readonly bus: Bus;
  /** Where services are hosted; may be the same. */
  readonly hostBus: Bus;
  /** Ends everything, also when `bus` or `hostBus` is closed already. */
  close(): Promise<void>;
}

export function busContract(name: string, setup: () => Promise<BusPair>, options: ContractOptions = {}): void {
  describe(`bus contract: ${name}`, () => {
    let pair: BusPair | undefined;
    let state: ContractState | undefined;
    beforeEach(async () => {
      pair = await setup();
      const { bus, hostBus } = pair;
      const echo = createEchoService();
      await hostBus.host('Echo', echo.object);
      await seen(bus, 'Echo');
      state = { bus, hostBus, echo, remote: await bus.service('Echo') };
    });
    afterEach(async () => {
      const open = pair;
      pair = undefined;
      state = undefined;
      await open?.close();
    });
    const get = (): ContractState => {
      if (state === undefined) throw new Error('the contract is not set up');
      return state;
    };
    serviceContract(get, options);
    callContract(get);
    signalContract(get);
    objectContract(get);
  });
}
