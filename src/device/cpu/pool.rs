//! Threads that share the work of large instructions.
//!
//! A job is one closure that every thread runs at once; [`Pool::for_each`] makes it take items
//! from an iterator until there are none. What is computed for an item must not depend on who
//! takes it, so results do not depend on the number of threads.
//!
//! A worker that has finished spins for a while, so that the next instruction of a step
//! finds it awake, and is then parked. A job is taken back from a worker that has not begun it when
//! the caller is done: a machine whose other cores are busy costs a call that finds nobody, not a
//! wait. Nothing is allocated for a job. Workers start with the first one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};

/// How often a worker looks for a job before it is parked: 0.2 to 1.5 milliseconds, by processor. Instructions that
/// are not shared lie between those that are, and waking a thread of a virtual machine takes 50 microseconds.
const SPINS: u32 = 20_000;
/// How often the caller looks whether a worker has finished before it lets others run.
const WAITS: u32 = 10_000;

/// The states of a worker. The caller turns `IDLE` or `PARKED` into `POSTED`, and `POSTED` back
/// into `IDLE`; the worker turns `IDLE` into `PARKED`, `POSTED` into `RUNNING` and that into `IDLE`.
const IDLE: u8 = 0;
const PARKED: u8 = 1;
const POSTED: u8 = 2;
const RUNNING: u8 = 3;
const CLOSED: u8 = 4;

/// A number of threads: the caller's, and workers that wait for jobs.
#[derive(Debug)]
pub(super) struct Pool {
    threads: usize,
    workers: OnceLock<Vec<Worker>>,
    /// Held during a job. Who finds it held works alone.
    busy: Mutex<()>,
}

impl Pool {
    /// A pool of `threads` threads, at least the caller's.
    pub(super) const fn new(threads: usize) -> Self {
        let threads = if threads == 0 { 1 } else { threads };
        Self { threads, workers: OnceLock::new(), busy: Mutex::new(()) }
    }

    /// The number of threads.
    pub(super) const fn threads(&self) -> usize {
        self.threads
    }

    /// Calls `work` for every item, on so many of the threads. Its first argument is the number of the thread.
    ///
    /// Threads take items from both ends, the caller from the back and the first worker from the
    /// front. So with two threads each finds in its own cache what it left there when it last went
    /// over the same items; a line that another core has written costs more than one from memory.
    /// What lies behind the items is the caller's for the same reason: behind a large weight there are often
    /// parameters that the caller updates by itself, and a processor's prefetchers read beyond the end of a part.
    ///
    /// # Panics
    /// If `work` does.
    pub(super) fn for_each<I>(&self, team: usize, items: I, work: impl Fn(usize, I::Item) + Sync)
    where
        I: DoubleEndedIterator + Send,
    {
        let items = Mutex::new(items);
        self.broadcast(team, &|thread| {
            loop {
                let mut items = lock(&items);
                let item = if thread % 2 == 0 { items.next_back() } else { items.next() };
                drop(items);
                let Some(item) = item else { break };
                work(thread, item);
            }
        });
    }

    /// Calls `work` with 0 on this thread and with other numbers on workers that are free.
    fn broadcast(&self, team: usize, work: &(dyn Fn(usize) + Sync)) {
        if team.min(self.threads) <= 1 {
            return work(0);
        }
        let _busy = match self.busy.try_lock() {
            Ok(busy) => busy,
            // A panic has passed by; the mutex guards nothing that could be broken.
            Err(TryLockError::Poisoned(busy)) => busy.into_inner(),
            Err(TryLockError::WouldBlock) => return work(0),
        };
        let start = || (1..self.threads).map_while(Worker::start).collect();
        let workers: &Vec<Worker> = self.workers.get_or_init(start);
        let workers = &workers[..workers.len().min(team - 1)];
        // Dropped before `work` is, also when `work` panics here: then nobody uses it any more.
        let posted = Posted(workers);
        let job = Job::new(work);
        workers.iter().for_each(|worker| worker.post(job));
        work(0);
        drop(posted);
        let panicked = |worker: &&Worker| worker.slot.panicked.load(Ordering::Relaxed);
        let panicked = workers.iter().filter(panicked).count();
        assert!(panicked == 0, "{panicked} threads panicked");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for worker in self.workers.take().into_iter().flatten() {
            worker.slot.state.store(CLOSED, Ordering::Release);
            worker.thread.thread().unpark();
            // A worker hands its panics on, so it has none of its own.
            let _ = worker.thread.join();
        }
    }
}

