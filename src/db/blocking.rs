//! Runs futures that block a thread while they are polled, on tokio's blocking pool.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use tokio::{
    sync::Notify,
    task::{JoinError, spawn_blocking},
};
use tokio_util::sync::CancellationToken;

/// Polls `work` on the blocking pool and releases the thread whenever `work` waits for the writer or a lock.
/// When `closing` is cancelled, the work is dropped at its next wait and the result is `None`.
pub(super) async fn run<T: Send + 'static>(
    closing: CancellationToken,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<Option<T>, JoinError> {
    let wake = Arc::new(Woken::default());
    let mut work: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(work);
    while !closing.is_cancelled() {
        let (waker, closes) = (wake.clone(), closing.clone());
        let polled = spawn_blocking(move || {
            let poll = here(|| poll(&mut work, &waker, &closes));
            (poll, work)
        });
        let (poll, pending) = polled.await?;
        if let Poll::Ready(done) = poll {
            return Ok(Some(done));
        }
        work = pending;
        closing.run_until_cancelled(wake.notify.notified()).await;
    }
    Ok(None)
}

thread_local! {
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread may block: it is a thread of the blocking pool, not a worker of the runtime.
pub(super) fn is_here() -> bool {
    IS_HERE.get()
}

/// Runs `work` with this thread marked as one that may block.
pub(super) fn here<T>(work: impl FnOnce() -> T) -> T {
    let before = IS_HERE.replace(true);
    let done = work();
    IS_HERE.set(before);
    done
}

/// Polls until the work is done, or is pending and nothing has woken it.
fn poll<T>(
    work: &mut Pin<Box<dyn Future<Output = T> + Send>>,
    wake: &Arc<Woken>,
    closing: &CancellationToken,
) -> Poll<T> {
    let waker = Waker::from(wake.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        wake.again.swap(false, SeqCst);
        let poll = work.as_mut().poll(&mut context);
        if poll.is_ready() || closing.is_cancelled() || !wake.again.swap(false, SeqCst) {
            return poll;
        }
    }
}

#[derive(Default)]
struct Woken {
    again: AtomicBool,
    notify: Notify,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.again.store(true, SeqCst);
        self.notify.notify_one();
    }
}
