// ALTabletService: the tablet on the chest. It shows nothing here, it holds what it would show.
import { createObject, type HostedObject, method, property, signal } from '@qiway/protocol/objects/hosted-object';
import { readOnly, refuse, textWithin, within } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const URL_PARAMETER = [{ name: 'url', description: 'http or https address' }] as const;
/** What the tablet shows when nothing else does. */
const HOME = 'about:blank';

export function createTablet({ robot }: Surroundings): HostedObject {
  const show = (kind: 'image' | 'webview' | 'nothing', url: string): boolean => {
    object.set('url', url);
    object.set('showing', kind);
    if (kind === 'webview') {
      object.emit('onPageStarted');
      object.emit('onPageFinished');
    }
    return true;
  };
  const hide = (kind: string): boolean => object.get('showing') === kind && show('nothing', HOME);
  const image = (url: string): boolean => show('image', checkedUrl(url));
  const object = createObject(
    {
      showWebview: [
        method('()', 'b', () => show('webview', String(object.get('url'))), {
          description: 'Shows the page that was loaded.',
        }),
        method('(s)', 'b', (url: string) => show('webview', checkedUrl(url)), {
          description: 'Loads and shows a page.',
          parameters: URL_PARAMETER,
        }),
      ],
      hideWebview: method('()', 'b', () => hide('webview'), {
        description: 'Hides the page.',
        returnDescription: 'Whether one was shown',
      }),
      loadUrl: method(
        '(s)',
        'b',
        (url: string) => {
          object.set('url', checkedUrl(url));
          return true;
        },
        { description: 'Loads a page without showing it.', parameters: URL_PARAMETER },
      ),
      showImage: method('(s)', 'b', image, { description: 'Shows an image.', parameters: URL_PARAMETER }),
      showImageNoCache: method('(s)', 'b', image, {
        description: 'Shows an image, fetched anew.',
        parameters: URL_PARAMETER,
      }),
      hideImage: method('()', 'b', () => hide('image'), {
        description: 'Hides the image.',
        returnDescription: 'Whether one was shown',
      }),
      hide: method('()', 'b', () => show('nothing', HOME), { description: 'Hides whatever is shown.' }),
      getBrightness: method('()', 'f', () => object.get('brightness'), {
        description: 'How bright the screen is.',
        returnDescription: '0 to 1',
      }),
      setBrightness: method(
        '(f)',
        'b',
        (brightness: number) => {
          object.set('brightness', checkedBrightness(brightness));
          return true;
        },
        { description: 'Sets how bright the screen is.', parameters: [{ name: 'brightness', description: '0 to 1' }] },
      ),
      turnScreenOn: method('(b)', 'v', (isOn: boolean) => object.set('screenOn', isOn), {
        description: 'Switches the screen.',
        parameters: ['isOn'],
      }),
      robotName: method('()', 's', () => String(robot.memory.get('RobotConfig/Body/Type')), {
        description: 'The kind of robot the tablet sits on.',
      }),
      touch: method(
        '(ff)',
        'v',
        (x: number, y: number) => {
          object.emit('onTouchDown', within('x', x, { min: 0, max: 1280 }), within('y', y, { min: 0, max: 800 }));
          object.emit('onTouchUp', x, y);
        },
        {
          description: 'Touches the screen, as somebody in the room would.',
          parameters: [
            { name: 'x', description: 'Pixels, 0 to 1280' },
            { name: 'y', description: 'Pixels, 0 to 800' },
          ],
        },
      ),
      onTouchDown: signal('(ff)'),
      onTouchUp: signal('(ff)'),
      onPageStarted: signal('()'),
      onPageFinished: signal('()'),
      brightness: property('f', 0.8, { set: checkedBrightness }),
      screenOn: property('b', true),
      url: readOnly('s', HOME),
      showing: readOnly('s', 'nothing'),
    },
    { description: 'The tablet on the chest: pages, images, brightness, touches.' },
  );
  return object;
}

function checkedBrightness(value: number): number {
  return within('The brightness', value, { min: 0, max: 1 });
}

function checkedUrl(url: string): string {
  textWithin('The url', url, 2000);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw refuse(`"${url}" is not an http or https address.`);
  return url;
}