/// Locks what a panic cannot leave broken.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The closure of a job, without its lifetime.
#[derive(Debug, Clone, Copy)]
struct Job(*const (dyn Fn(usize) + Sync));

// SAFETY: the closure is `Sync`, so it may be called through a shared reference on any thread.
unsafe impl Send for Job {}

impl Job {
    fn new<'a>(work: &'a (dyn Fn(usize) + Sync + 'a)) -> Self {
        // SAFETY: only the lifetime changes, and a pointer is not used beyond it: see `run`.
        Self(unsafe {
            std::mem::transmute::<&'a (dyn Fn(usize) + Sync + 'a), *const (dyn Fn(usize) + Sync)>(
                work,
            )
        })
    }

    /// # Safety
    /// The closure is alive until this returns.
    unsafe fn run(self, thread: usize) {
        // SAFETY: the caller vouches for it.
        unsafe { (*self.0)(thread) }
    }
}

/// A worker as the caller sees it.
#[derive(Debug)]
struct Worker {
    slot: Arc<Slot>,
    thread: JoinHandle<()>,
}

/// What a worker and the caller share.
#[derive(Debug)]
struct Slot {
    state: AtomicU8,
    job: Mutex<Option<Job>>,
    panicked: AtomicBool,
}

impl Worker {
    /// Starts worker `number`; `None` where the platform gives no thread.
    fn start(number: usize) -> Option<Self> {
        let (state, panicked) = (AtomicU8::new(IDLE), AtomicBool::new(false));
        let slot = Arc::new(Slot { state, job: Mutex::new(None), panicked });
        let name = format!("wgrad-{number}");
        let work = Arc::clone(&slot);
        let thread = thread::Builder::new().name(name).spawn(move || work.serve(number)).ok()?;
        Some(Self { slot, thread })
    }

    fn post(&self, job: Job) {
        *lock(&self.slot.job) = Some(job);
        self.slot.panicked.store(false, Ordering::Relaxed);
        // `Release`: who sees `POSTED` sees what the caller has written for the job.
        if self.slot.state.swap(POSTED, Ordering::AcqRel) == PARKED {
            self.thread.thread().unpark();
        }
    }
}

/// Workers that may have a job.
struct Posted<'a>(&'a [Worker]);

impl Drop for Posted<'_> {
    /// Takes the job back from workers that have not begun, and waits for the others.
    fn drop(&mut self) {
        for Worker { slot, .. } in self.0 {
            let (idle, acquire) = (IDLE, Ordering::Acquire);
            if slot.state.compare_exchange(POSTED, idle, acquire, Ordering::Relaxed).is_ok() {
                continue;
            }
            let mut waits = 0;
            // `Acquire`: who sees `IDLE` sees what the worker has written.
            while slot.state.load(acquire) == RUNNING {
                std::hint::spin_loop();
                waits += 1;
                if waits > WAITS {
                    thread::yield_now();
                }
            }
        }
    }
}

impl Slot {
    /// The life of worker `number`.
    fn serve(&self, number: usize) {
        while self.wait() {
            let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
            if self.state.compare_exchange(POSTED, RUNNING, acquire, relaxed).is_err() {
                continue;
            }
            let job = lock(&self.job).take();
            let work = || {
                if let Some(job) = job {
                    // SAFETY: the closure lives until `Posted` is dropped, which waits while the
                    // state is `RUNNING`: it is since before the closure was fetched, as only this
                    // thread ends it, below. A job that was taken back leaves `POSTED`, so the
                    // exchange above fails for it.
                    unsafe { job.run(number) }
                }
            };
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.state.store(IDLE, Ordering::Release);
        }
    }

