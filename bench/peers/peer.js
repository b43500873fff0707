// Node on the workloads of the table. usage: node peer.js CASE N
// SPDX-License-Identifier: MIT
const { setTimeout: sleep, setImmediate: immediate } = require('timers/promises');

const name = process.argv[2];
const n = Number(process.argv[3]);
let wallStart, cpuStart;

function start() {
  cpuStart = process.cpuUsage();
  wallStart = process.hrtime.bigint();
}

function report(operations, extra = 0) {
  const wall = Number(process.hrtime.bigint() - wallStart);
  const used = process.cpuUsage(cpuStart);
  const cpu = (used.user + used.system) * 1e3;
  console.log(`${(wall / operations).toFixed(3)} ${(cpu / operations).toFixed(3)} ${extra.toFixed(1)}`);
  process.exit(0);
}

const resident = () => process.memoryUsage.rss();

async function child(x) { return x + 1; }

async function chain(depth) { return depth === 0 ? 1 : await chain(depth - 1) + 1; }

async function yieldLoop(count) { for (let i = 0; i < count; i++) await immediate(); }

const cases = {
  async await() {
    let x = 0;
    start();
    for (let i = 0; i < n; i++) x = await child(x);
    report(n);
  },
  async chain10() {
    start();
    for (let i = 0; i < n / 10; i++) await chain(9);
    report(n);
  },
  async million() {  // pending promises: Node has no tasks
    let release;
    const event = new Promise(resolve => { release = resolve; });
    const before = resident();
    start();
    const waiters = [];
    for (let i = 0; i < n; i++) waiters.push((async () => { await event; })());
    const parked = resident();
    release();
    for (const waiter of waiters) await waiter;
    report(n, (parked - before) / n);
  },
  async yield() {
    start();
    await Promise.all([yieldLoop(n / 2), yieldLoop(n / 2)]);
    report(n);
  },
  async yield1000() {
    start();
    await Promise.all(Array.from({ length: 1000 }, () => yieldLoop(n / 1000)));
    report(n);
  },
  async sleepall() {
    const before = resident();
    start();
    await Promise.all(Array.from({ length: n }, () => sleep(10)));
    report(1, (resident() - before) / n);
  },
  async timeout() {
    start();
    for (let i = 0; i < n; i++) {
      let timer;
      await Promise.race([immediate(), new Promise((_, reject) => { timer = setTimeout(reject, 10000); })]);
      clearTimeout(timer);
    }
    report(n);
  },
  async timer100k() {
    const delay = () => 3600000 + Math.random() * 60000;
    for (let i = 0; i < 100000; i++) setTimeout(() => {}, delay());
    start();
    for (let i = 0; i < n; i++) clearTimeout(setTimeout(() => {}, delay()));
    report(n);
  },
};

if (!(name in cases)) process.exit(2);
cases[name]();
