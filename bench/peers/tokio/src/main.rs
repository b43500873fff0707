// Tokio's current_thread runtime on the workloads of the table. usage: peer-tokio CASE N
// SPDX-License-Identifier: MIT
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, Mutex, Notify};
use tokio::task::{spawn, spawn_blocking, yield_now};
use tokio::time::{sleep, timeout};

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}
extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}
const MONOTONIC: i32 = 1;
const PROCESS_CPUTIME: i32 = 2;

fn clock_ns(clock: i32) -> f64 {
    let mut t = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe {
        clock_gettime(clock, &mut t);
    }
    t.seconds as f64 * 1e9 + t.nanoseconds as f64
}

fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

struct Watch {
    wall: f64,
    cpu: f64,
}

fn start() -> Watch {
    Watch { cpu: clock_ns(PROCESS_CPUTIME), wall: clock_ns(MONOTONIC) }
}

impl Watch {
    // What it has taken so far.
    fn taken(&self) -> Watch {
        let wall = clock_ns(MONOTONIC) - self.wall;
        Watch { cpu: clock_ns(PROCESS_CPUTIME) - self.cpu, wall }
    }

    fn report(&self, operations: f64, extra: f64) -> ! {
        self.taken().print(operations, extra)
    }

    fn print(&self, operations: f64, extra: f64) -> ! {
        println!("{:.3} {:.3} {extra:.1}", self.wall / operations, self.cpu / operations);
        std::process::exit(0)
    }
}

// What std::hint::black_box does; Debian's rustc is too old to have it.
fn hidden(x: i64) -> i64 {
    unsafe { std::ptr::read_volatile(&x) }
}

type Boxed = Pin<Box<dyn Future<Output = i64> + Send>>;

// One allocation per call, as a C++ frame.
#[inline(never)]
fn boxed(x: i64) -> Boxed {
    Box::pin(async move { x + 1 })
}

#[inline(never)]
async fn plain(x: i64) -> i64 {
    hidden(x) + 1
}

#[inline(never)]
fn chain(depth: i64) -> Boxed {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        chain(depth - 1).await + 1
    })
}

async fn yields(n: usize, tasks: usize) {
    let mut running = Vec::new();
    for _ in 0..tasks {
        running.push(spawn(async move {
            for _ in 0..n / tasks {
                yield_now().await
            }
        }));
    }
    for task in running {
        task.await.unwrap();
    }
}

async fn million(n: usize) -> ! {
    let event = Arc::new(Notify::new());
    let before = resident();
    let watch = start();
    let mut tasks = Vec::with_capacity(n);
    for _ in 0..n {
        let event = event.clone();
        tasks.push(spawn(async move { event.notified().await }));
    }
    // The scheduler polls a bounded batch per turn: wait until a task behind all others has run.
    spawn(async {}).await.unwrap();
    let parked = resident();
    event.notify_waiters();
    for task in tasks {
        task.await.unwrap();
    }
    watch.report(n as f64, (parked - before) / n as f64)
}

async fn sleepall(n: usize) -> ! {
    let before = resident();
    let watch = start();
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..n {
        set.spawn(async { sleep(Duration::from_millis(10)).await });
    }
    let spawned = resident();
    while set.join_next().await.is_some() {}
    watch.report(1.0, (spawned - before) / n as f64)
}