    /// Waits until there may be a job; false if there will be none any more.
    fn wait(&self) -> bool {
        let mut spins = 0;
        loop {
            match self.state.load(Ordering::Acquire) {
                POSTED => return true,
                CLOSED => return false,
                PARKED => thread::park(),
                _ if spins < SPINS => {
                    spins += 1;
                    std::hint::spin_loop();
                }
                // If this fails there is a job, which the next round sees.
                _ => {
                    let (release, relaxed) = (Ordering::Release, Ordering::Relaxed);
                    let _ = self.state.compare_exchange(IDLE, PARKED, release, relaxed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    /// Doubles numbers in place, in parts, by so many of the threads.
    fn double(pool: &Pool, team: usize, numbers: &mut [usize], part: usize) {
        pool.for_each(team, numbers.chunks_mut(part), |thread, part| {
            assert!(thread < team.min(pool.threads()).max(1));
            part.iter_mut().for_each(|x| *x *= 2);
        });
    }

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [0, 1, 2, 3, 5] {
            let pool = Pool::new(threads);
            for len in [0, 1, 7, 1000] {
                for team in 0..=threads + 1 {
                    let mut numbers: Vec<usize> = (0..len).collect();
                    double(&pool, team, &mut numbers, 3);
                    let doubled = numbers.iter().enumerate().all(|(i, &x)| x == 2 * i);
                    assert!(doubled, "{team} of {threads}, {len}");
                }
            }
        }
    }

    /// Jobs one after the other, with pauses around the time after which workers are parked, while
    /// other threads want the same pool.
    #[test]
    fn jobs_in_any_rhythm_are_done_whole() {
        let pool = Pool::new(3);
        thread::scope(|scope| {
            for seed in 0..3u64 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..3_000u64 {
                        let mut numbers: Vec<usize> = (0..16).collect();
                        double(pool, 3, &mut numbers, 1);
                        assert!(numbers.iter().enumerate().all(|(i, &x)| x == 2 * i));
                        if (round + seed) % 64 == 0 {
                            thread::sleep(Duration::from_micros(30 * (round % 11)));
                        }
                    }
                });
            }
        });
    }

    /// A worker may be late for one job, but not for all; also when it has been parked. Others are not called.
    #[test]
    fn workers_take_part() {
        for pause in [Duration::ZERO, Duration::from_millis(5)] {
            let pool = Pool::new(3);
            let by_worker = AtomicUsize::new(0);
            let job = || {
                thread::sleep(pause);
                pool.for_each(2, 0..4, |thread, _| {
                    assert!(thread < 2);
                    by_worker.fetch_add(thread, Ordering::Relaxed);
                    thread::sleep(Duration::from_micros(200));
                });
                by_worker.swap(0, Ordering::Relaxed) > 0
            };
            // The first job starts the workers.
            pool.for_each(3, 0..3, |_, _| ());
            let took_part = (0..1_000).any(|_| job());
            assert!(took_part, "no item was taken by a worker after {pause:?}");
        }
    }

    #[test]
    fn a_job_inside_a_job_is_done_by_its_caller() {
        let pool = Pool::new(2);
        let sum = AtomicUsize::new(0);
        pool.for_each(2, 0..4, |_, i| {
            pool.for_each(2, 0..3, |_, j| {
                sum.fetch_add(10 * i + j, Ordering::Relaxed);
            });
        });
        assert_eq!(sum.into_inner(), 10 * 3 * 6 + 4 * 3);
    }

    #[test]
    fn panics_on_any_thread_reach_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(2);
        for bad in [0, 1] {
            let happened = AtomicBool::new(false);
            let job = || {
                pool.for_each(2, 0..8, |thread, _| {
                    thread::sleep(Duration::from_micros(200));
                    if thread == bad {
                        happened.store(true, Ordering::Relaxed);
                        panic!("as the test wants");
                    }
                });
            };
            let tried = (0..1_000).any(|_| {
                let result = catch_unwind(AssertUnwindSafe(job));
                let happened = happened.load(Ordering::Relaxed);
                assert_eq!(result.is_err(), happened, "thread {bad}");
                happened
            });
            assert!(tried, "thread {bad} never took part");
        }
        let mut numbers = vec![1; 100];
        double(&pool, 2, &mut numbers, 1);
        assert!(numbers.iter().all(|&x| x == 2));
    }
}
