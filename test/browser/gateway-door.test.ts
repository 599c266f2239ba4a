// Through the service worker of a real Chromium the robot's HTTP door is the same as the agent's.
import { type DoorClient, doorConformance } from '../http-door/conformance.ts';
import { openGatewayPage } from '../support/gateway-browser.ts';

async function openClient(): Promise<DoorClient> {
  const opened = await openGatewayPage();
  await opened.own();
  return opened.client;
}

doorConformance('the door of the service worker', openClient);