async fn hops(n: usize, in_flight: usize) {
    let mut tasks = Vec::new();
    for _ in 0..in_flight {
        tasks.push(spawn(async move {
            for _ in 0..n / in_flight {
                spawn_blocking(|| {}).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

async fn cancel(n: usize) -> ! {
    let mut tasks = Vec::new();
    for _ in 0..n {
        tasks.push(spawn(async { sleep(Duration::from_secs(3600)).await }));
    }
    sleep(Duration::from_millis(300)).await;
    let watch = start();
    for task in &tasks {
        task.abort();
    }
    for task in tasks {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    watch.report(n as f64, 0.0)
}

type Fallible = Pin<Box<dyn Future<Output = Result<i64, std::io::Error>> + Send>>;

// Errors are values here: each level looks at one and returns it.
#[inline(never)]
fn fail_below(depth: i64) -> Fallible {
    Box::pin(async move {
        if depth == 0 {
            return Err(std::io::ErrorKind::Other.into());
        }
        Ok(fail_below(depth - 1).await? + 1)
    })
}

#[inline(never)]
fn sleep_below(depth: i64) -> Boxed {
    Box::pin(async move {
        if depth == 0 {
            sleep(Duration::from_secs(3600)).await;
            return 0;
        }
        sleep_below(depth - 1).await + 1
    })
}

async fn fail_through(n: usize, depth: i64) {
    for _ in 0..n {
        assert!(fail_below(depth - 1).await.is_err());
    }
}

// abort() drops the future; nothing in it can catch that.
async fn cancel_through(n: usize, depth: i64) -> ! {
    const BATCH: usize = 200;
    let mut sum = Watch { wall: 0.0, cpu: 0.0 };
    for _ in 0..n / BATCH {
        let tasks: Vec<_> = (0..BATCH).map(|_| spawn(sleep_below(depth - 1))).collect();
        spawn(async {}).await.unwrap();
        let watch = start();
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            assert!(task.await.unwrap_err().is_cancelled());
        }
        let taken = watch.taken();
        sum.wall += taken.wall;
        sum.cpu += taken.cpu;
    }
    sum.print((n / BATCH * BATCH) as f64, 0.0)
}

async fn lock_each(n: usize, tasks: usize) {
    let lock = Arc::new(Mutex::new(()));
    let mut running = Vec::new();
    for _ in 0..tasks {
        let lock = lock.clone();
        running.push(spawn(async move {
            for _ in 0..n / tasks {
                let _held = lock.lock().await;
                yield_now().await;
            }
        }));
    }
    for task in running {
        task.await.unwrap();
    }
}

async fn event(n: usize) -> ! {
    let event = Arc::new(Notify::new());
    let mut tasks = Vec::with_capacity(n);
    for _ in 0..n {
        let event = event.clone();
        tasks.push(spawn(async move { event.notified().await }));
    }
    spawn(async {}).await.unwrap(); // runs behind all others: then they wait
    let last = tasks.pop().unwrap();
    let watch = start();
    event.notify_waiters();
    last.await.unwrap();
    let taken = watch.taken();
    assert!(tasks.iter().all(|task| task.is_finished()));
    taken.print(n as f64, 0.0)
}

async fn queue(n: usize, capacity: usize) {
    let (sender, mut receiver) = mpsc::channel(capacity);
    let producer = spawn(async move {
        for i in 0..n {
            sender.send(i as i32).await.unwrap();
        }
    });
    let consumer = spawn(async move {
        for i in 0..n {
            assert!(receiver.recv().await == Some(i as i32));
        }
    });
    producer.await.unwrap();
    consumer.await.unwrap();
}

async fn run(name: String, n: usize) {
    let operations = n as f64;
    let watch = start();
    match name.as_str() {
        "await" => {
            let mut x = 0;
            for _ in 0..n {
                x = boxed(x).await;
            }
            hidden(x);
        }
        "awaitinline" => {
            let mut x = 0;
            for _ in 0..n {
                x = plain(x).await;
            }
            hidden(x);
        }
        "chain10" => {
            let mut x = 0;
            for _ in 0..n / 10 {
                x += chain(9).await;
            }
            hidden(x);
        }
        "spawn" => {
            for i in 0..n {
                spawn(async move { i }).await.unwrap();
            }
        }
        "million" => million(n).await,
        "yield" => yields(n, 2).await,
        "yield1000" => yields(n, 1000).await,
        "sleepall" => sleepall(n).await,
        "timeout" => {
            for _ in 0..n {
                timeout(Duration::from_secs(10), yield_now()).await.unwrap();
            }
        }
        "thread1" => hops(n, 1).await,
        "thread64" => hops(n, 64).await,
        "cancel" => cancel(n).await,
        "lock" => {
            let lock = Mutex::new(());
            for _ in 0..n {
                drop(lock.lock().await);
            }
        }
        "lock8" => lock_each(n, 8).await,
        "event" => event(n).await,
        "queue" => queue(n, 128).await,
        "queue1" => queue(n, 1).await,
        "throw1" => fail_through(n, 1).await,
        "throw10" => fail_through(n, 10).await,
        "cancel1" => cancel_through(n, 1).await,
        "cancel10" => cancel_through(n, 10).await,
        "cancel20" => cancel_through(n, 20).await,
        _ => std::process::exit(2),
    }
    watch.report(operations, 0.0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let name = arguments[1].clone();
    let n = arguments[2].parse().unwrap();
    let workers = match name.as_str() {
        "thread1" => 1,
        _ => 4,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(workers)
        .build()
        .unwrap();
    // Inside a spawned task: waking block_on's own future would add one poll of the driver per await.
    runtime.block_on(async move { spawn(run(name, n)).await.unwrap() })
}
