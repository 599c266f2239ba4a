// A long call, given up: the robot is asked to stop, and the program goes on at once.
import { connect, isQiwayError } from '@qiway/sdk';

interface Services {
  ALMotion: {
    moveTo(x: number, y: number, theta: number): void;
    stopMove(): void;
  };
}

const [url = 'http://127.0.0.1:8080/', milliseconds = '500'] = process.argv.slice(2);
await using robot = await connect<Services>(url);
const motion = await robot.service('ALMotion');
try {
  await motion.moveTo.with({ signal: AbortSignal.timeout(Number(milliseconds)) })(5, 0, 0);
  console.log('There.');
} catch (error) {
  if (!isQiwayError(error) || error.code !== 'canceled') throw error;
  await motion.stopMove();
  console.log(`Stopped: ${error.message}`);
}
