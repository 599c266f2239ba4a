// A program (or a page) that serves the robot: whoever is on the bus can call it, hear its signal, set its property.
import { connect, createObject, method, property, type Signal, signal } from '@qiway/sdk';

interface Services {
  ExampleScreen: {
    show(text: string): number;
    touched: Signal<[x: number, y: number]>;
  };
}

const [url = 'http://127.0.0.1:8080/'] = process.argv.slice(2);
await using robot = await connect<Services>(url);

const screen = createObject({
  show: method('(s)', 'i', (text: string) => {
    console.log(`screen: ${text}`);
    screen.emit('touched', 3, 4);
    return text.length;
  }),
  touched: signal('(ii)'),
  brightness: property('f', 0.5),
});
await using hosted = await robot.host('ExampleScreen', screen);
// A plain object will do for methods alone: robot.host('ExampleScreen', { show(text: string) { … } })

// Another program on the robot would do this:
const proxy = await robot.service(hosted.name as 'ExampleScreen');
await proxy.touched.connect((x, y) => console.log(`touched at ${x}, ${y}`));
console.log(`${await proxy.show('Hello')} letters shown`);
