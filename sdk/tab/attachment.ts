// Makes the attachment of a tab: a wire over a port whose other end the owner takes. Knows neither calls nor sessions.
import { PlainWire, type PlainWireOptions } from '@qiway/protocol/session/plain-wire';
import { messagePortTransport, PORT_HIGH_WATER_BYTES } from '@qiway/protocol/transport/message-port';
import type { RobotLine } from './robot-line.ts';
import { noOwner } from './tab-state.ts';

export interface AttachmentOptions extends Pick<PlainWireOptions, 'clock'> {
  readonly onMessage: (wire: PlainWire, ...message: Parameters<PlainWireOptions['onMessage']>) => void;
  readonly onClosed: (wire: PlainWire, error: Parameters<PlainWireOptions['onClosed']>[0]) => void;
}

/** @throws `offline` when the owner does not have the robot any more: the line is over; as `RobotLine.attach` */
export async function openAttachment(line: RobotLine, options: AttachmentOptions): Promise<PlainWire> {
  const { port1, port2 } = new MessageChannel();
  const wire: PlainWire = new PlainWire(messagePortTransport(port1, { highWaterBytes: PORT_HIGH_WATER_BYTES }), {
    clock: options.clock,
    onMessage: (header, payload) => options.onMessage(wire, header, payload),
    onClosed: (error) => options.onClosed(wire, error),
  });
  let isTaken = false;
  try {
    isTaken = await line.attach(port2);
  } finally {
    if (!isTaken) wire.close('not taken');
  }
  if (!isTaken) {
    line.end();
    throw noOwner();
  }
  return wire;
}
