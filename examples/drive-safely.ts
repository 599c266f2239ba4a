// Driving: nobody else can meanwhile, and the robot stops by itself when this program dies or its network does.
import { connect } from '@qiway/sdk';

interface Services {
  ALMotion: {
    moveToward(x: number, y: number, theta: number): void;
    stopMove(): void;
  };
}

const [url = 'http://127.0.0.1:8080/', milliseconds = '2000'] = process.argv.slice(2);
await using robot = await connect<Services>(url);
await using _lease = await robot.lease(['ALMotion']);
await using _failsafe = await robot.failsafe({ afterMs: 500, calls: ['ALMotion.stopMove'] });
const motion = await robot.service('ALMotion');
await motion.moveToward(0.3, 0, 0);
console.log(`Driving; failsafe ${robot.status.failsafe?.state}.`);
await new Promise((resolve) => setTimeout(resolve, Number(milliseconds)));
await motion.stopMove();
console.log('Stopped.');
